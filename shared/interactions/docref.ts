import { RecordError } from '../errors.ts';
import type { Interval } from '../search/date-range.ts';
import { dateInterval } from '../search/date-range.ts';
import { timeOf } from '../search/match/date.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction } from './context.ts';
import { readInput } from './operation-input.ts';
import { requireTypeAccess } from './require-access.ts';
import { matching } from './search/matching.ts';
import { openSearch } from './search/open.ts';
import { callsPerPage, tooCostly } from './search/run.ts';
import { traced } from './search/trace.ts';
import { entriesOf, entryOf, largestPageBytes, selfLink, weightOf } from './searchset.ts';

export const docrefInput = {
  patient: { type: 'id', min: 1 },
  start: { type: 'dateTime' },
  end: { type: 'dateTime' },
  type: { type: 'Coding', many: true },
  'on-demand': { type: 'boolean' },
  profile: { type: 'canonical', many: true },
} as const;

/** Documents that one request may look at. */
const mostDocuments = 1_000;

/** Summary of episode note, as a CCD is: what is meant where no type is told. */
const summary: fhir4.Coding = { system: 'http://loinc.org', code: '34133-9' };

/**
 * `DocumentReference/$docref`: the current documents of a patient, of a time of care, a type and a format; without a time the most recent one of each type.
 * Documents are not made on demand. http://hl7.org/fhir/us/core/STU6.1/OperationDefinition-docref.html
 */
export const documentReferences: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { recordType } = context;
  const {
    patient,
    start,
    end,
    type: types,
    'on-demand': onDemand,
    profile: profiles,
  } = readInput(context, docrefInput);
  const undated = start === undefined && end === undefined;
  const wanted = undated && types.length === 0 ? [summary] : types;
  const from = (start === undefined ? undefined : dateInterval(start)?.start) ?? Number.NEGATIVE_INFINITY;
  const to = (end === undefined ? undefined : dateInterval(end)?.end) ?? Number.POSITIVE_INFINITY;
  if (from >= to) throw new RecordError('invalid', 'The end is before the start', { expression: 'end' });
  const sent = [['patient', patient] as const, ['status', 'current'] as const];
  const { run, query, planned } = await openSearch({ ...context, request: { ...context.request, query: sent } }, sent, {
    strict: true,
  });
  const { plan } = await planned();
  const isAsked = (record: StoredRecord): boolean => {
    const document = record.resource as unknown as fhir4.DocumentReference;
    const time = careTimeOf(document);
    return (
      !onDemand &&
      (wanted.length === 0 || wanted.some((coding) => isOfType(document, coding))) &&
      (profiles.length === 0 ||
        document.content.some(({ format }) => profiles.some((each) => isFormat(format, each)))) &&
      (undated || (time !== undefined && time.start < to && time.end > from))
    );
  };
  const found = await traced(
    run,
    async () => {
      const all: StoredRecord[] = [];
      for await (const { record } of matching(run, recordType, { ...query, plan })) {
        if (record && isAsked(record)) {
          run.hold(record, 'type');
          all.push(record);
        }
        if (all.length > mostDocuments || run.calls > callsPerPage) throw tooCostly('type');
      }
      const sorted = all.toSorted((a, b) => madeAt(b) - madeAt(a));
      return undated ? newestOfEach(sorted, wanted) : sorted;
    },
    { sent, shown: (shown) => shown.map((record) => [recordType, record] as const) },
  );
  if (found.reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0) > largestPageBytes) {
    throw tooCostly('start');
  }
  await context.view.prepare(found);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    link: [selfLink(context, context.request.query)],
    ...entriesOf(found.map((record) => entryOf(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

/** When the care was given that a document is about; when it was made, where it does not tell. */
const careTimeOf = ({ context, date }: fhir4.DocumentReference): Interval | undefined =>
  context?.period
    ? timeOf({ type: 'Period', value: context.period })
    : date === undefined
      ? undefined
      : timeOf({ type: 'instant', value: date });

const madeAt = ({ resource, updated }: StoredRecord): number => {
  const { date } = (resource ?? {}) as Partial<fhir4.DocumentReference>;
  return (date === undefined ? undefined : dateInterval(date)?.start) ?? updated;
};

const isOfType = ({ type }: fhir4.DocumentReference, { system, code }: fhir4.Coding): boolean =>
  (type?.coding ?? []).some(
    (each) => (code === undefined || each.code === code) && (system === undefined || each.system === system),
  );

/** Profiles of documents are told as formats: by their canonical address, or by a code and the system that it belongs to. */
const isFormat = (format: fhir4.Coding | undefined, profile: string): boolean =>
  format?.code === profile ||
  `${format?.system}/${format?.code}` === profile ||
  `${format?.system}${format?.code}` === profile;

/** The first document of each type. */
const newestOfEach = (sorted: readonly StoredRecord[], types: readonly fhir4.Coding[]): StoredRecord[] => {
  const newest = types.flatMap(
    (type) => sorted.find(({ resource }) => isOfType(resource as unknown as fhir4.DocumentReference, type)) ?? [],
  );
  return sorted.filter((record) => newest.includes(record));
};
