import { compareSearches } from '../support/naive-search/agreement.ts';

/** Of each disagreement that is shown. */
const longestRecord = 1_000;
const mostShown = 10;

/**
 * Compares searches with the evaluator in test/support/naive-search, over other ones each time.
 *
 * @param pairs - of a search and a record.
 * @returns whether they agree in all of them.
 */
export const proveSearches = (pairs: number): boolean => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { compared, found, undecided, byKind, disagreements } = compareSearches(seed, pairs);
  console.log(
    `Seed ${seed}: ${compared} pairs compared, ${found} of them found, ${undecided} too close to a bound to tell`,
  );
  for (const [kind, each] of [...byKind].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `  ${kind.padEnd(24)} ${String(each.compared).padStart(6)} pairs ${String(each.found).padStart(6)} found`,
    );
  for (const { search, found: ours, record } of disagreements.slice(0, mostShown)) {
    console.error(`${search} ${ours ? 'finds' : 'does not find'} ${JSON.stringify(record).slice(0, longestRecord)}`);
  }
  console.log(disagreements.length === 0 ? 'They agree.' : `They disagree about ${disagreements.length}.`);
  return disagreements.length === 0;
};
