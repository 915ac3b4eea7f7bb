/** `$explain-access` */
export const explainAccessInput = {
  caller: { type: 'Reference', min: 1 },
  action: { type: 'code', min: 1 },
  record: { type: 'Reference', min: 1 },
  organization: { type: 'Reference' },
  patient: { type: 'Reference' },
  role: { type: 'code', many: true },
  scope: { type: 'string' },
} as const;
