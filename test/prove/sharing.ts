import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../infra/demo/random.ts';
import { freePort } from '../../infra/local/free-port.ts';
import { inParallel } from '../../shared/store/in-parallel.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { until } from '../support/kills/until.ts';
import { judged, missingIn, witnessesOf } from '../support/sharing/judge.ts';
import { KilledNetwork } from '../support/sharing/killed-network.ts';

/** Kills of the server, and with it of publisher and deliverer. */
const kills = 10;
/** People whose charts are written to. Each fifth has two, so these are 201 charts. */
const people = 167;
const organizations = ['northside', 'lakeside'];
/** What the two subscribers want to know of. */
const wishes = [
  { organization: 'northside', type: 'Observation', by: 'criteria', content: 'id-only', maxCount: 20 },
  { organization: 'northside', type: 'Consent', by: 'topic', content: 'id-only', maxCount: 1 },
  { organization: 'northside', type: 'Patient', by: 'topic', content: 'full-resource', maxCount: 10 },
  { organization: 'lakeside', type: 'Observation', by: 'topic', content: 'full-resource', maxCount: 20 },
  { organization: 'lakeside', type: 'Condition', by: 'criteria', content: 'id-only', maxCount: 10 },
  { organization: 'lakeside', type: 'Patient', by: 'topic', content: 'id-only', maxCount: 1 },
  { organization: 'lakeside', type: 'Location', by: 'topic', content: 'id-only', maxCount: 10 },
] as const;
/** The subscriber that is down half the time: after so many changes it goes, and after as many it is back. */
const failing = 'lakeside';
const turnsAfter = 150;
/** Requests under way at once. */
const lanes = 6;
/** Longest wait for a moment to kill, in milliseconds. */
const momentWithinMs = 60_000;
/** Longest wait until everything that may be known has come, in milliseconds: a subscriber that was down is tried again only after some pause. */
const arrivedWithinMs = 900_000;

/**
 * Writes changes to many charts while Consents come and go, kills the server again and again, and proves that what may be known has come, in order, and nothing else.
 *
 * @returns whether it holds.
 */
export const proveSharing = async (changes = 10_000, seed = randomInt(1, 2 ** 31)): Promise<boolean> => {
  console.log(`Seed ${seed}: npm run prove -- --sharing ${changes} --seed ${seed}`);
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1_000)} s`;
  const dataDir = scratchFolder();
  const network = new KilledNetwork({
    port: await freePort(),
    dataDir,
    organizations,
    seed,
    people,
    consents: 14,
    staged: 0.5,
  });
  const { traffic, moments } = network;
  const faults: string[] = [];
  // What was started must not outlive this program.
  const abandon = () => {
    network.abandon();
    rmSync(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      abandon();
      process.exit(1);
    });
  }
  try {
    await network.start();
    for (const wish of wishes) await network.subscribe(wish);
    for (const poller of network.pollers) await poller.drain();
    const began = moments();
    network.follow();
    await writeAndKill(network, { changes, seed, seconds });
    await network.endpoints.get(failing)?.turn('up');
    const ended = moments();
    await until(() => missingIn(network, began, ended).length === 0, arrivedWithinMs, 1_000);
    console.log(`Everything has come, or nothing more does, after ${seconds()}`);
    await network.stop();
    faults.push(...(await judged(network, began, ended)), ...network.misplaced());
  } finally {
    abandon();
  }
  for (const { name, seen } of witnessesOf(network))
    console.log(`${name}: ${seen.length} told, ${new Set(seen.map(({ id }) => id)).size} of them for the first time`);
  const posts = network.inboxes.flatMap(({ deliveries }) => deliveries);
  const gaps = network.inboxes.reduce((sum, inbox) => sum + inbox.gaps().length, 0);
  const charts = new Set(network.model.changes().map(({ chart }) => chart)).size;
  console.log(
    `${posts.length} posts, ${posts.filter(({ accepted }) => !accepted).length} of them not taken; ${gaps} events withheld`,
  );
  console.log(`${traffic.changes} changes over ${charts} charts, ${kills} kills, seed ${seed}; ${seconds()}`);
  for (const fault of faults.slice(0, 30)) console.log(`  ${fault}`);
  console.log(faults.length === 0 ? 'Proved.' : `${faults.length} faults.`);
  return faults.length === 0;
};

/** Makes so many changes, and kills the server at ten moments in between. */
const writeAndKill = async (
  network: KilledNetwork,
  { changes, seed, seconds }: { changes: number; seed: number; seconds: () => string },
): Promise<void> => {
  const { traffic } = network;
  const random = new Random(seed);
  let turns = 1;
  /** Lets the subscriber go, or come back, where it is time for that. */
  const turnSubscriber = async () => {
    if (traffic.changes < turns * turnsAfter) return;
    turns = Math.floor(traffic.changes / turnsAfter) + 1;
    const endpoint = network.endpoints.get(failing);
    await endpoint?.turn(endpoint.mode === 'up' ? random.pick(['refuses', 'cuts', 'gone'] as const) : 'up');
  };
  /** Writes until there are so many changes, or requests are not answered any more. */
  const write = (goal: number): Promise<unknown> =>
    inParallel(
      lanes,
      Array.from({ length: lanes }, (_, lane) => lane),
      async (lane) => {
        const order = new Random(random.bits(), lane);
        const own = traffic.writers.filter((_, index) => index % lanes === lane);
        while (traffic.changes < goal && (await order.pick(own).step())) if (lane === 0) await turnSubscriber();
      },
    );
  for (let round = 1; round <= kills; round += 1) {
    const goal = Math.round((changes * round) / kills);
    const killAt = random.whole(traffic.changes + 1, goal - 1);
    const writing = write(goal);
    await until(() => traffic.changes >= killAt, momentWithinMs, 1);
    await pause(random.whole(0, 20));
    network.kill();
    await writing;
    const { lost, happened } = await network.restart();
    await write(goal);
    console.log(
      `kill ${round} after ${killAt} changes: ${lost} answers lost, ${happened} of them carried out; ${traffic.changes} changes after ${seconds()}`,
    );
  }
};
