import { inParallel } from '../in-parallel.ts';
import type { RecordStore } from '../record-store.ts';
import { rowsBetween } from '../rows-between.ts';
import type { RecordChange } from './change.ts';
import { changesOf, type FeedRow, feedPartitionOf, lastRowBefore, positionOf, timeText } from './feed-rows.ts';

/** Partitions that are read beside one another. */
const partitionsAtOnce = 8;

/**
 * Those of some changes that no feed tells of, in their order. Reads the feeds from the oldest to the newest of them: a Query for each partition, and for each megabyte more, some
 * 70,000 changes.
 */
export const lackingIn = async (
  store: RecordStore,
  changes: readonly RecordChange[],
): Promise<readonly RecordChange[]> => {
  const partitions = [...Map.groupBy(changes, feedPartitionOf)];
  const lacking = await inParallel(partitionsAtOnce, partitions, ([partition, wanted]) =>
    lackingInPartition(store, partition, wanted),
  );
  const all = new Set(lacking.flat());
  return changes.filter((change) => all.has(change));
};

const lackingInPartition = async (
  store: RecordStore,
  pk: string,
  wanted: readonly RecordChange[],
): Promise<readonly RecordChange[]> => {
  const lacking = new Map(wanted.map((change) => [positionOf(change), change]));
  const times = wanted.map(({ updated }) => updated).toSorted((a, b) => a - b);
  const [from, to] = [timeText(times.at(0) ?? 0), lastRowBefore(timeText(times.at(-1) ?? 0))];
  let after: string | undefined;
  do {
    const page = await rowsBetween(store, { pk, from, to, after });
    for (const row of page.rows as FeedRow[]) for (const change of changesOf(row)) lacking.delete(positionOf(change));
    after = page.next;
  } while (after !== undefined && lacking.size > 0);
  return [...lacking.values()];
};
