import type { Resource } from '../../fhir/resource.ts';
import { type FiledMark, filedMarkOf } from '../../laboratory/filed-mark.ts';
import { identitiesOf, type Message, type SentResult } from '../../laboratory/message.ts';
import { messageKey } from '../../laboratory/message-order.ts';
import { fillerNumber } from '../../laboratory/report-numbers.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import { observation } from '../../record-types/observation.ts';
import { specimen } from '../../record-types/specimen.ts';
import type { Address, RowKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import type { KnownFiling } from './filler-row.ts';
import type { OrderRow } from './order-row.ts';
import type { Whose } from './whose-report.ts';

/** Where the records of a message are, or will be. */
export interface Places {
  readonly report: Address;
  /** By identity. */
  readonly results: ReadonlyMap<string, Address>;
  /** By number. */
  readonly specimens: ReadonlyMap<string, Address>;
}

/** What stands of a number before a message of it is filed. */
export interface State {
  readonly message: Message;
  readonly whose: Extract<Whose, { chart: string }>;
  readonly places: Places;
  /** What was read, by place. */
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** The report as it stands. */
  readonly current: StoredRecord | undefined;
  readonly known: KnownFiling;
  readonly orders: readonly StoredRecord[];
  readonly orderRow: OrderRow | undefined;
  readonly row: RowKey;
  readonly expected: readonly string[];
}

/** A place by one name, among those of several types. */
export const placeName = ({ type, place }: Pick<Address, 'type' | 'place'>): string => `${type} ${place}`;

/** Where what is filed is, or will be: by number and date, so that it is found again without a look for it. */
export const placesOf = (
  { store, now }: RequestContext,
  organization: string,
  { filler, report, sent, sentSpecimens }: Message,
  chart: string,
): Places => {
  const issued = Date.parse(report.issued ?? '');
  const ofReport = diagnosticReport.dateOf(report as unknown as Resource) ?? (Number.isNaN(issued) ? now : issued);
  const at = (recordType: RecordType, resource: object, name: string): Address => ({
    type: recordType.name,
    chart,
    place: store.ids.namedPlace(recordType.dateOf(resource as Resource) ?? ofReport, `${organization} ${name}`),
  });
  return {
    report: at(diagnosticReport, report, `report ${filler}`),
    results: new Map(
      sent.map((each) => [each.identity, at(observation, each.resource, `result ${filler} ${each.identity}`)]),
    ),
    specimens: new Map(
      sentSpecimens.map((each) => [each.number, at(specimen, each.resource, `specimen ${each.number}`)]),
    ),
  };
};

/** All records of a type in a chart: a call for each megabyte of them. */
export const wholeOf = async (
  { store }: RequestContext,
  chart: string,
  type: string,
): Promise<readonly StoredRecord[]> => {
  const records: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const page = await store.chart(chart, type, { order: 'key-order', pointers: 'none', after });
    records.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return records;
};

/** Whether a report is still somebody's: not deleted, refiled, or entered in error. */
export const stands = (record: StoredRecord | undefined): boolean =>
  record?.resource !== undefined && record.resource['status'] !== 'entered-in-error';

/** The report of a number that was not filed: written by hand or by an interface, or the copy of one that was refiled. The last that was written, of several. */
export const writtenOtherwise = (
  reports: readonly StoredRecord[],
  organization: string,
  filler: string,
): StoredRecord | undefined =>
  reports
    .filter((record) => {
      const { resource, custodian } = record;
      if (!resource || custodian !== organization || !stands(record)) return false;
      const isFiled = filedMarkOf(resource).messages.length > 0;
      return !isFiled && fillerNumber(resource as unknown as fhir4.DiagnosticReport) === filler;
    })
    .sort((one, other) => other.updated - one.updated)[0];

/** What is known of the messages of a record: of one that was written otherwise, that it stands where a message of its state and time would. */
export const markOf = (record: StoredRecord | undefined, report?: StoredRecord): FiledMark => {
  const mark = filedMarkOf(record?.resource);
  if (!record?.resource || mark.messages.length > 0) return mark;
  const { status = '', issued, result = [] } = record.resource as unknown as Partial<fhir4.DiagnosticReport>;
  const { issued: reported } = (report?.resource ?? {}) as Partial<fhir4.DiagnosticReport>;
  const key = messageKey(status, { issued: issued ?? reported ?? new Date(0).toISOString() }, '');
  return { ...mark, messages: key === undefined ? [] : [key], results: result.length };
};

/** The results that a report has and that were not found where their date would have them, by identity. */
export const resultsElsewhere = async (
  context: RequestContext,
  { current, message, places, records, whose }: State,
): Promise<ReadonlyMap<string, StoredRecord>> => {
  const { result = [] } = (current?.resource ?? {}) as Partial<fhir4.DiagnosticReport>;
  const isFound = ({ identity }: SentResult) => {
    const address = places.results.get(identity);
    return address !== undefined && records.has(placeName(address));
  };
  if (message.sent.every(isFound)) return new Map();
  const ids = namesIn(result).map((name) => name.replace(/^.*\//, ''));
  const located = await locateAll(context, 'Observation', ids);
  const addresses = located.filter((address) => !records.has(placeName(address)));
  const read = addresses.length === 0 ? [] : await context.store.readMany(addresses);
  const found = read.filter(({ chart, custodian }) => chart === whose.chart && custodian === current?.custodian);
  const filed = found.flatMap((record): [string, StoredRecord][] => {
    const { result: identity } = filedMarkOf(record.resource);
    return identity === undefined ? [] : [[identity, record]];
  });
  const others = found
    .filter((record) => stands(record) && filedMarkOf(record.resource).result === undefined)
    .sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id));
  const identities = identitiesOf(others.map(({ resource }) => resource as unknown as fhir4.Observation));
  return new Map([...others.map((record, index) => [identities[index] ?? '', record] as const), ...filed]);
};

/** Where results and specimens are that a report names already. */
export const namedBefore = (
  { store }: RequestContext,
  report: Resource | undefined,
): (readonly [string, Address])[] => {
  const { result = [], specimen: taken = [] } = (report ?? {}) as Partial<fhir4.DiagnosticReport>;
  return namesIn([...result, ...taken]).flatMap((name) => {
    const [type = '', id = ''] = name.split('/');
    const decoded = store.ids.decode(id);
    return decoded ? [[name, { type, ...decoded }] as const] : [];
  });
};

/** `Type/id` of what references name. */
export const namesIn = (references: readonly fhir4.Reference[] = []): string[] =>
  references.flatMap(({ reference }) => reference ?? []);

/** The newest message is what the report says. */
