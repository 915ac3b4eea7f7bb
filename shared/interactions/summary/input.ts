/** `Patient/{id}/$summary` */
export const summaryInput = { profile: { type: 'canonical' } } as const;
