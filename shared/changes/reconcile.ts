import { entryOf, type StoredAuditRow } from '../audit/audit-row.ts';
import { dayOf, logsNotedAt, type NotePosition } from '../audit/chain/chained-logs.ts';
import { log } from '../log.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { closeGap, type Gap, progressOf } from '../store/feed/completeness.ts';
import { positionOf } from '../store/feed/feed-rows.ts';
import { lackingIn } from '../store/feed/lacking.ts';
import { parkedCharts } from '../store/feed/parked-charts.ts';
import { keepWalk, lastWalk, type ReconciliationWalk } from '../store/feed/reconciliation-walk.ts';
import { chartChangesFrom, rowChangesOf } from '../store/feed/version-rows.ts';
import { timeKey } from '../store/ids.ts';
import { inParallel } from '../store/in-parallel.ts';
import { auditPartition, type Row } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import { rowsBetween } from '../store/rows-between.ts';
import { isAway, publishOrPark } from './parking.ts';
import type { PublishRows } from './retry-parked.ts';

const hourMs = 3600_000;
const dayMs = 24 * hourMs;

/** So much of the past is compared each day: a chart that was touched on two days is looked at twice. */
const lookBackMs = 2 * dayMs;

/** Notes of which charts were touched are kept for so long. */
const notedForMs = 60 * dayMs;

/** The other consumer of the stream has noted by then which charts were touched: it is watched for being a quarter of an hour behind (infra/stacks/sharing.ts). */
const notedWithinMs = hourMs;

/** Charts that are compared together, notes that are read at once, and versions that are published together. */
const chartsAtOnce = 500;
const notesAtOnce = 50;
const chartsBesideOneAnother = 8;
const versionsAtOnce = 1_000;

/** How far a run goes. */
export interface ReconcileOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether there is time to compare some more charts. */
  readonly proceed: () => boolean;
  /** Charts that are compared together; 500 if absent. */
  readonly charts?: number;
}

/** What a run has done. */
export interface Reconciled {
  /** Charts that were compared with the feed. */
  readonly charts: number;
  /** Versions that the feed lacked, and that were published. */
  readonly republished: number;
  /** Gaps that were closed. */
  readonly closed: number;
  /** Charts that could not be compared: something is wrong with them. */
  readonly failed: number;
  /** Whether nothing is left to do today. */
  readonly ended: boolean;
}

/**
 * Compares charts with the feed once a day, those that were touched in the last two days, and for each gap in the feed those that were touched since: a version that no feed tells of is published, to all who may
 * know of it now. Which charts were touched, the chains of the access log have noted, since nothing is written without a trace; so it does not depend on the feed, nor on who publishes it. A run that is broken off is taken up by the
 * next one. What of a gap was written before its charts were compared is then in the feed, so the gap is closed.
 *
 * A Query or two a chart, and a Query for each partition of the feeds that tell of 500 charts.
 *
 * @throws whatever says that a service is away.
 */
export const reconcile = async (
  store: RecordStore,
  publish: PublishRows,
  { now, proceed, charts: atOnce = chartsAtOnce }: ReconcileOptions,
): Promise<Reconciled> => {
  let walk = await walkFor(store, now);
  const done = { charts: 0, republished: 0, closed: 0, failed: 0 };
  if (!walk) return { ...done, ended: true };
  while (walk.next && proceed()) {
    const { charts, next } = await touchedCharts(store, walk, walk.next, { atOnce, now });
    done.charts += charts.length;
    const { republished, failed } = await republish(store, publish, walk, charts, now);
    done.republished += republished;
    done.failed += failed;
    walk = { ...walk, next };
    await keepWalk(store, walk);
  }
  if (walk.next === undefined) {
    for (const gap of walk.gaps) await closeGap(store, gap);
    done.closed = walk.gaps.length;
  }
  if (done.republished > 0) log.count('ChangesRepublished', done.republished);
  return { ...done, ended: walk.next === undefined };
};

