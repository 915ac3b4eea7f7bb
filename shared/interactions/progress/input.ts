/** `Task/{id}/$progress` */
export const progressInput = { status: { type: 'code' }, note: { type: 'string' } } as const;
