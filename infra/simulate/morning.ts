import type { CountedUnits } from '../cost/counted-units.ts';
import { Random } from '../demo/random.ts';
import { engine, type World } from './assumptions.ts';
import { type HotKey, hotKeysOf } from './keys.ts';
import { limits, newTable, partition } from './limits.ts';
import { type Load, loadOf, partitionsOf, unitsOfRequest } from './load.ts';

/** Seconds of the morning that is simulated: from seven to eleven. */
export const morning = { from: 7 * 3_600, to: 11 * 3_600 } as const;

/** What became of one limit in a morning. */
export interface Outcome {
  readonly name: string;
  readonly limit: number;
  /** The most that a second asked. */
  readonly peak: number;
  /** Seconds that asked for more. */
  readonly secondsAbove: number;
  /** All that was asked for beyond it. */
  readonly beyond: number;
}

/** What became of the hottest key of a kind. */
export interface KeyOutcome extends HotKey {
  /** The most of a second, as a share of what a partition serves. */
  readonly peakShare: number;
  readonly secondsAbove: number;
}

export interface Morning {
  readonly partitions: number;
  /** Of the second that asked for the most requests. */
  readonly peak: Load;
  readonly meanRequests: number;
  readonly outcomes: readonly Outcome[];
  readonly keys: readonly KeyOutcome[];
  /** The first morning of a new table: units that it refused while it grew, and the time of day at which it refused the last ones. */
  readonly firstMorning: { readonly refused: number; readonly until: number | undefined };
}

/** Requests a second in the mean of the busiest hour. */
export const busiestSecond = ({
  patients,
  visitsAYear,
  workingDaysAYear,
  busiestHour,
  requestsOfVisit,
}: World): number => (((patients * visitsAYear) / workingDaysAYear) * busiestHour * requestsOfVisit) / 3_600;

/** Up to which hour of the day, and how much of what a day asks at most. */
const dayShares: readonly (readonly [to: number, share: number])[] = [
  [7, 0],
  [10, 1],
  [12, 0.9],
  [13, 0.6],
  [17, 0.8],
  [18, 0.4],
];

/** Requests a second in the mean of a year. */
export const meanOfYear = (world: World): number => {
  const minutes = Array.from({ length: 24 * 60 }, (_, minute) => shareOfDay(minute * 60, world));
  const ofWorkingDay = minutes.reduce((sum, each) => sum + each, 0) / minutes.length;
  const working = world.workingDaysAYear / 365;
  return busiestSecond(world) * (working * ofWorkingDay + (1 - working) * world.aroundTheClock);
};

/** How much of the busiest hour's mean a second of the day asks: rising from seven, a rush at nine, then nearly level. */
export const shareOfDay = (second: number, { rush, aroundTheClock }: World): number => {
  const hour = second / 3_600;
  const [, dayShare = 0] =
    hour >= 7 && hour < 9 ? [9, 0.25 + ((hour - 7) / 2) * 0.6] : (dayShares.find(([to]) => hour < to) ?? []);
  // A tenth of an hour at nine asks for more: everybody begins at once.
  const rushing = hour >= 9 && hour < 9.1 ? rush : 1;
  return aroundTheClock + (1 - aroundTheClock) * dayShare * rushing;
};

/** Share of the largest organisation. */
export const largestShare = ({ organizations, inequality }: World): number => {
  let sum = 0;
  for (let rank = 1; rank <= organizations; rank += 1) sum += rank ** -inequality;
  return 1 / sum;
};

/** How many of something come in a second, where `mean` do in the mean: each comes by itself. */
export const arrivals = (random: Random, mean: number): number => {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random.between(0, 1))) * Math.cos(2 * Math.PI * random.between(0, 1));
    return Math.max(0, Math.round(mean + normal * Math.sqrt(mean)));
  }
  const least = Math.exp(-mean);
  let product = random.between(0, 1);
  let count = 0;
  while (product > least) {
    product *= random.between(0, 1);
    count += 1;
  }
  return count;
};

/**
 * A morning of a network, second by second: what each asks of the services, of the table and of its hottest keys, against what is published of them. The same seed gives the same morning.
 *
 * @param counted - what each request of the mix takes, by its name.
 * @param throttle - requests a second that the stage lets through.
 */
