import { setTimeout as pause } from 'node:timers/promises';
import { purgedAmong } from '../keeping.ts';
import { historyKey, type RowKey, recordKey } from '../keys.ts';
import type { RecordStore } from '../record-store.ts';
import { type RecordRow, sealedLike } from '../rows.ts';
import { visibleRows } from '../visibility.ts';
import type { RecordChange, RowChange } from './change.ts';
import { chartChanges } from './chart-changes.ts';
import { positionOf } from './feed-rows.ts';

/** Megabytes that are read of a chart, of its records and of their earlier versions: there is time for that where nobody waits. */
const mostOfChart = 400;

/**
 * The versions of a chart's records that were written from a time on, oldest first, those of one record in their order. One call a started megabyte, strongly consistent.
 *
 * @param from - milliseconds since 1970.
 * @throws RecordError `too-costly` where the chart is larger than 400 MB.
 */
export const chartChangesFrom = async (store: RecordStore, chart: string, from: number): Promise<RecordChange[]> => {
  const all = await chartChanges(store, chart, undefined, mostOfChart);
  const distinct = new Map(all.filter(({ updated }) => updated >= from).map((change) => [positionOf(change), change]));
  return [...distinct].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
};

/** Tries: a version that moves to its history between two reads of one call is missed by both, and there by the next call. */
const mostLooks = 3;

const nameOf = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;

/**
 * What the stream told, or will tell, of these versions, in their order: the row of each, and of the version before it. Seals that a record got later lie over all of them. What of
 * a chart was purged meanwhile is left out. Up to three rows a version, a hundred a call.
 *
 * @throws Error if a version is not there whose chart was not purged.
 */
export const rowChangesOf = async (store: RecordStore, changes: readonly RecordChange[]): Promise<RowChange[]> => {
  const found = new Map<RecordChange, RowChange>();
  let missing = [...changes];
  for (let look = 0; look < mostLooks && missing.length > 0; look++) {
    if (look > 0) await pause(Math.random() * 50);
    const rows = (await store.getMany(missing.flatMap(keysOf))) as RecordRow[];
    const read = new Map(rows.map((row) => [nameOf(row), row]));
    const visible = await visibleOf(store, missing, read);
    for (const change of missing) {
      const key = recordKey(change);
      const now = visible.get(nameOf(key));
      const version = (wanted: number): RecordRow | undefined => {
        // A committed update that is not finished yet still has its last version in the record's own row.
        const all = [now, read.get(nameOf(historyKey(change, wanted))), read.get(nameOf(key))];
        const row = all.find((each) => each?.version === wanted);
        return row && now && asOwnRow(row, now, key);
      };
      const after = version(change.version);
      const before = change.version > 1 ? version(change.version - 1) : undefined;
      if (after && (before || change.version === 1)) found.set(change, { before, after });
    }
    missing = missing.filter((change) => !found.has(change));
  }
  const purged = await purgedAmong(store, new Set(missing.map(({ chart }) => chart)));
  if (missing.some(({ chart }) => !purged.has(chart))) throw new Error('A version of a record is not there');
  return changes.flatMap((change) => found.get(change) ?? []);
};

const keysOf = (change: RecordChange): RowKey[] => [
  recordKey(change),
  historyKey(change, change.version),
  ...(change.version > 1 ? [historyKey(change, change.version - 1)] : []),
];

const visibleOf = async (
  { client, tableName }: RecordStore,
  changes: readonly RecordChange[],
  read: ReadonlyMap<string, RecordRow>,
): Promise<ReadonlyMap<string, RecordRow>> => {
  const own = [...new Set(changes.map((change) => nameOf(recordKey(change))))].flatMap((name) => read.get(name) ?? []);
  return new Map((await visibleRows(client, tableName, own)).map((row) => [nameOf(row), row]));
};

/** A version as the record's own row had it, under the seals that the record has now. */
const asOwnRow = ({ tx: _tx, intent: _intent, ...row }: RecordRow, now: RecordRow, key: RowKey): RecordRow => ({
  ...sealedLike(row, now),
  ...key,
});
