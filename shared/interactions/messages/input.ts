/** `Communication/{id}/$thread`, `Communication/$unread` */
export const messagesInput = { _count: { type: 'integer' } } as const;
