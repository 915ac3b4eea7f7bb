/** `Task/$inbox` */
export const inboxInput = {
  team: { type: 'Reference', many: true },
  _count: { type: 'integer' },
} as const;

/** `Task/$overdue` */
export const overdueInput = {
  referral: { type: 'boolean' },
  _count: { type: 'integer' },
} as const;
