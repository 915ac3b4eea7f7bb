import { bareCallOf, bareClient, bareItem } from './bare-call.ts';
import { median } from './median.ts';
import {
  byIdentifier,
  create,
  newestOfMany,
  read,
  type Scenario,
  smallTransaction,
  update,
  vread,
  type World,
} from './scenarios.ts';

/** CPU time of this process for one request, and what it is a multiple of. */
export interface CpuRatio {
  readonly scenario: string;
  readonly milliseconds: number;
  /** As a multiple of the request's own main call, sent bare. */
  readonly toSameCall: number;
  /** As a multiple of one bare GetItem. */
  readonly toGetItem: number;
}

/** Blocks of each kind take turns, so that whatever else the machine does falls on all of them. */
const rounds = 80;
const sendsABlock = 8;
const warmUp = 300;

const measured: readonly Scenario[] = [read, vread, create, update, newestOfMany, byIdentifier, smallTransaction];

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Of blocks that followed one another, so that what else the machine did then falls on both. */
const medianRatio = (own: readonly number[], other: readonly number[]): number =>
  median(own.map((each, round) => each / (other[round] ?? Number.NaN)));

const block = async (send: () => Promise<unknown>, times: number): Promise<number> => {
  const before = cpuMs();
  for (let n = 0; n < times; n++) await send();
  return (cpuMs() - before) / times;
};

/** Measures the handlers against bare calls, side by side in this process. The emulator's CPU time is its own process's. */
export const cpuRatios = async (world: World): Promise<CpuRatio[]> => {
  const client = await bareClient(world.server);
  const { get, put } = bareItem(client, world.server.store.tableName);
  await put();
  const ratios: CpuRatio[] = [];
  for (const scenario of measured) {
    const once = await scenario.prepare(world);
    const same = await bareCallOf(world.server, client, once);
    // What can be sent but once is prepared before each block, outside of the measured time.
    const sends = async (times: number) =>
      scenario.repeatable ? undefined : Promise.all(Array.from({ length: times }, () => scenario.prepare(world)));
    const own: number[] = [];
    const bare: number[] = [];
    const item: number[] = [];
    for (const send of scenario.repeatable ? [same, get, once] : [same, get]) await block(send, warmUp);
    for (let round = 0; round < rounds; round++) {
      const prepared = await sends(sendsABlock);
      own.push(await block(() => (prepared?.pop() ?? once)(), sendsABlock));
      bare.push(await block(same, sendsABlock));
      item.push(await block(get, sendsABlock));
    }
    const milliseconds = median(own);
    ratios.push({
      scenario: scenario.name,
      milliseconds,
      toSameCall: medianRatio(own, bare),
      toGetItem: medianRatio(own, item),
    });
  }
  client.destroy();
  return ratios;
};
