import { RecordError } from '../errors.ts';
import { log } from '../log.ts';
import { failureOf } from '../store/failure.ts';
import { parkChart, parkedCharts, passOver } from '../store/feed/parked-charts.ts';
import { WrittenByNewerRelease } from '../store/layouts.ts';
import { ObjectStoreError } from '../store/object-store.ts';
import type { Table } from '../store/write-rows.ts';

/** Where a change belongs. */
export interface OfChart {
  readonly chart: string;
  /** When the version was written, or at the latest was, where it does not tell; in milliseconds since 1970. */
  readonly written: number;
}

/** That a service does not do what it is asked, whatever that is. */
export class ServiceAway extends Error {
  override readonly name = 'ServiceAway';
}

/**
 * Publishes changes, those of parked charts excepted. Where it cannot be done, it is done for half of the charts at a time, until what fails is one chart: that one is
 * parked, and the others are published. One Query more than publishing takes, while nothing is parked.
 *
 * @param changes - in the order of the stream.
 * @param publish - for some of them, all of a chart together, in their order. Doing it again does no harm.
 * @throws whatever says that a service is away: then it is to be done again.
 */
export const publishOrPark = async <Change extends OfChart>(
  table: Table,
  changes: readonly Change[],
  publish: (changes: readonly Change[]) => Promise<void>,
  now = Date.now(),
): Promise<void> => {
  if (changes.length === 0) return;
  const passed = await passParkedOver(table, changes);
  await publishApart(
    table,
    changes.filter(({ chart }) => !passed.has(chart)),
    publish,
    now,
  );
};

/** Of which of these charts nothing is to be published now. */
const passParkedOver = async (table: Table, changes: readonly OfChart[]): Promise<ReadonlySet<string>> => {
  const parked = await parkedCharts(table);
  const passed = new Set<string>();
  for (const chart of new Set(changes.map((change) => change.chart)))
    if (parked.has(chart) && (await passOver(table, chart, oldest(changes, chart)))) passed.add(chart);
  return passed;
};

const oldest = (changes: readonly OfChart[], chart: string): number =>
  changes.reduce(
    (least, each) => (each.chart === chart ? Math.min(least, each.written) : least),
    Number.MAX_SAFE_INTEGER,
  );

const publishApart = async <Change extends OfChart>(
  table: Table,
  changes: readonly Change[],
  publish: (changes: readonly Change[]) => Promise<void>,
  now: number,
): Promise<void> => {
  if (changes.length === 0) return;
  try {
    await publish(changes);
  } catch (error) {
    if (isAway(error)) throw error;
    const charts = [...new Set(changes.map(({ chart }) => chart))];
    const [chart = ''] = charts;
    if (charts.length === 1) {
      log.fault('a chart is parked: its changes cannot be published', error);
      log.count('ChangesUnpublished');
      await parkChart(table, { chart, reason: reasonOf(error), written: oldest(changes, chart), now });
      return;
    }
    const half = new Set(charts.slice(0, charts.length / 2));
    for (const of of [true, false])
      await publishApart(
        table,
        changes.filter((change) => half.has(change.chart) === of),
        publish,
        now,
      );
  }
};

const reasonOf = (error: unknown) => (error instanceof WrittenByNewerRelease ? 'newer-release' : 'unreadable');

const awayErrors: ReadonlySet<string> = new Set(['ServiceAway', 'CredentialsProviderError', 'AbortError']);
const awayKinds: ReadonlySet<string> = new Set(['throttled', 'unavailable', 'conflict', 'incomplete']);

/**
 * Whether an error is of a service, and would come whatever was to be published: while a service is away, everything waits in the stream. What a service finds wrong in what it is given, and
 * an object that is not there, is of the change.
 */
export const isAway = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if (error instanceof RecordError) return awayKinds.has(error.kind);
  if (error instanceof ObjectStoreError) return error.name !== 'ObjectStoreNoSuchKey';
  if (awayErrors.has(error.name) || failureOf(error) !== 'fault') return true;
  return '$metadata' in error && error.name !== 'ValidationException';
};
