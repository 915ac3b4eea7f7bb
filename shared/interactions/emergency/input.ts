export const breakGlassInput = { purpose: { type: 'code', min: 1 }, reason: { type: 'string', min: 1 } } as const;

export const emergencyMatchInput = { resource: { type: 'Resource', min: 1 } } as const;
