/** `POST $refile` */
export const refileInput = {
  record: { type: 'Reference', min: 1, many: true },
  patient: { type: 'Reference', min: 1 },
  reason: { type: 'string', min: 1 },
} as const;
