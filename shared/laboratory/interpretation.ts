import type { Resource } from '../fhir/resource.ts';
import type { Units } from '../search/units.ts';
import { isSameUnit, valueIn } from './in-unit.ts';

/** Of an interpretation that the server has reckoned: from what. A laboratory's own bears no such mark. */
export const computedUrl = 'https://concord.example/fhir/StructureDefinition/computed-interpretation';

const interpretations = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation';
const displays = { H: 'High', L: 'Low', N: 'Normal' } as const;
type Side = keyof typeof displays;

/** What decides whether a range is for a patient. Undefined is not known. */
export interface RangeFacts {
  /** By the sex for clinical use alone; `gender` says nothing of it. */
  readonly sex: 'male' | 'female' | undefined;
  /** Completed years, months, weeks and days at the time of the observation. */
  readonly age: Readonly<Record<'a' | 'mo' | 'wk' | 'd', number>> | undefined;
}

const meanings = 'http://terminology.hl7.org/CodeSystem/referencerange-meaning';
const sexes: Readonly<Record<string, 'male' | 'female'>> = {
  'http://snomed.info/sct|248153007': 'male',
  'http://snomed.info/sct|248152002': 'female',
  'http://hl7.org/fhir/administrative-gender|male': 'male',
  'http://hl7.org/fhir/administrative-gender|female': 'female',
  'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender|M': 'male',
  'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender|F': 'female',
  'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use|male-typical': 'male',
  'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use|female-typical': 'female',
};

type Range = fhir4.ObservationReferenceRange;
type Applies = boolean | 'unknown';

/** All of these: no, if one is not; not known, if one is not known. */
const all = (each: readonly Applies[]): Applies =>
  each.includes(false) ? false : each.includes('unknown') ? 'unknown' : true;

/** Whether a range says what is normal: so it is without a meaning. https://hl7.org/fhir/R4/valueset-referencerange-meaning.html */
const isNormal = ({ type }: Range): Applies => {
  if (!type) return true;
  const known = (type.coding ?? []).filter(({ system }) => system === meanings);
  return known.length === 0 ? 'unknown' : known.some(({ code }) => code === 'normal');
};

const isOfSex = ({ appliesTo = [] }: Range, { sex }: RangeFacts): Applies =>
  all(
    appliesTo.map(({ coding = [] }) => {
      const meant = coding.map(({ system, code }) => sexes[`${system}|${code}`]).find((each) => each !== undefined);
      return meant === undefined || sex === undefined ? 'unknown' : meant === sex;
    }),
  );

const isOfAge = ({ age: range }: Range, { age }: RangeFacts): Applies => {
  if (!range) return true;
  const side = (limit: fhir4.Quantity | undefined, isWithin: (age: number, limit: number) => boolean): Applies => {
    if (!limit) return true;
    const own = age?.[(limit.code ?? limit.unit) as keyof typeof age];
    return own === undefined || limit.value === undefined ? 'unknown' : isWithin(own, limit.value);
  };
  return all([side(range.low, (own, low) => own >= low), side(range.high, (own, high) => own <= high)]);
};

/** On which side of a range a value is; undefined if that is not known. A limit is within. */
const sideOf = ({ low, high }: Range, quantity: fhir4.Quantity, resource: Resource, units: Units): Side | undefined => {
  if (!low && !high) return undefined;
  const { comparator } = quantity;
  const inUnitOf = (limit: fhir4.Quantity): number | undefined =>
    (limit.code ?? limit.unit) === undefined ||
    isSameUnit(limit, quantity) ||
    (limit.code === undefined && limit.unit === quantity.unit)
      ? quantity.value
      : valueIn(limit, quantity, resource, units);
  const below = low && { value: inUnitOf(low), limit: low.value };
  const above = high && { value: inUnitOf(high), limit: high.value };
  if ([below, above].some((each) => each && (each.value === undefined || each.limit === undefined))) return undefined;
  const lower = below && (below.value as number) - (below.limit as number);
  const upper = above && (above.value as number) - (above.limit as number);
  switch (comparator) {
    case '<':
    case '<=':
      // Anything below the number.
      if (lower !== undefined && (comparator === '<' ? lower <= 0 : lower < 0)) return 'L';
      return lower === undefined && upper !== undefined && upper <= 0 ? 'N' : undefined;
    case '>':
    case '>=':
      if (upper !== undefined && (comparator === '>' ? upper >= 0 : upper > 0)) return 'H';
      return upper === undefined && lower !== undefined && lower >= 0 ? 'N' : undefined;
    default:
      if (lower !== undefined && lower < 0) return 'L';
      return upper !== undefined && upper > 0 ? 'H' : 'N';
  }
};

/**
 * What a laboratory's own ranges say of a value; undefined if one may or may not be for the patient, none is, or several say different things. Pure.
 *
 * @param resource - the Observation, which tells the substance of a mass that is compared with an amount.
 */
export const sideIn = (
  ranges: readonly Range[],
  quantity: fhir4.Quantity | undefined,
  { facts, resource, units }: { readonly facts: RangeFacts; readonly resource: Resource; readonly units: Units },
): Side | undefined => {
  if (quantity?.value === undefined) return undefined;
  const judged = ranges.map((range) => ({
    range,
    applies: all([isNormal(range), isOfSex(range, facts), isOfAge(range, facts)]),
  }));
  if (judged.some(({ applies }) => applies === 'unknown')) return undefined;
  const sides = new Set(
    judged.flatMap(({ range, applies }) => (applies ? [sideOf(range, quantity, resource, units)] : [])),
  );
  const [side, ...others] = sides;
  return others.length === 0 ? side : undefined;
};

/** Whether ranges are for some patients alone, so that something has to be known of the patient. */
export const areForSome = (ranges: readonly Range[]): boolean =>
  ranges.some(({ appliesTo = [], age }) => appliesTo.length > 0 || age !== undefined);

/** Whether the server has reckoned it. */
export const isComputed = ({ extension = [] }: fhir4.CodeableConcept): boolean =>
  extension.some(({ url }) => url === computedUrl);

/** It, with the mark that it was reckoned. */
export const computed = (side: Side): fhir4.CodeableConcept => ({
  extension: [{ url: computedUrl, valueCode: 'reference-range' }],
  coding: [{ system: interpretations, code: side, display: displays[side] }],
});
