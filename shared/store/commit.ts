import type { CalendarWork } from './calendar.ts';
import type { Calendars } from './calendar-steps.ts';
import { existenceCheck, isThere, uniqueCheck } from './commit-conditions.ts';
import { CommitRefused, type Refusal } from './commit-refusal.ts';
import { estimateBytes, requireStorable, stepsOf } from './commit-steps.ts';
import { inParallel } from './in-parallel.ts';
import { type Address, type Row, type RowKey, recordKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { type RecordRow, recordRow, type StoredRecord } from './rows.ts';
import { requireFree, transact } from './transact-steps.ts';
import { uploadLargeBodies } from './uploads.ts';
import { visibleRows } from './visibility.ts';

/** One record's next version. */
export interface RecordWrite {
  readonly next: StoredRecord;
  /** The version that it replaces; undefined for a create. */
  readonly previous?: StoredRecord | undefined;
  /** Its row, where it is packed already. */
  readonly row?: RecordRow;
  /** Rows that lead to this version, to be put with it: pointers, registry rows, bearers of its identifiers. */
  readonly puts: readonly Row[];
  /** Those that led to the previous version and to this one no more. */
  readonly removes: readonly RowKey[];
}

/** A record outside the commit that must exist when it happens. */
export interface ExistenceCheck {
  readonly address: Address;
  /** If given, the record must be this organisation's; one of another is answered as if it did not exist. */
  readonly custodian?: string | undefined;
  /** Whether it may be a psychotherapy note; else one is answered as if it did not exist. */
  readonly mayBeNote?: boolean;
  /** A label that it must not bear, and `Type/id` of it, for who then writes something else. */
  readonly without?: { readonly label: string; readonly name: string } | undefined;
  /** The version that it must still have, for what was decided by what it says. */
  readonly version?: number;
  /** Names what refers to it, for the refusal. */
  readonly label: string;
}

/** A change of what conditional creates with one condition have made. */
export interface UniqueChange {
  readonly key: RowKey;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** Refuses the commit unless these ids, and no others, stand there so far. */
  readonly expected?: readonly string[] | undefined;
  /**
   * Puts what is added in the place of what was expected. A guard needs no more than its last id, which differs from all before: whoever has
   * looked at an earlier one is refused. With every id, that of an often used condition would fill its row.
   */
  readonly replaces?: boolean | undefined;
}

/** All that one request writes. It happens wholly or not at all. */
export interface Commit {
  readonly writes: readonly RecordWrite[];
  readonly checks: readonly ExistenceCheck[];
  readonly unique: readonly UniqueChange[];
  /** Rows of the access log: each is put once, under a random key, and never changed. */
  readonly log: readonly Row[];
  /** Rows that must not exist yet. */
  readonly claims: readonly Row[];
  /** Time of actors that its records take and give back. */
  readonly calendar?: CalendarWork | undefined;
  /** The row that tells of the upload of its large bodies, or of content that was uploaded for a Binary, which is small itself; it goes as the commit is decided. */
  readonly upload?: RowKey | undefined;
}

// DynamoDB takes 100 actions and 4 MB; the rest is left for what the service counts beside the values.
export const mostActions = 96;
export const mostBytes = 3_500_000;
/** Owners of time that change in one row at once: an expression has 4 KB. */
const mostOwners = 90;
const concurrency = 16;

/**
 * Writes a commit: as one DynamoDB transaction where it fits, else by the staged protocol. Bodies that are too large for a row go to
 * the object store before.
 *
 * @throws CommitRefused if a condition does not hold; RecordError `too-large`, or `throttled` or `conflict` if the rows stay busy or
 *   held; ObjectStoreError: nothing is written then. RecordError `incomplete` if it is written, and what leads to it is not yet. Any other error leaves
 *   open whether it is written, and wholly or not at all.
 */
export const commit = async (store: RecordStore, work: Commit): Promise<void> => {
  try {
    await write(store, work);
  } catch (error) {
    const onlyTaken = error instanceof CommitRefused && error.refusals.every(({ kind }) => kind === 'taken');
    if (onlyTaken) await requireAllElse(store, work);
    throw error;
  }
};

/** Rows that are looked at with one call. */
const lookedAtOnce = 100;

/**
 * What a commit would be refused for now, found by reading alone: records that it needs and that are not there, else time that others have.
 *
 * @throws RecordError `too-large` if a row cannot hold a record.
 */
export const foresee = async (
  store: RecordStore,
  { checks, writes, calendar }: Pick<Commit, 'checks' | 'writes' | 'calendar'>,
): Promise<Refusal[]> => {
  for (const { next } of writes) {
    const { labels } = recordRow(next, store.ids);
    requireStorable(labels ? { labels } : {}, next.type);
  }
  const missing: Refusal[] = [];
  for (let at = 0; at < checks.length; at += lookedAtOnce)
    missing.push(...(await missingAmong(store, checks.slice(at, at + lookedAtOnce))));
  // As for `requireAllElse`: who names what does not exist learns nothing of its time.
  if (missing.length > 0 || !calendar) return missing;
  const calendars = await openCalendars(calendar);
  await calendars.look(store);
  return calendars.taken.map((time) => ({ kind: 'taken', time }));
};

const missingAmong = async (store: RecordStore, checks: readonly ExistenceCheck[]): Promise<Refusal[]> => {
  const name = ({ pk, sk }: RowKey) => `${pk}\n${sk}`;
  const found = (await store.getMany(checks.map(({ address }) => recordKey(address)))) as RecordRow[];
  const rows = new Map(
    (await visibleRows(store.client, store.tableName, found)).map((row) => [name(row), row] as const),
  );
  return checks.flatMap((check): Refusal[] =>
    isThere(check, rows.get(name(recordKey(check.address)))) ? [] : [{ kind: 'missing', check }],
  );
};

const write = async (store: RecordStore, given: Commit): Promise<void> => {
  const calendars = given.calendar && (await openCalendars(given.calendar));
  await calendars?.look(store);
  if (calendars) requireFree(calendars);
  const work = await uploadLargeBodies(store, given);
  const { keys, mostOwners: owners } = calendars ?? { keys: [], mostOwners: 0 };
  if (actionsOf(work) + keys.length > mostActions || owners > mostOwners) return writeInStages(store, work, calendars);
  const steps = stepsOf(store, work);
  if (estimateBytes(steps) > mostBytes) return writeInStages(store, work, calendars);
  await transact(store, steps, calendars);
};

const openCalendars = async (work: CalendarWork): Promise<Calendars> =>
  new (await import('./calendars.lazy.ts')).Calendars(work);

const writeInStages = async (store: RecordStore, work: Commit, calendars: Calendars | undefined): Promise<void> =>
  (await import('./staged.lazy.ts')).writeStaged(store, work, calendars);

export const actionsOf = ({ writes, checks, unique, claims, log }: Commit): number =>
  writes.reduce((sum, { previous, puts, removes }) => sum + (previous ? 2 : 1) + puts.length + removes.length, 0) +
  [checks, unique, claims, log].reduce((sum, { length }) => sum + length, 0);

/**
 * Makes sure that time which others have is the one reason for a refusal: who names what does not exist, or may not be known of, learns
 * nothing of its time; and the time of a conditional create may be had by the very record that it looks for.
 *
 * @throws CommitRefused if there is another reason.
 */
const requireAllElse = async (store: RecordStore, { checks, unique }: Commit): Promise<void> => {
  const { tableName: TableName } = store;
  const conditions = [
    ...checks.map((check) => existenceCheck(TableName, check)),
    ...unique.map((change) => uniqueCheck(TableName, change)),
  ];
  const transactions = Array.from({ length: Math.ceil(conditions.length / mostActions) }, (_, n) =>
    conditions.slice(n * mostActions, (n + 1) * mostActions),
  );
  await inParallel(concurrency, transactions, (steps) => transact(store, steps));
};