/** The walk that goes on, or begins now; undefined where today's has ended. */
const walkFor = async (store: RecordStore, now: number): Promise<ReconciliationWalk | undefined> => {
  const last = await lastWalk(store);
  if (last?.next) return last;
  const { streamed, gaps } = await progressOf(store);
  if (streamed === undefined) return undefined;
  const isClosable = ({ noted }: Gap) => noted <= streamed && noted <= now - notedWithinMs;
  const closable = gaps.filter(isClosable);
  if (last && dayOf(last.begun) === dayOf(now) && closable.length === 0) return undefined;
  const from = closable.reduce((least, gap) => Math.min(least, gap.from), now - lookBackMs);
  const since = Math.max(from, now - notedForMs);
  return { begun: now, from: since, to: streamed, gaps: closable, next: { day: dayOf(since), shard: 0 } };
};

/** Charts that the notes from a position on tell of, each once, and where to go on. */
const touchedCharts = async (
  store: RecordStore,
  walk: ReconciliationWalk,
  first: NotePosition,
  { atOnce, now }: { readonly atOnce: number; readonly now: number },
): Promise<{ readonly charts: readonly string[]; readonly next: NotePosition | undefined }> => {
  const charts = new Set<string>();
  const named: string[] = [];
  let next: NotePosition | undefined = first;
  while (next && charts.size + named.length < atOnce) {
    const page: Awaited<ReturnType<typeof logsNotedAt>> = await logsNotedAt(
      store,
      next,
      dayOf(now),
      Math.min(notesAtOnce, atOnce),
    );
    for (const name of page.logs) {
      if (store.ids.decode(name)) charts.add(name);
      else named.push(name);
    }
    next = page.next;
  }
  const others = await inParallel(chartsBesideOneAnother, [...new Set(named)], (name) =>
    chartsNamedIn(store, name, walk),
  );
  return { charts: [...new Set([...charts, ...others.flat()])], next };
};

/**
 * The log of a chart that a client named tells by its name of nothing, and neither does a user's; what was touched stands in its rows. What it names that has an id of ours has a log under that.
 */
const chartsNamedIn = async (store: RecordStore, name: string, { from }: ReconciliationWalk): Promise<string[]> => {
  const charts = new Set<string>();
  let after: string | undefined;
  do {
    const page = await rowsBetween(store, { pk: auditPartition(name), from: timeKey(from), to: '~', after });
    for (const row of page.rows as readonly (Row & StoredAuditRow)[]) {
      for (const reference of entryOf(row, store.ids).what) {
        const [, id = ''] = reference.split('/');
        if (!store.ids.decode(id)) charts.add(id);
      }
    }
    after = page.next;
  } while (after !== undefined);
  return [...charts];
};

/** @returns how many versions of these charts the feed lacked, and how many charts could not be compared. */
const republish = async (
  store: RecordStore,
  publish: PublishRows,
  walk: ReconciliationWalk,
  charts: readonly string[],
  now: number,
): Promise<Pick<Reconciled, 'republished' | 'failed'>> => {
  const parked = await parkedCharts(store);
  const compared = charts.filter((chart) => !parked.has(chart));
  const versions = await inParallel(chartsBesideOneAnother, compared, (chart) => versionsWithin(store, chart, walk));
  const known = versions.filter((each) => each !== undefined);
  const lacking = (await lackingIn(store, known.flat())).toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
  for (let at = 0; at < lacking.length; at += versionsAtOnce) {
    const some = lacking.slice(at, at + versionsAtOnce).map((change) => ({ ...change, written: change.updated }));
    await publishOrPark(store, some, async (wanted) => publish(await rowChangesOf(store, wanted)), now);
  }
  return { republished: lacking.length, failed: versions.length - known.length };
};

const versionsWithin = async (
  store: RecordStore,
  chart: string,
  { from, to }: ReconciliationWalk,
): Promise<readonly RecordChange[] | undefined> => {
  try {
    return (await chartChangesFrom(store, chart, from)).filter(({ updated }) => updated <= to);
  } catch (error) {
    if (isAway(error)) throw error;
    log.fault('a chart cannot be compared with the feed', error);
    return undefined;
  }
};
