import { compareSearches, type SearchFigures } from '../support/naive-search/compare-searches.ts';
import { gatewayToSearch } from '../support/naive-search/gateway.ts';
import { Random } from '../support/naive-search/random.ts';
import type { Searcher } from '../support/naive-search/search-server.ts';
import { writeWorld } from '../support/naive-search/stored-world.ts';

/** Which searches are compared. */
export interface SearchProof {
  readonly searches: number;
  /** Of the records and of all searches; another one each time if absent. */
  readonly seed?: number | undefined;
  /** The number of the one search to repeat; it is drawn by itself. */
  readonly only?: number | undefined;
}

const mostShown = 20;
const longestText = 2_000;

const searchers: readonly Searcher[] = [
  { role: 'system', organization: 'northside' },
  { role: 'system', organization: 'northside' },
  { role: 'physician', organization: 'northside' },
  { role: 'frontdesk', organization: 'northside' },
  { role: 'system', organization: 'lakeside' },
];

/**
 * Writes some hundred records into a Concord of its own, and compares searches over HTTP with the evaluator in test/support/naive-search.
 *
 * @returns whether they agree in all of them, and refusals are rare.
 */
export const proveSearches = async ({ searches, seed, only }: SearchProof): Promise<boolean> => {
  const used = seed ?? Math.floor(Math.random() * 2 ** 31);
  const started = Date.now();
  const server = await gatewayToSearch();
  const world = await writeWorld(server, new Random(used), { patients: 12, chart: 48 });
  console.log(`Seed ${used}: ${world.records.length} records of two organisations`);
  const figures = await compareSearches(server, world, {
    seed: used,
    from: only ?? 0,
    until: only === undefined ? searches : only + 1,
    searchers,
  });
  await server.stop();
  show(figures, used);
  console.log(`${Math.round((Date.now() - started) / 1000)} s in all`);
  const refused = [...figures.refusals.values()].reduce((sum, count) => sum + count, 0);
  const agree = figures.disagreements.length === 0 && refused <= figures.searches / 100;
  console.log(agree ? 'They agree.' : `They disagree about ${figures.disagreements.length}; ${refused} were refused.`);
  return agree;
};

const show = (
  { searches, found, paged, included, byKind, refusals, disagreements }: SearchFigures,
  seed: number,
): void => {
  console.log(
    `${searches} searches, ${found} of them found something, ${paged} had pages, ${included} records included`,
  );
  for (const [kind, each] of [...byKind].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `  ${kind.padEnd(24)} ${String(each.searches).padStart(6)} searches ${String(each.found).padStart(6)} found`,
    );
  for (const [reason, count] of refusals) console.log(`  refused ${count} times: ${reason}`);
  for (const { search, text, what } of disagreements.slice(0, mostShown)) {
    console.error(`--seed ${seed} --only ${search}: ${what}\n  ${text.slice(0, longestText)}`);
  }
};
