import { entryOf, type StoredAuditRow } from '../../../shared/audit/audit-row.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { addressOf } from '../../../shared/store/rows.ts';
import type { ChangedRow } from './compare.ts';
import type { DecidedRecord, Outcome } from './decide-records.ts';

/** One thing that somebody has to look at. Names records, nothing of what they say. */
export interface WorkItem {
  /** The organisation that keeps the record. */
  readonly organization: string;
  /** 1 is looked at first. */
  readonly rank: 1 | 2 | 3 | 4;
  readonly what: string;
  /** `Type/id` of the record. */
  readonly record: string;
  /** Where what was written later stands: `Type/id/_history/version` of the newest version of it. */
  readonly version: string;
  /** When that was written, in milliseconds since 1970. */
  readonly written: number;
  /** By whom, as the access log names them; empty where it does not tell. */
  readonly by: string;
}

/** What can harm somebody whom nobody tells of it, then what people come for, then what they see. */
const first: ReadonlySet<string> = new Set(
  `AllergyIntolerance DetectedIssue DiagnosticReport Flag Immunization MedicationAdministration MedicationDispense
   MedicationRequest MedicationStatement Observation Patient Condition Procedure ServiceRequest Composition`.split(
    /\s+/,
  ),
);
const bookings: ReadonlySet<string> = new Set(['Appointment', 'AppointmentResponse', 'Slot', 'Schedule', 'Encounter']);

const wordsOf: Readonly<Record<Outcome, string>> = {
  ended: 'was made later and is deleted now: look at the version, write it again if it is right',
  'put-back': 'was changed later and says again what it said: look at the version, write it again if it is right',
  'kept-deleted': 'was deleted later and stays deleted: bring it back if that was the fault',
  taken: 'says who may see or do what, and is as it was at the end: look whether that is meant',
};
const wordsOfBooking: Readonly<Partial<Record<Outcome, string>>> = {
  ended: 'was booked later and is deleted now: its time is free, and somebody may come; book it again or call',
  'put-back': 'was moved, cancelled or changed later and stands at its old time again: ask, and mend it',
};

/**
 * What people have to look at, most urgent first.
 *
 * @param kept - rows of the restored table that close what the old one no longer closed.
 */
export const workList = (
  old: RecordStore,
  decided: readonly DecidedRecord[],
  rows: readonly ChangedRow[],
  kept: readonly { readonly pk: string; readonly sk: string }[],
): readonly WorkItem[] => {
  const writers = writersIn(old, rows);
  const items = decided.flatMap(({ old: row, outcome }): WorkItem[] => {
    const address = addressOf(row);
    if (!address) return [];
    const { type, chart, place } = address;
    const record = `${type}/${row.id ?? old.ids.idAt(chart, place)}`;
    const version = `${record}/_history/${row.version}`;
    const booking = bookings.has(type) ? wordsOfBooking[outcome] : undefined;
    return [
      {
        organization: row.custodian,
        rank: rankOf(type, outcome),
        what: booking ?? wordsOf[outcome],
        record,
        version,
        written: row.updated,
        by: writers.get(version) ?? '',
      },
    ];
  });
  const closed = kept.flatMap((row) => keptItem(row));
  return [...items, ...closed].toSorted(
    (a, b) => a.rank - b.rank || compared(a.organization, b.organization) || a.written - b.written,
  );
};

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const rankOf = (type: string, outcome: Outcome): WorkItem['rank'] => {
  if (outcome === 'taken') return 4;
  if (first.has(type)) return 1;
  return bookings.has(type) ? 2 : 3;
};

const wordsOfKept: Readonly<Record<string, string>> = {
  '!keeping': 'the legal hold was released later, and holds again: release it again if that is meant',
  '!linked': 'the chart was linked with another one later, or is linked otherwise: merge it again if that is meant',
};

const keptItem = (row: { readonly pk: string; readonly sk: string }): WorkItem[] => {
  const what = wordsOfKept[row.sk];
  if (what === undefined) return [];
  const record = `Patient/${row.pk.slice(row.pk.indexOf('#') + 1)}`;
  const { custodian } = row as { custodian?: unknown };
  return [
    {
      organization: typeof custodian === 'string' ? custodian : '',
      rank: 4,
      what,
      record,
      version: record,
      written: 0,
      by: '',
    },
  ];
};

/** Who wrote which version, by `Type/id/_history/version`. */
const writersIn = ({ ids }: RecordStore, rows: readonly ChangedRow[]): ReadonlyMap<string, string> => {
  const writers = new Map<string, string>();
  for (const { kind, old } of rows) {
    if (kind.name !== 'access' || !old || !/^A#[^#]+$/.test(old.pk) || old.sk.includes('!')) continue;
    const { what, name } = entryOf(old as unknown as StoredAuditRow, ids);
    for (const each of what) if (each.includes('/_history/') && !writers.has(each)) writers.set(each, name);
  }
  return writers;
};

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A work list as a table for any office program. https://www.rfc-editor.org/rfc/rfc4180 */
export const asCsv = (items: readonly WorkItem[]): string =>
  [
    ['organization', 'rank', 'record', 'version', 'written', 'by', 'what'],
    ...items.map(({ organization, rank, record, version, written, by, what }) => [
      organization,
      String(rank),
      record,
      version,
      written === 0 ? '' : new Date(written).toISOString(),
      by,
      what,
    ]),
  ]
    .map((line) => `${line.map(quoted).join(',')}\r\n`)
    .join('');