export const simulateMorning = (
  world: World,
  counted: ReadonlyMap<string, CountedUnits>,
  throttle: number,
  seed = 1,
): Morning => {
  const random = new Random(seed);
  const units = unitsOfRequest(counted);
  const busiest = busiestSecond(world);
  const share = largestShare(world);
  const outcomes = new Map<string, { limit: number; peak: number; secondsAbove: number; beyond: number }>();
  const meet = (name: string, limit: number, asked: number) => {
    const met = outcomes.get(name) ?? { limit, peak: 0, secondsAbove: 0, beyond: 0 };
    met.peak = Math.max(met.peak, asked);
    if (asked > limit) {
      met.secondsAbove += 1;
      met.beyond += asked - limit;
    }
    outcomes.set(name, met);
  };
  const keys = new Map<string, KeyOutcome>();
  const table = new GrowingTable();
  let refused = 0;
  let until: number | undefined;
  let all = 0;
  let peak: Load | undefined;
  for (let second = morning.from; second < morning.to; second += 1) {
    const mean = busiest * shareOfDay(second, world);
    const largest = arrivals(random, mean * share);
    const requests = { all: largest + arrivals(random, mean * (1 - share)), largest };
    const load = loadOf(world, units, requests);
    all += requests.all;
    if (!peak || load.requests > peak.requests) peak = load;
    meet('stage', throttle, load.requests);
    meet('gateway', limits.gateway.limit, load.requests);
    meet('executions', limits.executions.limit, load.executions);
    meet('unreserved', limits.unreserved.limit, load.unreserved);
    meet('invocations', limits.invocations.limit, load.invocations);
    meet('tableWrites', limits.tableWrites.limit, load.writeUnits);
    meet('tableReads', limits.tableReads.limit, load.readUnits);
    meet('filing', filedASecond(world), load.requests);
    meet('events', limits.events.limit, load.events);
    meet('keys', limits.keys.limit, load.keyRequests);
    const beginning = signInsOf(world, second);
    meet('signIns', limits.signIns.limit, arrivals(random, beginning * (1 - world.federated)));
    meet('federatedSignIns', limits.federatedSignIns.limit, arrivals(random, beginning * world.federated));
    meet('renewals', limits.renewals.limit, arrivals(random, second < 9 * 3_600 ? 0 : world.staffBeginning / 3_600));
    for (const key of hotKeysOf(load)) {
      const known = keys.get(key.key);
      const asked = key.writes / partition.writeUnits + key.reads / partition.readUnits;
      const secondsAbove = (known?.secondsAbove ?? 0) + (asked > 1 ? 1 : 0);
      const hotter = !known || asked > known.peakShare;
      keys.set(key.key, { ...(hotter ? key : known), peakShare: Math.max(asked, known?.peakShare ?? 0), secondsAbove });
    }
    const short = table.serve(load);
    refused += short;
    if (short > 0) until = second;
  }
  if (!peak) throw new Error('A morning has seconds');
  return {
    partitions: partitionsOf(world),
    peak,
    meanRequests: all / (morning.to - morning.from),
    outcomes: [...outcomes].map(([name, met]) => ({ name, ...met })),
    keys: [...keys.values()].sort((a, b) => b.peakShare - a.peakShare),
    firstMorning: { refused, until },
  };
};

/** Rows of the access log that its consumer files in a second, all shards together. */
export const filedASecond = (world: World): number => (partitionsOf(world) * engine.filedAtOnce) / engine.secondsOfCall;

/** People who begin in a second: most of them in the three quarters of an hour around nine. */
const signInsOf = ({ staffBeginning }: World, second: number): number => {
  const from = 8.5 * 3_600;
  const to = 9.25 * 3_600;
  return second >= from && second < to ? staffBeginning / (to - from) : 0;
};

/** A table that was made yesterday: it serves what a new one does, and from half an hour after a peak on twice that peak. */
class GrowingTable {
  readonly #served: { readonly writes: number; readonly reads: number }[] = [];
  #peak = { writes: 0, reads: 0 };

  /** Serves a second. Answers the units that were refused. */
  serve({ writeUnits, readUnits }: Pick<Load, 'writeUnits' | 'readUnits'>): number {
    const old = this.#served[this.#served.length - newTable.growsAfterSeconds];
    if (old)
      this.#peak = { writes: Math.max(this.#peak.writes, old.writes), reads: Math.max(this.#peak.reads, old.reads) };
    const capacity = {
      writes: Math.max(newTable.writeUnits, newTable.growth * this.#peak.writes),
      reads: Math.max(newTable.readUnits, newTable.growth * this.#peak.reads),
    };
    const served = { writes: Math.min(writeUnits, capacity.writes), reads: Math.min(readUnits, capacity.reads) };
    this.#served.push(served);
    return writeUnits - served.writes + (readUnits - served.reads);
  }
}
