import type { Resource } from '../fhir/resource.ts';
import { ucum } from '../search/units.ts';

/** Codes of UCUM in which most values are told, so that these need not be looked up. https://ucum.org/ucum */
export const frequentUnits = new Set(
  '% /min kg g cm m mm[Hg] Cel [degF] [lb_av] [in_i] kg/m2 mg/dL g/dL g/L mmol/L umol/L meq/L U/L 10*3/uL 10*6/uL 10*9/L fL pg mL/min/{1.73_m2} {score} {nominal} 1'.split(
    ' ',
  ),
);

type Part = Pick<fhir4.ObservationComponent, 'interpretation' | 'referenceRange' | 'valueQuantity'>;

const isPlain = ({ interpretation, referenceRange, valueQuantity }: Part): boolean => {
  if (!valueQuantity) return true;
  const { system, unit, code } = valueQuantity;
  const isKnown = system === ucum && code !== undefined && frequentUnits.has(code);
  return (isKnown || (unit === undefined && code === undefined)) && !referenceRange && !interpretation;
};

/**
 * Whether something may be reckoned of an Observation, or its units have to be looked up: most have no range, and a unit that everybody knows. What bears marks may
 * have to lose one.
 */
export const mayBeInterpreted = (resource: Resource): boolean => {
  const observation = resource as unknown as fhir4.Observation;
  const parts = [observation, ...(observation.component ?? [])];
  return observation.meta?.tag !== undefined || !parts.every(isPlain);
};
