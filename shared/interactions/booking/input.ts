/** Input of `Appointment/$find`. */
export const findInput = {
  start: { type: 'dateTime' },
  end: { type: 'dateTime' },
  actor: { type: 'Reference', many: true },
  anyOf: { type: 'Reference', many: true },
  serviceType: { type: 'CodeableConcept', many: true },
  minutes: { type: 'positiveInt' },
  daysOfWeek: { type: 'code', many: true },
  partOfDay: { type: 'code', many: true },
  gender: { type: 'code' },
  language: { type: 'code' },
  _count: { type: 'integer' },
} as const;
/** Input of `Appointment/$hold`. */
export const holdInput = { appointment: { type: 'Resource', min: 1 }, expires: { type: 'instant' } } as const;
/** Input of `Appointment/{id}/$reschedule`. */
export const rescheduleInput = {
  start: { type: 'dateTime', min: 1 },
  end: { type: 'dateTime', min: 1 },
  reason: { type: 'string' },
} as const;
/** Input of `Appointment/{id}/$cancel`. */
export const cancelInput = { reason: { type: 'string' } } as const;
/** Input of `Appointment/{id}/$check-in`. */
export const checkInInput = { status: { type: 'code' } } as const;
/** Input of `Appointment/{id}/$no-show`. */
export const noShowInput = { reason: { type: 'string' } } as const;
/** Input of `Appointment/$book`. */
export const bookInput = { appointment: { type: 'Resource', min: 1 } } as const;
/** Input of `Appointment/$offer`. */
export const offerInput = {
  actor: { type: 'Reference', many: true },
  start: { type: 'dateTime', min: 1 },
  end: { type: 'dateTime', min: 1 },
} as const;
/** Input of `Appointment/{id}/$decline`. */
export const declineInput = { leave: { type: 'boolean' }, reason: { type: 'string' } } as const;
