import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bareClient, bareItem } from './bare-call.ts';
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

/** Latency in milliseconds and requests a second at one concurrency. */
export interface Times {
  readonly name: string;
  readonly concurrency: number;
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
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
const drive = async (name: string, lanes: readonly (() => Promise<unknown>)[]): Promise<Times> => {
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
  return { name, concurrency: lanes.length, p50: at(0.5), p99: at(0.99), perSecond: taken.length / seconds };
};

/**
 * Measures requests, and beside them the emulator's own ceiling: bare GetItem and PutItem. Client, handlers and emulator share this machine.
 *
 * @param latencyMs - delays every call to DynamoDB by this much.
 */
export const times = async (world: World, latencyMs: number | undefined): Promise<Times[]> => {
  const client = await bareClient(world.server);
  const { get, put } = bareItem(client, world.server.store.tableName);
  if (latencyMs !== undefined) for (const each of [client, world.server.store.client]) delayCalls(each, latencyMs);
  await put();
  const results: Times[] = [];
  for (const concurrency of concurrencies) {
    const lanes = Array.from({ length: concurrency });
    for (const scenario of measured) {
      const prepared = await Promise.all(lanes.map(() => scenario.prepare(world)));
      const sends = prepared.map((send) => async () => requireStatus(await send(), scenario.status));
      results.push(await drive(scenario.name, sends));
    }
    results.push(
      await drive(
        '(bare GetItem)',
        lanes.map(() => get),
      ),
    );

    results.push(
      await drive(
        '(bare PutItem)',
        lanes.map(() => put),
      ),
    );
  }
  client.destroy();
  return results;
};
