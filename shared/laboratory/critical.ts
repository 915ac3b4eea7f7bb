import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { type CriticalLimit, usualLimits } from './critical-limits.ts';

/** A result, or a part of one. */
export type ResultPart = Pick<
  fhir4.Observation,
  | 'code'
  | 'interpretation'
  | 'valueQuantity'
  | 'valueCodeableConcept'
  | 'valueString'
  | 'valueInteger'
  | 'valueBoolean'
  | 'valueRatio'
>;

/** States in which a result says nothing of the patient. */
const withdrawn: ReadonlySet<unknown> = new Set(['cancelled', 'entered-in-error']);

export const isWithdrawn = (resource: object): boolean => withdrawn.has((resource as { status?: unknown }).status);

/** What a laboratory calls critical: beyond the critical limits, or abnormal so. https://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation */
const criticalCodes: ReadonlySet<string> = new Set(['HH', 'LL', 'AA']);
/** The same in words alone. */
const inWords = /^(?:critical(?:ly)?|panic)(?: (?:high|low|abnormal|value))?$/i;

export const isCalledCritical = (concepts: readonly fhir4.CodeableConcept[] = []): boolean =>
  concepts.some(
    ({ coding = [], text = '' }) =>
      coding.some(({ code = '' }) => criticalCodes.has(code)) || inWords.test(text.trim()),
  );

/** The parts of a result that have a value of their own: an observation and its components; of a report, the observations that it contains and what it concludes. */
export const partsOf = (resource: Resource): readonly ResultPart[] => {
  if (resource.resourceType === 'Observation') {
    const observation = resource as unknown as fhir4.Observation;
    return [observation, ...((observation.component ?? []) as readonly ResultPart[])];
  }
  const { contained = [], conclusionCode = [], conclusion, code } = resource as unknown as fhir4.DiagnosticReport;
  return [
    ...contained.flatMap((each) =>
      each.resourceType === 'Observation' && !isWithdrawn(each) ? partsOf(each as unknown as Resource) : [],
    ),
    ...(conclusionCode.length > 0
      ? [{ code, interpretation: conclusionCode, ...(conclusion === undefined ? {} : { valueString: conclusion }) }]
      : []),
  ];
};

const loincOf = ({ code }: ResultPart): readonly string[] =>
  (code?.coding ?? []).flatMap((coding) =>
    coding.system === 'http://loinc.org' && coding.code !== undefined ? [coding.code] : [],
  );

/** The limits of what a part measures. */
export const limitsFor = (part: ResultPart, limits: readonly CriticalLimit[]): readonly CriticalLimit[] => {
  const codes = loincOf(part);
  return codes.length === 0 ? [] : limits.filter((each) => each.codes.split(' ').some((code) => codes.includes(code)));
};

/** Whether a result may be critical: it is called so, or there are limits for what it measures. */
const mayBeCritical = (resource: Resource, limits: readonly CriticalLimit[]): boolean =>
  !isWithdrawn(resource) &&
  partsOf(resource).some(
    (part) => isCalledCritical(part.interpretation) || (part.valueQuantity && limitsFor(part, limits).length > 0),
  );

/** What somebody who has read a result has read. */
const told = (resource: Resource): unknown => {
  if (isWithdrawn(resource)) return undefined;
  const { resourceType: _type, id: _id, meta: _meta, status: _status, ...rest } = resource;
  const elements = Object.entries(rest).filter(([element]) => content.test(element));
  return Object.fromEntries(elements);
};
const content =
  /^_?(?:value[A-Z]\w*|dataAbsentReason|component|code|interpretation|referenceRange|effective\w+|result|conclusion(?:Code)?|presentedForm|contained)$/;

/** What is observed all the time, and reviewed by nobody. https://hl7.org/fhir/R4/valueset-observation-category.html */
const everyday: ReadonlySet<string | undefined> = new Set(['vital-signs', 'survey', 'social-history', 'activity']);

/** Whether somebody may review what a resource says: not what is a vital sign, a survey or the like by all its categories. */
export const isReviewed = (resource: Resource): boolean => {
  const { category = [] } = resource as unknown as Partial<fhir4.Observation>;
  return category.length === 0 || !category.every(({ coding }) => coding?.some(({ code }) => everyday.has(code)));
};

/**
 * What a change of a result calls for: a Task where it is critical, and another look by those who have reviewed what it said before. A first version that cannot be critical, and a new version that says the same, call for
 * nothing and cost nothing.
 */
export const reviewResults = ({ before, next, policy }: RecordChange): readonly Raised[] => {
  // What a Task or a report names is not deleted.
  if (!next) return [];
  const limits = policy.criticalResults?.limits ?? usualLimits;
  if (before) {
    const concerns =
      isReviewed(next) || isReviewed(before) || [before, next].some((each) => mayBeCritical(each, limits));
    return concerns && !isDeepStrictEqual(told(before), told(next)) ? [{ result: 'changed' }] : [];
  }
  return mayBeCritical(next, limits) ? [{ result: 'new' }] : [];
};
