import { scratchFolder } from '../support/dynamodb.ts';

/** Faults and kinds of broken requests that are shown. */
const mostShown = 30;

/**
 * Breaks valid requests and sends them to a Concord of its own, as test/http/mutated-requests.test.ts does.
 *
 * @param requests - how many.
 * @param seed - decides what is broken; drawn if absent, and told, so that a run can be repeated.
 * @returns whether each was answered as it should be, and nothing refused was stored.
 */
export const proveMutations = async (
  requests: number,
  seed = Math.floor(Math.random() * 2 ** 32),
): Promise<boolean> => {
  const { startConcord } = await import('../../infra/local/concord.ts');
  const { runHostile } = await import('../support/hostile/run.ts');
  const started = Date.now();
  const concord = await startConcord({ port: 0, dataDir: scratchFolder(), scratch: true });
  const run = await runHostile(concord, seed, requests);
  await concord.stop();
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(
    `Seed ${seed}: ${requests} broken requests in ${seconds} s; the slowest took ${Math.round(run.slowest.ms)} ms (${run.slowest.what})`,
  );
  for (const [status, times] of [...run.statuses].sort(([a], [b]) => a - b))
    console.log(`  ${status} ${String(times).padStart(6)}`);
  for (const [what, { sent, refused }] of [...run.byMutation]
    .sort(([, a], [, b]) => b.sent - a.sent)
    .slice(0, mostShown))
    console.log(`  ${what.padEnd(60)} ${String(sent).padStart(6)}, refused ${String(refused).padStart(6)}`);
  const wrong = [
    ...run.refusedAsTheyAre.map((request) => `refused though nothing is broken: ${request}`),
    ...run.faults,
    ...run.storedThoughRefused.map((version) => `stored, and no answer said so: ${version}`),
  ];
  for (const fault of wrong.slice(0, mostShown)) console.error(`  ${fault}`);
  console.log(wrong.length === 0 ? 'Proved.' : `${wrong.length} faults.`);
  return wrong.length === 0;
};
