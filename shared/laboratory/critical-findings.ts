import type { Resource } from '../fhir/resource.ts';
import { type Units, ucum } from '../search/units.ts';
import { isCalledCritical, isWithdrawn, limitsFor, partsOf, type ResultPart } from './critical.ts';
import type { CriticalLimit } from './critical-limits.ts';
import { valueIn } from './in-unit.ts';

/** Units of what has none. https://ucum.org/ucum#para-45 */
const ofPh: readonly (string | undefined)[] = ['[pH]', 'pH', '{pH}', '1', undefined];

const isBeyond = (part: ResultPart, limit: CriticalLimit, resource: Resource, units: Units): boolean => {
  const { valueQuantity } = part;
  if (valueQuantity?.value === undefined) return false;
  const { comparator, code, unit } = valueQuantity;
  const inUnit = { system: ucum, code: limit.unit };
  // Interfaces often tell a unit in words alone, or by a code of another system: what is spelt like the limit's is the same.
  const isSpeltAlike = valueQuantity.system !== ucum && [code, unit].includes(limit.unit);
  const value =
    isSpeltAlike || (limit.unit === '[pH]' && ofPh.includes(code ?? unit))
      ? valueQuantity.value
      : valueIn(inUnit, valueQuantity, resource, units);
  if (value === undefined) return false;
  // What is said to be below a number may be anything below it, and is beyond a limit only if all of that is.
  const below = !comparator?.startsWith('>') && limit.low !== undefined && value <= limit.low;
  const above = !comparator?.startsWith('<') && limit.high !== undefined && value >= limit.high;
  return below || above;
};

/** The critical parts of a result: what its laboratory calls so, and what is at or beyond a limit. None of what was withdrawn. */
export const criticalIn = (
  resource: Resource | undefined,
  limits: readonly CriticalLimit[],
  units: Units,
): readonly ResultPart[] =>
  resource && !isWithdrawn(resource)
    ? partsOf(resource).filter(
        (part) =>
          isCalledCritical(part.interpretation) ||
          limitsFor(part, limits).some((limit) => isBeyond(part, limit, resource, units)),
      )
    : [];
