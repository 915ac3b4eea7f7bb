import type { CpuRatio } from './cpu.ts';
import { type Initialisations, initialisationRuns, servesOneType } from './functions.ts';
import { type Counts, differences } from './measure-counts.ts';

/** A limit, and how to find what it limits among what was measured. */
export interface Budget<Measured> {
  readonly name: string;
  readonly limit: number;
  readonly unit: string;
  readonly measure: (measured: Measured) => number;
  /** Where the limit is not held yet: the figure that must not grow, and why it is what it is. */
  readonly notYet?: { readonly ceiling: number; readonly because: string };
}

const sequential = (scenario: string, limit: number): Budget<Counts> => ({
  name: `${scenario}: calls`,
  limit,
  unit: 'in sequence',
  measure: ({ costs }) => costs.get(scenario)?.sequential ?? Number.NaN,
});

const readUnits = (scenario: string, limit: number): Budget<Counts> => ({
  name: scenario,
  limit,
  unit: 'read units',
  measure: ({ costs }) => costs.get(scenario)?.readUnits ?? Number.NaN,
});

/** Budgets that are counts: the same on every machine. */
export const countBudgets: readonly Budget<Counts>[] = [
  sequential('read', 1),
  sequential('vread', 1),
  sequential('create', 1),
  sequential('search in a chart: 50 newest of 500', 1),
  sequential('search in a chart: one code of 500', 1),
  sequential('update', 2),
  sequential('delete', 2),
  sequential('delete in a chart of 300', 2),
  sequential('transaction of 10 creates', 2),
  {
    name: 'load charts, everything included',
    limit: 2.5,
    unit: 'write units a resource',
    measure: ({ load: { writeUnits, unitsBehind, resources } }) => (writeUnits + unitsBehind) / resources,
  },
  {
    name: 'load charts, everything included',
    limit: 500,
    unit: 'bytes stored a resource',
    measure: ({ load: { bytes, resources } }) => bytes / resources,
  },
  readUnits('$everything of 1,000', 105),
  readUnits('search in a chart: 50 newest of 500', 6),
  readUnits('read', 1),
  {
    name: 'more patients, more organisations',
    limit: 0,
    unit: 'scenarios that then cost more',
    measure: ({ scales }) => differences(scales).length,
  },
  {
    name: 'largest function of one record type',
    limit: 450_000,
    unit: 'bytes minified',
    measure: ({ functions }) => largest(functions.filter(({ entry }) => servesOneType(entry))),
  },
  {
    name: 'largest other function',
    limit: 1_000_000,
    unit: 'bytes minified',
    measure: ({ functions }) => largest(functions.filter(({ entry }) => !servesOneType(entry))),
  },
];

const largest = (functions: Counts['functions']) => Math.max(...functions.map(({ bytes }) => bytes));

/** What varies from run to run, measured side by side in one. */
export interface Ratios {
  readonly cpu: readonly CpuRatio[];
  readonly initialisation: Initialisations;
}

const cpu = (scenario: string, limit: number, because: string): Budget<Ratios> => {
  const measure = ({ cpu }: Ratios) => cpu.find((each) => each.scenario === scenario)?.toSameCall ?? Number.NaN;
  const notYet = { ceiling: Number.POSITIVE_INFINITY, because };
  return { name: `CPU of ${scenario}`, limit, unit: '× its bare call', measure, notYet };
};

/** Budgets that are ratios. They are reported, not asserted: a busy machine would fail them for nothing. */
export const ratioBudgets: readonly Budget<Ratios>[] = [
  cpu(
    'read',
    2,
    'A read sends two calls, the row and the trace beside it. These alone are some 1.7 bare calls, although each of ours takes a seventh less ' +
      'than a bare one; inflating, ids, JSON and the line of the log share the rest. The SDK resolves its middleware anew for each call. It can ' +
      'keep it (cacheMiddleware), but not for the commands of its document client, which would answer with the first result again. Marshalling ' +
      'rows ourselves would allow that and save a tenth of each call.',
  ),
  cpu(
    'update',
    4,
    'It reads before it writes, each a call of its own; then it checks the body and compresses two versions.',
  ),
  {
    name: 'initialisation of the largest functions of one record type, the slowest',
    limit: 1.25,
    unit: '× a hello-world',
    measure: ({ initialisation }) =>
      Math.max(
        ...initialisation.functions
          .filter(({ entry, runs }) => servesOneType(entry) && runs === initialisationRuns.largest)
          .map(({ toHelloWorld }) => toHelloWorld),
      ),
    notYet: {
      ceiling: Number.POSITIVE_INFINITY,
      because:
        'Two thirds of what goes beyond the hello-world is compiling 240 KB of code of our own, the rest is running it for the first time. ' +
        'Leaving out what the SDK is never asked for makes functions load faster, and the hello-world more so, being little else: beside ' +
        'one that esbuild bundles alone (see Functions) they are within the budget. What few requests need lies in files of its own ' +
        '(DECISIONS.md, "What few requests need is compiled when they come"); what every write or search needs would move its time into a request, where a function has less CPU.',
    },
  },
];
