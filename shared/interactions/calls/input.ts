/** Input of `Patient/$verify-caller`. */
export const verifyCallerInput = { resource: { type: 'Resource', min: 1 }, patient: { type: 'Reference' } } as const;
