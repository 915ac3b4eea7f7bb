import { type Cost, costOf } from './counts.ts';
import { chartSearches, organizationSearches, type SearchScenario, scenarioIn } from './search-scenarios.ts';
import { chartWorld, organizationWorld, type SearchWorld } from './search-worlds.ts';

/** What searches cost in a world of one size. */
export interface Searches {
  readonly size: number;
  readonly costs: ReadonlyMap<string, Cost>;
}

/** By number of Observations in a chart, and by number of patients of an organisation. */
export interface SearchCosts {
  readonly inCharts: readonly Searches[];
  readonly acrossCharts: readonly Searches[];
}

export interface SearchSizes {
  /** Multiples of 100. */
  readonly observations: readonly number[];
  /** Multiples of 1,000. */
  readonly patients: readonly number[];
}

const costsIn = async <W extends SearchWorld>(
  size: number,
  world: W,
  searches: readonly SearchScenario<W>[],
): Promise<Searches> => {
  const costs = new Map<string, Cost>();
  for (const search of searches) costs.set(search.name, await costOf(world, scenarioIn(search, world)));
  return { size, costs };
};

/** Measures every search in worlds of these sizes, each a table of its own. */
export const measureSearches = async (
  { observations, patients }: SearchSizes,
  progress: (doing: string) => void = () => undefined,
): Promise<SearchCosts> => {
  const inCharts: Searches[] = [];
  for (const size of observations) {
    progress(`searches in a chart of ${size}`);
    inCharts.push(await costsIn(size, await chartWorld(size), chartSearches));
  }
  const acrossCharts: Searches[] = [];
  for (const size of patients) {
    progress(`searches across ${size} patients`);
    acrossCharts.push(await costsIn(size, await organizationWorld(size), organizationSearches));
  }
  return { inCharts, acrossCharts };
};
