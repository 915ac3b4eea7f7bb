import { type Cost, costOf, type Stored, storedByScenario } from './counts.ts';
import type { Bundled } from './functions.ts';
import { type Bundles, type Load, load } from './load.ts';
import { measureSearches, type SearchCosts, type SearchSizes } from './measure-searches.ts';
import { type Range, registerOrganizations, registerPatients } from './registry.ts';
import { atEveryScale, newWorld, scenarios, type World } from './scenarios.ts';

/** A deployment's size, and what the scenarios cost there. */
export interface Scale {
  readonly patients: number;
  readonly organizations: number;
  readonly costs: ReadonlyMap<string, Cost>;
}

/** All that does not depend on the machine. */
export interface Counts {
  readonly costs: ReadonlyMap<string, Cost>;
  readonly stored: ReadonlyMap<string, Stored>;
  readonly scales: readonly Scale[];
  readonly searches: SearchCosts;
  readonly load: Load;
  readonly functions: readonly Bundled[];
}

export interface CountOptions {
  /** Numbers of registered patients at which to measure, ascending. */
  readonly patients: readonly number[];
  /** Numbers of organisations with patients and an entry in the directory, ascending, measured after the patients. */
  readonly organizations: readonly number[];
  /** Sizes of charts and organisations in which searches are measured. */
  readonly searched: SearchSizes;
  readonly charts: Bundles;
  /** Sizes of the functions to report. */
  readonly functions: () => Promise<readonly Bundled[]>;
  readonly progress?: (doing: string) => void;
}

export const organizationNames = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => (number === 0 ? 'northside' : `organization-${number}`));

/** Measures everything that is a count. The world is left as large as the last scale, for what is measured in it afterwards. */
export const measureCounts = async (options: CountOptions): Promise<{ counts: Counts; world: World }> => {
  const { progress = () => undefined } = options;
  progress('scenarios');
  const world = await newWorld();
  const costs = new Map<string, Cost>();
  const stored = new Map<string, Stored>();
  for (const scenario of scenarios) {
    costs.set(scenario.name, await costOf(world, scenario));
    stored.set(scenario.name, await storedByScenario(world, scenario));
  }
  const scales = await measureScales(world, options, progress);
  const searches = await measureSearches(options.searched, progress);
  progress('loading charts');
  const loaded = await load(options.charts);
  progress('bundling functions');
  const functions = await options.functions();
  return { counts: { costs, stored, scales, searches, load: loaded, functions }, world };
};

const measureScales = async (
  world: World,
  { patients, organizations }: CountOptions,
  progress: (doing: string) => void,
): Promise<Scale[]> => {
  const { store } = world.server;
  const scales: Scale[] = [];
  const measure = async (size: Omit<Scale, 'costs'>) => {
    const costs = new Map<string, Cost>();
    for (const scenario of atEveryScale) costs.set(scenario.name, await costOf(world, scenario));
    scales.push({ ...size, costs });
  };
  let registered = 0;
  const grow = async (to: number, names: readonly string[]) => {
    const range: Range = { from: registered, to };
    await registerPatients(store, range, names);
    registered = to;
  };
  for (const count of patients) {
    progress(`${count} patients`);
    await grow(count, organizationNames(1));
    await measure({ patients: count, organizations: 1 });
  }
  let known = 1;
  for (const count of organizations) {
    progress(`${count} organisations`);
    await registerOrganizations(store, { from: known, to: count });
    known = count;
    await grow(registered + count, organizationNames(count));
    await measure({ patients: registered, organizations: count });
  }
  return scales;
};

/** Scenarios that cost another number of calls or units at one scale than at the first. */
export const differences = ([first, ...others]: readonly Scale[]): string[] =>
  others.flatMap(({ patients, organizations, costs }) =>
    [...costs].flatMap(([name, cost]) => {
      const before = first?.costs.get(name);
      return before && describe(before) === describe(cost)
        ? []
        : [`${name} at ${patients} patients of ${organizations} organisations: ${describe(cost)}`];
    }),
  );

export const describe = ({ calls, sequential, readUnits, writeUnits }: Cost): string =>
  `${calls} ${calls === 1 ? 'call' : 'calls'}, ${sequential} in sequence, ${readUnits} read and ${writeUnits} write units`;
