import { log } from '../log.ts';
import type { RowChange } from '../store/feed/change.ts';
import { positionOf } from '../store/feed/feed-rows.ts';
import { noteTried, type ParkedChart, parkedChart, parkedCharts, unparkChart } from '../store/feed/parked-charts.ts';
import { chartChangesFrom, rowChangesOf } from '../store/feed/version-rows.ts';
import type { RecordStore } from '../store/record-store.ts';
import { isAway } from './parking.ts';

/** Publishes what rows became, as the stream tells it, in this order. */
export type PublishRows = (rows: readonly RowChange[]) => Promise<void>;

/** Versions that are read and published together. */
const versionsAtOnce = 100;

/** Looks at one chart: while it is published something of it may be passed over, and is published then. */
const mostRounds = 5;

/** What became of parked charts. */
export interface Retried {
  /** Charts all of which is published now. */
  readonly unparked: number;
  /** Charts that are still parked. */
  readonly left: number;
}

/**
 * Publishes parked charts from the charts themselves: all versions since it was parked, in their order. What was published before it was parked, and comes again, has the id it had. One that still cannot be
 * published stays parked, and comes last the next time.
 *
 * @param proceed - whether there is time for one more.
 * @throws whatever says that a service is away.
 */
export const retryParked = async (
  store: RecordStore,
  publish: PublishRows,
  { now, proceed }: { readonly now: number; readonly proceed: () => boolean },
): Promise<Retried> => {
  const parked = [...(await parkedCharts(store)).values()].toSorted((a, b) => a.tried - b.tried || a.since - b.since);
  let unparked = 0;
  for (const chart of parked) {
    if (!proceed()) break;
    try {
      if (await publishParked(store, publish, chart)) unparked++;
    } catch (error) {
      if (isAway(error)) throw error;
      log.fault('a parked chart cannot be published yet', error);
      await noteTried(store, chart.chart, now);
    }
  }
  const left = parked.length - unparked;
  if (left > 0) log.count('ChangesUnpublished', left);
  return { unparked, left };
};

/** @returns whether the chart is parked no more. */
const publishParked = async (store: RecordStore, publish: PublishRows, first: ParkedChart): Promise<boolean> => {
  const published = new Set<string>();
  let parked: ParkedChart | undefined = first;
  for (let round = 0; parked && round < mostRounds; round++) {
    const all = await chartChangesFrom(store, parked.chart, parked.from);
    const changes = all.filter((change) => !published.has(positionOf(change)));
    for (let at = 0; at < changes.length; at += versionsAtOnce) {
      const some = changes.slice(at, at + versionsAtOnce);
      await publish(await rowChangesOf(store, some));
      for (const change of some) published.add(positionOf(change));
    }
    if (await unparkChart(store, parked)) return true;
    parked = await parkedChart(store, parked.chart);
  }
  return parked === undefined;
};
