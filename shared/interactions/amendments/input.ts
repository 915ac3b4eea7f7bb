/** `Patient/{id}/$request-amendment` */
export const requestAmendmentInput = {
  record: { type: 'Reference', min: 1 },
  reason: { type: 'string', min: 1 },
} as const;

/** `Task/{id}/$decide-amendment` */
export const decideAmendmentInput = {
  decision: { type: 'code', min: 1 },
  reason: { type: 'string', min: 1 },
  ground: { type: 'code' },
  amendment: { type: 'Reference' },
} as const;
