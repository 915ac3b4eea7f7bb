import { RecordError } from '../errors.ts';
import type { Span } from '../scheduling/span.ts';
import { timeKey } from './ids.ts';
import { keyText, partitionFor } from './index-rows.ts';
import { type Address, network } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import type { RecordRow, StoredRecord } from './rows.ts';
import { rowsBetween } from './rows-between.ts';

const dayMs = 24 * 3_600_000;
/** Pages of a megabyte: some ten thousand Slots. */
const mostPages = 5;
/** Slots by which it is seen what a Schedule has Slots for. */
const mostLatest = 20;

/** Of a Schedule, the Slots of a range and the latest ones of all. */
export interface SlotsOfSchedule {
  readonly within: readonly StoredRecord[];
  readonly latest: readonly StoredRecord[];
}

/**
 * Slots of a Schedule that begin in a range, or up to a day before it, and the latest that there are. Two calls beside one another, and more where there are many of them, or large ones.
 *
 * @param schedule - `Schedule/id`.
 * @throws RecordError `too-costly`.
 */
export const slotsOf = async (store: RecordStore, schedule: string, { from, to }: Span): Promise<SlotsOfSchedule> => {
  const pk = partitionFor(store, network, 'Slot', 'schedule', 'reference', keyText(schedule));
  const inRange = async (): Promise<StoredRecord[]> => {
    const found: StoredRecord[] = [];
    let after: string | undefined;
    for (let page = 0; page === 0 || after !== undefined; page++) {
      if (page === mostPages)
        throw new RecordError('too-costly', 'There are too many Slots in this time', { expression: 'end' });
      const read = await rowsBetween(store, { pk, from: timeKey(from - dayMs), to: `${timeKey(to)}~`, after });
      found.push(...(await recordsOf(store, read.rows)));
      after = read.next;
    }
    return found;
  };
  const all = { pk, from: ' ', to: '~', newestFirst: true, limit: mostLatest };
  const [within, latest] = await Promise.all([
    inRange(),
    rowsBetween(store, all).then(({ rows }) => recordsOf(store, rows)),
  ]);
  return { within, latest };
};

/** A row that does not bear its record leads to it. */
const recordsOf = async (store: RecordStore, rows: readonly object[]): Promise<StoredRecord[]> => {
  const located = (rows as (RecordRow & Pick<Address, 'chart' | 'place'>)[]).map((row) => ({
    row,
    at: { type: 'Slot', chart: row.chart, place: row.place },
  }));
  const bare = located.filter(({ row }) => row.version === undefined);
  return [
    ...located.filter(({ row }) => row.version !== undefined).map(({ row, at }) => store.recordOf(row, at)),
    ...(await store.readMany(bare.map(({ at }) => at))),
  ];
};
