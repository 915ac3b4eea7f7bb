/** `Communication/{id}/$thread`, `Communication/$unread` */
export const messagesInput = { _count: { type: 'integer' } } as const;

/** `Communication/{id}/$triage` */
export const triageInput = { pool: { type: 'code' }, administrative: { type: 'boolean' } } as const;
