import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type BareCall, bareCallOf, bareClient } from './bare-call.ts';
import {
  byIdentifier,
  create,
  newestOfMany,
  read,
  requireStatus,
  type Scenario,
  update,
  type World,
} from './scenarios.ts';

/** Latency in milliseconds and requests a second. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** Requests of one kind at one concurrency, and beside them the emulator's own ceiling: their main calls alone, sent bare. */
export interface TimedScenario {
  readonly name: string;
  readonly concurrency: number;
  readonly own: Times;
  readonly bare: Times;
}

const concurrencies = [1, 16, 64] as const;
const forMs = 1_500;
const warmUpMs = 300;

const measured: readonly Scenario[] = [read, create, update, newestOfMany, byIdentifier];

/** Delays each call of a client, as a network between two machines does. */
export const delayCalls = (client: DynamoDBDocumentClient, milliseconds: number): void => {
  client.middlewareStack.add(
    (next) => async (args) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return next(args);
    },
    { step: 'finalizeRequest', name: 'delayCalls' },
  );
};

/** Sends as fast as answers come, from several lanes, for a while. */
const drive = async (lanes: readonly (() => Promise<unknown>)[]): Promise<Times> => {
  const run = async (milliseconds: number) => {
    const taken: number[] = [];
    const end = performance.now() + milliseconds;
    await Promise.all(
      lanes.map(async (send) => {
        for (let start = performance.now(); start < end; start = performance.now()) {
          await send();
          taken.push(performance.now() - start);
        }
      }),
    );
    return taken.sort((a, b) => a - b);
  };
  await run(warmUpMs);
  const start = performance.now();
  const taken = await run(forMs);
  const seconds = (performance.now() - start) / 1_000;
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), perSecond: taken.length / seconds };
};

/**
 * Measures requests beside their bare calls. Client, handlers and emulator share this machine.
 *
 * @param latencyMs - delays every call to DynamoDB by this much.
 */
export const times = async (world: World, latencyMs: number | undefined): Promise<TimedScenario[]> => {
  const client = await bareClient(world.server);
  if (latencyMs !== undefined) for (const each of [client, world.server.store.client]) delayCalls(each, latencyMs);
  const results: TimedScenario[] = [];
  for (const concurrency of concurrencies) {
    for (const scenario of measured) {
      const lanes = Array.from({ length: concurrency });
      const prepared = await Promise.all(lanes.map(() => scenario.prepare(world)));
      const sends = prepared.map((send) => async () => requireStatus(await send(), scenario.status));
      // A transaction of its own rows for each lane: those of others would be refused while one is under way.
      const bare: BareCall[] = [];
      for (const send of prepared) bare.push(await bareCallOf(world.server, client, send));
      const own = await drive(sends);
      results.push({ name: scenario.name, concurrency, own, bare: await drive(bare) });
    }
  }
  client.destroy();
  return results;
};
