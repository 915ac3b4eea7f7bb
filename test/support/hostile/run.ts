import type { Concord } from '../../../infra/local/concord.ts';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import { Random } from '../naive-search/random.ts';
import { bodyMutations } from './mutate-body.ts';
import { envelopeMutations } from './mutate-envelope.ts';
import { parameterMutations } from './mutate-parameters.ts';
import type { Mutated } from './mutation.ts';
import { targetOf, type WireAnswer, wire } from './request.ts';
import { type ValidRequest, validRequests } from './valid-requests.ts';
import { faultsOf } from './verdict.ts';
import { type HostileWorld, hostileWorld } from './world.ts';

const lanes = 4;

/** What came of a run. */
export interface HostileRun {
  readonly sent: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What is wrong, with the request that it is wrong of; empty if all is as it should be. */
  readonly faults: readonly string[];
  /** Valid requests that were refused before anything was broken in them. */
  readonly refusedAsTheyAre: readonly string[];
  /** Versions that the bus tells of and that no answer acknowledged. */
  readonly storedThoughRefused: readonly string[];
  /** Answers by what was broken, and how many of them were refusals. */
  readonly byMutation: ReadonlyMap<string, { readonly sent: number; readonly refused: number }>;
  readonly slowest: { readonly ms: number; readonly what: string };
}

const kinds = [
  parameterMutations,
  parameterMutations,
  parameterMutations,
  envelopeMutations,
  envelopeMutations,
  bodyMutations,
  bodyMutations,
];

/**
 * Breaks valid requests in ways that a seed decides, sends them to the whole stack and judges each answer.
 *
 * @param requests - how many.
 */
export const runHostile = async (concord: Concord, seed: number, requests: number): Promise<HostileRun> => {
  const random = new Random(seed);
  await concord.settled();
  const before = concord.events().at(-1)?.position;
  const world = await hostileWorld(concord);
  const valid = validRequests(world);
  const { send, close } = wire(concord.url);
  const acknowledged = new Set(world.written);
  const statuses = new Map<number, number>();
  const byMutation = new Map<string, { sent: number; refused: number }>();
  const faults: string[] = [];
  const refusedAsTheyAre: string[] = [];
  let slowest = { ms: 0, what: '' };
  const ask = async (mutated: Mutated): Promise<WireAnswer> => {
    const started = performance.now();
    const answer = await send(mutated.request).catch(() => noAnswer);
    const ms = performance.now() - started;
    if (ms > slowest.ms) slowest = { ms, what: mutated.what };
    if (answer.status >= 200 && answer.status < 300)
      for (const version of writtenBy(mutated.request, answer)) acknowledged.add(version);
    return answer;
  };
  for (const request of valid) {
    const { status, text } = await ask({ request, what: 'as it is', places: [] });
    if (status < 200 || status >= 400)
      refusedAsTheyAre.push(`${request.method} ${targetOf(request)}: ${status} ${text.slice(0, 500)}`);
  }
  const broken = Array.from({ length: requests }, () => mutate(valid, random, world));
  await inParallel(lanes, broken, async (mutated) => {
    const { request, what } = mutated;
    const answer = await ask(mutated);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const kind = byMutation.get(what) ?? { sent: 0, refused: 0 };
    byMutation.set(what, { sent: kind.sent + 1, refused: kind.refused + Number(answer.status >= 400) });
    for (const fault of faultsOf(mutated, answer))
      faults.push(`${request.method} ${targetOf(request).slice(0, 200)} with ${what}: ${fault}`);
  });
  close();
  await concord.settled();
  const storedThoughRefused = concord
    .events(before)
    .map(({ event }) => event.detail as { recordType: string; recordId: string; version: number; change: string })
    // The answer to a deletion by condition does not name what is gone.
    .filter(({ recordType, change }) => change !== 'deleted' || !acknowledged.has(`${recordType} deleted`))
    .map(
      ({ recordType, recordId, version, change }) =>
        `${recordType}/${recordId} ${change === 'deleted' ? 'deleted' : version}`,
    )
    .filter((version) => !acknowledged.has(version));
  return { sent: requests, statuses, faults, refusedAsTheyAre, storedThoughRefused, byMutation, slowest };
};

/** What a connection that broke comes to. */
const noAnswer: WireAnswer = { status: 0, headers: {}, text: '' };

/** One way of breaking, on a request that has what it breaks. */
const mutate = (valid: readonly ValidRequest[], random: Random, world: HostileWorld): Mutated => {
  const mutation = random.of(random.of(kinds));
  for (;;) {
    const mutated = mutation(random.of(valid), random, world);
    if (mutated) return mutated;
  }
};

/** `Type/id`, or the type alone where a condition names the rest. */
const namedBy = (path: string) =>
  path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');

/** `Type/id version` of all that an answer says was written. */
const writtenBy = ({ method, path }: ValidRequest, { headers, text }: WireAnswer): string[] => {
  if (method === 'GET' || method === 'HEAD') return [];
  if (method === 'DELETE') return [`${namedBy(path)} deleted`];
  const locations = [headers.location, ...[...text.matchAll(/"location":"([^"]+)"/g)].map(([, location]) => location)];
  return locations.flatMap((location) => {
    const [, reference, version] = /([A-Z]\w+\/[^/]+)\/_history\/(\d+)$/.exec(location ?? '') ?? [];
    return reference === undefined ? [] : [`${reference} ${version}`];
  });
};
