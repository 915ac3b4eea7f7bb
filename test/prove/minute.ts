import { scratchFolder } from '../support/dynamodb.ts';

const [writers, readers] = [4, 3];
const lengthMs = 60_000;
const mostShown = 20;

/**
 * Lets writers and readers work for a minute on the same charts of a Concord of its own, over HTTP, as test/http/read-after-write.test.ts does.
 *
 * @param seed - decides what is written; drawn if absent.
 * @returns whether every acknowledged write was found, and nothing that was deleted or not meant.
 */
export const proveMinute = async (seed = Math.floor(Math.random() * 2 ** 32)): Promise<boolean> => {
  const { startConcord } = await import('../../infra/local/concord.ts');
  const { runTogether } = await import('../support/together/run.ts');
  const concord = await startConcord({ port: 0, dataDir: scratchFolder(), scratch: true });
  const token = await concord.token('physician@northside.example');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
  const ask = async (method: string, path: string, body?: unknown) => {
    const url = path.startsWith('http') ? path : `${concord.url}/${path}`;
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
  const end = Date.now() + lengthMs;
  const run = await runTogether(ask, { seed, writers, readers, staged: true, goesOn: () => Date.now() < end });
  await concord.stop();
  const searches = [...run.searches.values()].reduce((sum, times) => sum + times, 0);
  console.log(
    `Seed ${seed}: ${writers} writers and ${readers} readers at once; ${run.writes} acknowledged writes of records, ${searches} searches to their last page`,
  );
  for (const [kind, times] of [...run.searches].sort())
    console.log(`  ${kind.padEnd(36)} ${String(times).padStart(6)}`);
  for (const fault of run.faults.slice(0, mostShown)) console.error(`  ${fault}`);
  console.log(run.faults.length === 0 ? 'Proved.' : `${run.faults.length} faults.`);
  return run.faults.length === 0;
};
