/** `Task/$inbox` */
export const inboxInput = {
  team: { type: 'Reference', many: true },
  _count: { type: 'integer' },
} as const;
