import { purgedAmong } from '../keeping.ts';
import { historyKey, type Row, type RowKey, recordKey } from '../keys.ts';
import { largeBytes, pageWithin } from '../large-bodies.ts';
import type { RecordStore } from '../record-store.ts';
import { type RecordRow, type StoredRecord, sealedLike } from '../rows.ts';
import { visibleRows } from '../visibility.ts';
import type { RecordChange } from './change.ts';

/** A version of a record. */
export interface Version {
  /** The change that made it. */
  readonly change: RecordChange;
  readonly record: StoredRecord;
  /** When the next one took its place, in milliseconds since 1970; undefined where it is the current one. */
  readonly until: number | undefined;
  /** The record as it is now, where that is wanted; else the version itself. */
  readonly current: StoredRecord;
}

/** What is wanted of versions beside themselves. */
export interface Wanted {
  /** Whether `until` is; else it is undefined. */
  readonly superseded: boolean;
  readonly current: (change: RecordChange) => boolean;
}

/** Tries: a version that moves to its history between two reads of one call is missed by both, and there by the next call. */
const mostLooks = 3;

const name = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;

/**
 * The versions that the first of these changes made, in their order: as many as one page may bring. Two rows a change, or three, a hundred a call, the calls at
 * once; a call more for each transaction that a row is marked by.
 *
 * @throws Error if a version is not there whose chart was not purged: no other one is ever removed, and one that was is not passed over in silence.
 */
export const versionsOf = async (
  store: RecordStore,
  changes: readonly RecordChange[],
  wanted: Wanted,
): Promise<{ readonly versions: readonly Version[]; readonly taken: number }> => {
  const found = await rowsOf(store, changes, wanted.superseded);
  const page = pageWithin(
    found.flatMap((each) => each ?? []),
    ({ row, now, at }) => largeBytes(row) + (wanted.current(at) ? largeBytes(now) : 0),
  );
  const records = await store.recordsIn(page);
  const later = page.filter(({ row, now, at }) => now.version !== row.version && wanted.current(at));
  const currents = await store.recordsIn(later.map(({ now, at }) => ({ row: now, at })));
  const currentOf = new Map(later.map((each, index) => [each, currents[index]]));
  const versions = records.flatMap((record, index): Version[] => {
    const each = page[index];
    return each ? [{ change: each.at, record, until: each.until, current: currentOf.get(each) ?? record }] : [];
  });
  const last = page.at(-1);
  const isWhole = found.filter((each) => each !== undefined).length === page.length;
  return { versions, taken: isWhole || !last ? changes.length : changes.indexOf(last.at) + 1 };
};

interface Found {
  readonly row: RecordRow;
  /** The record's own row, as it may be seen now. */
  readonly now: RecordRow;
  readonly at: RecordChange;
  readonly until: number | undefined;
}

const rowsOf = async (
  store: RecordStore,
  changes: readonly RecordChange[],
  superseded: boolean,
): Promise<(Found | undefined)[]> => {
  const found = new Map<RecordChange, Found>();
  let missing = [...changes];
  for (let look = 0; look < mostLooks && missing.length > 0; look++) {
    const rows = (await store.getMany(missing.flatMap((change) => keysOf(change, superseded)))) as Row[];
    const read = new Map(rows.map((row) => [name(row), row as unknown as RecordRow]));
    const current = [...new Set(missing.map((change) => name(recordKey(change))))].flatMap(
      (key) => read.get(key) ?? [],
    );
    const visible = new Map(
      (await visibleRows(store.client, store.tableName, current)).map((row) => [name(row), row] as const),
    );
    for (const at of missing) {
      const own = name(recordKey(at));
      // A committed update that is not finished yet still has its last version in the record's own row.
      const all = [visible.get(own), read.get(name(historyKey(at, at.version))), read.get(own)];
      const row = all.find((each) => each?.version === at.version);
      const now = visible.get(own);
      const next = [now, read.get(name(historyKey(at, at.version + 1)))].find(
        (each) => each?.version === at.version + 1,
      );
      const isKnown = !superseded || next !== undefined || now?.version === at.version;
      if (row && now && isKnown) found.set(at, { row: sealedLike(row, now), now, at, until: next?.updated });
    }
    missing = missing.filter((change) => !found.has(change));
  }
  const purged = await purgedAmong(store, new Set(missing.map(({ chart }) => chart)));
  if (missing.some(({ chart }) => !purged.has(chart))) throw new Error('The feed tells of a version that is not there');
  return changes.map((change) => found.get(change));
};

const keysOf = (change: RecordChange, superseded: boolean): RowKey[] => [
  recordKey(change),
  historyKey(change, change.version),
  ...(superseded ? [historyKey(change, change.version + 1)] : []),
];
