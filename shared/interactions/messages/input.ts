/** `Communication/{id}/$thread` */
export const threadInput = { _count: { type: 'integer' } } as const;
