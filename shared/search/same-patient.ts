import type { Criterion } from './search-query.ts';

/** The criteria of a search, in which a reference to any of these patients means all of them: their charts are one person's. */
export const meaningAll = (criteria: readonly Criterion[], patients: readonly string[]): Criterion[] =>
  criteria.map((criterion) => ({
    ...criterion,
    values: criterion.values.flatMap((value) =>
      value.type === 'reference' &&
      (value.resourceType ?? 'Patient') === 'Patient' &&
      value.id !== undefined &&
      patients.includes(value.id)
        ? patients.map((id) => ({ ...value, id }))
        : [value],
    ),
  }));
