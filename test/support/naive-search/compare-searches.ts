import { inParallel } from '../../../shared/store/in-parallel.ts';
import type { World } from './evaluate.ts';
import { type Comparison, followSearch, textOf } from './follow-search.ts';
import { generateSearch } from './generate-search.ts';
import { Random } from './random.ts';
import type { Searcher, SearchServer } from './search-server.ts';
import type { StoredWorld } from './stored-world.ts';
import { storedTerminology } from './terminology.ts';
import { asShown, sees } from './visible.ts';
import { molarMass } from './world.ts';

/** Searches at a time: the evaluator works while the store does. */
const lanes = 3;

/** How many searches of one kind there were, and what became of them. */
export interface Tally {
  searches: number;
  /** Of them, those that found something. */
  found: number;
}

export interface SearchFigures {
  readonly searches: number;
  readonly found: number;
  /** Those with more than one page. */
  readonly paged: number;
  readonly included: number;
  readonly byKind: ReadonlyMap<string, Tally>;
  /** How often each was given. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly disagreements: readonly Disagreement[];
}

export interface Disagreement {
  /** Number of the search, from which it is drawn again. */
  readonly search: number;
  readonly text: string;
  readonly what: string;
}

export interface CompareOptions {
  readonly seed: number;
  /** Numbers of the searches, each of which is drawn by itself. */
  readonly from: number;
  readonly until: number;
  readonly searchers: readonly Searcher[];
}

/** Draws searches, sends them, and compares the answers with those of the naive evaluator. */
export const compareSearches = async (
  server: SearchServer,
  { records }: StoredWorld,
  { seed, from, until, searchers }: CompareOptions,
): Promise<SearchFigures> => {
  const worlds = searchers.map(
    (searcher): Omit<World, 'now'> => ({
      baseUrl: server.baseUrl,
      records: records
        .filter((record) => sees(searcher, record, server.baseUrl))
        .map((record) => asShown(searcher, record)),
      // a patient sees no value sets
      terminology: searcher.role === 'patient' ? undefined : storedTerminology,
      molarMass,
    }),
  );
  const byKind = new Map<string, Tally>();
  const refusals = new Map<string, number>();
  const disagreements: Disagreement[] = [];
  let [found, paged, included] = [0, 0, 0];
  const compareOne = async (number: number): Promise<void> => {
    const random = new Random(seed + number * 7_919);
    const index = random.below(searchers.length);
    const searcher = searchers[index] as Searcher;
    const world: World = { ...(worlds[index] as Omit<World, 'now'>), now: server.now() };
    const search = generateSearch(random, searcher, world, { ...world, records });
    const comparison: Comparison = await followSearch(server, search, world);
    const finds = comparison.kind === 'agrees' && comparison.found > 0;
    for (const kind of new Set(search.kinds)) {
      const tally = byKind.get(kind) ?? { searches: 0, found: 0 };
      byKind.set(kind, { searches: tally.searches + 1, found: tally.found + (finds ? 1 : 0) });
    }
    if (finds) found++;
    if (comparison.kind === 'agrees') {
      if (comparison.pages > 1) paged++;
      included += comparison.included;
    } else if (comparison.kind === 'refused')
      refusals.set(comparison.reason, (refusals.get(comparison.reason) ?? 0) + 1);
    else disagreements.push({ search: number, text: textOf(search), what: comparison.what });
  };
  const numbers = Array.from({ length: until - from }, (_, index) => from + index);
  await inParallel(lanes, numbers, compareOne);
  return { searches: until - from, found, paged, included, byKind, refusals, disagreements };
};
