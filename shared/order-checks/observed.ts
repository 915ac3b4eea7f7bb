import { dateInterval } from '../search/date-range.ts';
import { countedResults } from './tells-of-state.ts';

export const loinc = 'http://loinc.org';
export const snomed = 'http://snomed.info/sct';
export const dayMs = 86_400_000;

/** An observation and when it was made. */
export interface Observed {
  readonly observation: fhir4.Observation;
  /** Milliseconds since 1970: the end of what its time may mean, so a day is the whole day. */
  readonly at: number;
  /** The beginning of it. */
  readonly from: number;
}

/** Those of some codes that count, with a time that is not to come, newest first: what is told of a year alone is not newer than any day of it. */
export const observedOf = (
  observations: readonly fhir4.Observation[],
  codes: readonly string[],
  now: number,
): readonly Observed[] =>
  observations
    .filter(({ status, code }) => countedResults.includes(status) && hasCode(code, loinc, codes))
    .flatMap((observation) => {
      const time = timeOf(observation);
      return time && time.start <= now ? [{ observation, at: Math.min(time.end, now), from: time.start }] : [];
    })
    .toSorted((a, b) => b.from - a.from || b.at - a.at);

const timeOf = ({ effectiveDateTime, effectiveInstant, effectivePeriod, issued }: fhir4.Observation) =>
  dateInterval(effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued ?? '');

export const hasCode = (
  concept: fhir4.CodeableConcept | undefined,
  system: string,
  codes: readonly string[],
): boolean => concept?.coding?.some((coding) => coding.system === system && codes.includes(coding.code ?? '')) ?? false;

export const recordOf = ({ resourceType, id }: fhir4.FhirResource): string | undefined =>
  id === undefined ? undefined : `${resourceType}/${id}`;
