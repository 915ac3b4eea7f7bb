/** Input of `Appointment/$find`. */
export const findInput = {
  start: { type: 'dateTime' },
  end: { type: 'dateTime' },
  actor: { type: 'Reference', many: true },
  serviceType: { type: 'CodeableConcept', many: true },
  minutes: { type: 'positiveInt' },
  _count: { type: 'integer' },
} as const;
/** Input of `Appointment/$book`. */
export const bookInput = { appointment: { type: 'Resource', min: 1 } } as const;
