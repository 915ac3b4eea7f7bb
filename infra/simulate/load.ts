import { assumed, mix } from '../cost/assumptions.ts';
import type { CountedUnits } from '../cost/counted-units.ts';
import { changesOfRequest, engine, type World } from './assumptions.ts';

/** What one second asks of everything. */
export interface Load {
  readonly requests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly executions: number;
  /** Of functions for which the stage reserves none: consumers, and what few ask for. */
  readonly unreserved: number;
  readonly invocations: number;
  readonly events: number;
  readonly keyRequests: number;
  /** Of each consumer of the stream, all shards together. */
  readonly invocationsOfConsumer: number;
  /** Organisations that are to be told of something. */
  readonly directoryChecks: number;
  readonly readsOfListeners: number;
  readonly readsOfDenied: number;
  readonly largest: {
    readonly requests: number;
    readonly changes: number;
    /** Rows of its sequence. */
    readonly tellings: number;
    readonly appointments: number;
    readonly names: number;
    readonly newPatients: number;
  };
  readonly hottestChart: { readonly reads: number; readonly writes: number; readonly log: number };
}

/** Partitions of the table, by its size: each is a shard of the stream. */
export const partitionsOf = ({ patients, recordsOfChart }: World): number =>
  Math.max(4, Math.ceil((patients * recordsOfChart * engine.bytesOfRecord) / engine.bytesOfPartition));

/** Rows of one sequence that can follow one another in a second. */
export const tellingsOfSecond = 1 / (engine.callsOfTelling * engine.secondsOfCall);

const mean = (counted: ReadonlyMap<string, CountedUnits>, figure: (units: CountedUnits) => number): number =>
  mix.reduce((sum, { request, share }) => {
    const units = counted.get(request);
    if (!units) throw new Error(`Nobody has counted "${request}"`);
    return sum + share * figure(units);
  }, 0);

/** What a mean request takes, of figures that were counted. */
export const unitsOfRequest = (counted: ReadonlyMap<string, CountedUnits>) => ({
  writes: mean(counted, ({ writeUnits, writeUnitsBehind }) => writeUnits + writeUnitsBehind),
  writesInRequest: mean(counted, ({ writeUnits }) => writeUnits),
  reads: mean(counted, ({ readUnits }) => readUnits),
  functionSeconds: mix.reduce((sum, { share, functionMs }) => sum + (share * functionMs) / 1_000, 0),
});

/**
 * What one second asks.
 *
 * @param requests - all that come in it, and those to the largest organisation.
 */
export const loadOf = (
  world: World,
  units: ReturnType<typeof unitsOfRequest>,
  requests: { readonly all: number; readonly largest: number },
): Load => {
  const shards = partitionsOf(world);
  const changes = requests.largest * changesOfRequest;
  // Each request leaves a row of the log, and each change rows of records: all shards have something, as often as they are asked.
  const invocationsOfConsumer = Math.min(requests.all * (1 + changesOfRequest), shards * engine.pollsOfShard);
  const executions = requests.all * units.functionSeconds;
  // Of a shard and a consumer one at a time, each for as long as it works.
  const consuming = engine.consumers * Math.min(shards, (invocationsOfConsumer * assumed.consumerMs) / 1_000);
  const namesShare = mix.find(({ request }) => request === 'patient by name')?.share ?? 0;
  const smallRead = (rows: number) => Math.max(1, Math.ceil((rows * engine.bytesOfSmallRow) / 4_096));
  // Processes of all functions: those at work, and as many that rest.
  const processes = 2 * executions;
  return {
    requests: requests.all,
    writeUnits: requests.all * units.writes,
    readUnits: requests.all * units.reads,
    executions: executions + consuming,
    unreserved: executions * (1 - engine.reservedShare) + consuming,
    invocations: requests.all + engine.consumers * invocationsOfConsumer,
    events: requests.all * changesOfRequest * 1.2,
    keyRequests: requests.all * changesOfRequest * 1.2 * 2 + (processes * 2) / 300,
    invocationsOfConsumer,
    directoryChecks: processes / engine.secondsOfTrust,
    readsOfListeners: world.openings * smallRead(world.listeners),
    readsOfDenied: (processes / engine.secondsBetweenLooksAtDenied) * smallRead(world.denied),
    largest: {
      requests: requests.largest,
      changes,
      tellings: Math.min(changes, invocationsOfConsumer, tellingsOfSecond),
      appointments: changes * world.appointmentsOfChanges,
      names: requests.largest * namesShare * world.commonestName,
      newPatients:
        ((world.patients * world.newPatients) / world.workingDaysAYear / 8 / 3_600) *
        (requests.largest / Math.max(1, requests.all)),
    },
    hottestChart: {
      reads: world.hottestChart * units.reads,
      writes: world.hottestChart * (units.writesInRequest - 1), // all but the row of the log
      log: world.hottestChart,
    },
  };
};
