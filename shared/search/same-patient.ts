import type { Condition } from './search-query.ts';

/**
 * The conditions of a search, in which a reference to any of these patients means all of them: their charts are one person's. Lookups stay
 * the same objects, since `Lookups` knows them by identity.
 */
export const meaningAll = (conditions: readonly Condition[], patients: readonly string[]): Condition[] =>
  conditions.map((condition): Condition => {
    switch (condition.kind) {
      case 'criterion':
        return {
          ...condition,
          values: condition.values.flatMap((value) =>
            value.type === 'reference' &&
            (value.resourceType ?? 'Patient') === 'Patient' &&
            value.id !== undefined &&
            patients.includes(value.id)
              ? patients.map((id) => ({ ...value, id }))
              : [value],
          ),
        };
      case 'element':
      case 'all':
      case 'any':
        return { ...condition, conditions: meaningAll(condition.conditions, patients) };
      case 'not':
        return { ...condition, condition: { kind: 'all', conditions: meaningAll([condition.condition], patients) } };
      default:
        return condition;
    }
  });
