import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Measured, Result } from '../../plans/target-progress.ts';
import { type SearchTypes, searchTypes } from '../../record-types/search-types.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval } from '../../search/date-range.ts';
import { escapeValue } from '../../search/escape.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';
import { callsPerPage, tooCostly } from '../search/run.ts';
import { traced } from '../search/trace.ts';

/** A result, and the record that has it. */
export interface Found extends Result {
  readonly record: StoredRecord;
}

/** What a target is about, and since when. */
export interface Sought {
  /** `system|code`. */
  readonly codes: readonly string[];
  /** Until when its goal began, in milliseconds since 1970. */
  readonly since: number | undefined;
}

/** The newest result of a target, and the one that its goal began with. */
export interface Results {
  readonly latest?: Found;
  readonly baseline?: Found;
}

/** Codes that one search asks for. */
const mostCodes = 300;

/** @throws RecordError `forbidden` where the caller may search for no results. */
export const requireSearchable = (context: RequestContext): void =>
  requireTypeAccess({ ...context, recordType: factsOfType('Observation') }, 's');

/**
 * Results of one patient, by one search of those that the caller may find: final, amended or corrected, and not later than now. What the caller may not see is as if it did not exist.
 *
 * @param subject - reference to the patient.
 * @returns in the order of what is sought.
 * @throws RecordError `too-costly`.
 */
export const resultsFor = async (
  context: RequestContext,
  subject: string,
  sought: readonly Sought[],
): Promise<readonly Results[]> => {
  const codes = [...new Set(sought.flatMap((each) => each.codes))];
  const { request } = context;
  const patient = parseReference(subject, request.baseUrl);
  if (codes.length === 0 || patient.kind !== 'record' || patient.type !== 'Patient') return sought.map(() => ({}));
  if (codes.length > mostCodes) throw tooCostly('target');
  const sent = [
    ['patient', `Patient/${patient.id}`],
    ['status', 'final,amended,corrected'],
    ['combo-code', codes.map(tokenOf).join(',')],
  ] as const;
  const recordType = observationsIn(await searchTypes());
  // To the log it is what it is: a search of Observations.
  const searching = { ...context, recordType, request: { ...request, path: ['Observation'], query: sent } };
  const { run, query, planned } = await openSearch(searching, sent, { strict: true });
  const { plan } = await planned();
  return traced(
    run,
    async () => {
      const best = sought.map((): { latest?: Found; baseline?: Found } => ({}));
      for await (const { record } of matching(run, recordType, { ...query, plan })) {
        if (run.calls > callsPerPage) throw tooCostly('target');
        if (!record?.resource) continue;
        for (const [index, each] of sought.entries()) {
          const result = resultIn(record, each.codes);
          const kept = best[index];
          if (!kept || !result || result.at > context.now) continue;
          if (!kept.latest || isNewer(result, kept.latest)) kept.latest = result;
          if (each.since !== undefined && isBetterStart(result, kept.baseline, each.since)) kept.baseline = result;
        }
      }
      return best;
    },
    { sent, shown: (found) => recordsIn(found).map((record) => [recordType, record] as const) },
  );
};

/** The records that have results, each once. */
const recordsIn = (results: readonly Results[]): StoredRecord[] => [
  ...new Set(results.flatMap(({ latest, baseline }) => [latest, baseline].flatMap((each) => each?.record ?? []))),
];

const observationsIn = (types: SearchTypes) => {
  const type = types.get('Observation');
  if (!type) throw new Error('Observations are searched');
  return type;
};

const tokenOf = (code: string): string => {
  const at = code.indexOf('|');
  return `${escapeValue(code.slice(0, at))}|${escapeValue(code.slice(at + 1))}`;
};

/** `system|code` of what a concept means. A code without a system may mean anything. */
export const codesOf = ({ coding = [] }: fhir4.CodeableConcept = {}): readonly string[] =>
  coding.flatMap(({ system, code }) => (system === undefined || code === undefined ? [] : [`${system}|${code}`]));

/** What an Observation has found, or its component with the code; undefined if that is nothing, or nobody says when. */
const resultIn = (record: StoredRecord, codes: readonly string[]): Found | undefined => {
  const observation = record.resource as unknown as fhir4.Observation;
  const isMeant = ({ code }: { readonly code?: fhir4.CodeableConcept }) =>
    codesOf(code).some((each) => codes.includes(each));
  const value: Measured | undefined = [observation, ...(observation.component ?? [])].find(
    (each) => isMeant(each) && Object.keys(each).some((name) => /^value[A-Z]/.test(name)),
  );
  const at = timeOf(observation);
  return value && at !== undefined ? { value, observation: record.resource as Resource, at, record } : undefined;
};

const timeOf = (observation: fhir4.Observation): number | undefined => {
  const { effectiveDateTime, effectiveInstant, effectivePeriod, issued } = observation;
  const told = effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued;
  return told === undefined ? undefined : dateInterval(told)?.start;
};

/** Of two at one time, the one that was written last. */
const isNewer = (one: Found, other: Found): boolean =>
  one.at > other.at || (one.at === other.at && one.record.updated > other.record.updated);

/** A goal begins with the last result until then, or with the first one after. */
const isBetterStart = (one: Found, other: Found | undefined, since: number): boolean => {
  if (!other) return true;
  const [isBefore, wasBefore] = [one.at <= since, other.at <= since];
  if (isBefore !== wasBefore) return isBefore;
  return isBefore ? isNewer(one, other) : isNewer(other, one);
};
