/** What `Observation/$lastn` takes beside the parameters of a search. */
export const lastnInput = { max: { type: 'positiveInt' } } as const;

/** What `Observation/$series` takes: who and what, from and until when, and the code of UCUM for the unit. */
export const seriesInput = {
  patient: { type: 'string' },
  code: { type: 'string', min: 1 },
  start: { type: 'dateTime' },
  end: { type: 'dateTime' },
  unit: { type: 'string' },
} as const;
