import { type Budget, countBudgets, type Ratios, ratioBudgets } from './budgets.ts';
import { helloWorld, initialisationRuns } from './functions.ts';
import { type Counts, describe, differences } from './measure-counts.ts';
import type { Searches } from './measure-searches.ts';
import type { TimedScenario } from './times.ts';

type Cell = string | number;

/** A table as Markdown, padded so that it reads well on a console too. */
export const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const texts = [head, ...rows.map((row) => row.map(text))];
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]?.length ?? 0)));
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (numeric[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(texts[0] ?? []), line(rule), ...texts.slice(1).map(line)].join('\n');
};

/** Three significant digits at least; thousands stand apart. */
const text = (cell: Cell): string => {
  if (typeof cell === 'string') return cell;
  return cell.toLocaleString('en', { maximumFractionDigits: Math.abs(cell) >= 100 ? 0 : 2 });
};

const held = <M>({ limit, measure }: Budget<M>, measured: M): boolean => measure(measured) <= limit;

const budgetRows = <M>(budgets: readonly Budget<M>[], measured: M): Cell[][] =>
  budgets.map((budget) => [
    budget.name,
    `≤ ${text(budget.limit)} ${budget.unit}`,
    budget.measure(measured),
    held(budget, measured) ? 'yes' : '**no**',
  ]);

const reasons = <M>(budgets: readonly Budget<M>[], measured: M): string[] =>
  budgets
    .filter((budget) => !held(budget, measured))
    .map(
      ({ name, unit, notYet }) => `- **${name}**, ${unit}: ${notYet?.because ?? 'new; the reason is not known yet.'}`,
    );

const costs = (counts: Counts): string =>
  table(
    ['one request', 'calls', 'in sequence', 'read units', 'write units', 'write units behind', 'bytes stored'],
    [...counts.costs].map(([name, { calls, sequential, readUnits, writeUnits }]) => {
      const { unitsBehind = Number.NaN, bytes = Number.NaN } = counts.stored.get(name) ?? {};
      return [name, calls, sequential, readUnits, writeUnits, unitsBehind, bytes];
    }),
  );

const scales = ({ scales }: Counts): string => {
  const sizes = scales.map(({ patients, organizations }) => `${text(patients)} of ${text(organizations)}`).join(', ');
  const different = differences(scales);
  const verdict =
    different.length === 0 ? 'Calls and units were the same at each, for each of:' : 'Not the same as at the first:';
  const named =
    different.length === 0
      ? [...(scales[0]?.costs ?? [])].map(([name, cost]) => `- ${name}: ${describe(cost)}`)
      : different.map((each) => `- ${each}`);
  return [`Registered patients, and organisations that keep them: ${sizes}. ${verdict}`, '', ...named].join('\n');
};

/** A row for each search, a column for each size. */
const searchTable = (what: string, searches: readonly Searches[]): string =>
  table(
    ['search', ...searches.map(({ size }) => `${text(size)} ${what}`)],
    [...(searches[0]?.costs.keys() ?? [])].map((name) => [
      name,
      ...searches.map(({ costs }) => {
        const { calls, sequential, readUnits } = costs.get(name) ?? { calls: 0, sequential: 0, readUnits: 0 };
        return `${text(calls)} · ${text(sequential)} · ${text(readUnits)}`;
      }),
    ]),
  );

const loaded = ({ load }: Counts): string =>
  [
    `${text(load.resources)} resources of ${text(load.jsonBytes / load.resources)} bytes of JSON in the mean: ` +
      `${text(load.writeUnits / load.resources)} write units a resource by the requests, ` +
      `${text(load.unitsBehind / load.resources)} behind, ${text(load.calls / load.resources)} calls. Bytes a resource:`,
    '',
    table(
      ['rows', 'bytes a resource'],
      Object.entries(load.bytesByKind)
        .filter(([, bytes]) => bytes >= load.resources)
        .map(([kind, bytes]): Cell[] => [kind, bytes / load.resources])
        .sort((a, b) => Number(b[1]) - Number(a[1])),
    ),
  ].join('\n');

/** Each function by its size, with what loading it takes. */
const functionTable = ({ functions }: Counts, { initialisation }: Ratios): string =>
  table(
    ['function', 'KB minified', 'KB of data beside it', '× a hello-world to load'],
    [...functions]
      .sort((a, b) => b.bytes - a.bytes)
      .map(({ entry, bytes, dataBytes }) => [
        entry,
        bytes / 1_000,
        dataBytes / 1_000,
        initialisation.functions.find((each) => each.entry === entry)?.toHelloWorld ?? Number.NaN,
      ]),
  );

const cpuTable = ({ cpu }: Ratios): string =>
  table(
    ['one request', '× its bare call', '× a bare GetItem'],
    cpu.map(({ scenario, toSameCall, toGetItem }) => [scenario, toSameCall, toGetItem]),
  );

/** The page `docs/budgets.md`. */
export const page = (counts: Counts, ratios: Ratios, times: readonly TimedScenario[]): string =>
  `${[
    '# Budgets',
    'Generated by `npm run bench -- --write`. Counts hold on every machine, and `test/bench/budgets.test.ts` holds them. Ratios are ' +
      'measured side by side in one run on one machine; they vary by a tenth or two from run to run and are not asserted.',
    table(
      ['what', 'budget', 'measured', 'held'],
      [...budgetRows(countBudgets, counts), ...budgetRows(ratioBudgets, ratios)],
    ),
    '## Where one is missed',
    [...reasons(countBudgets, counts), ...reasons(ratioBudgets, ratios)].join('\n') || 'None is.',
    'The test holds each of these counts at about the figure of today, so that none grows.',
    '## What one request costs',
    'Calls to DynamoDB, and the units that its answers report (the embedded one computes them as the service does). Bytes are sizes of ' +
      'items by the rules of DynamoDB, index rows and the log included; the bill adds 100 bytes an item. "Behind" is what the stream ' +
      'consumer writes after the answer: the log by day and the feed.',
    costs(counts),
    '## As a deployment grows',
    scales(counts),
    '## What searches cost',
    'Calls · calls in sequence · read units, with the trace: one row in the log of each chart that is shown, all at once. In a chart it is one Query ' +
      'a started megabyte, whatever is asked; across charts, it is what an index says, or a page of a walk.',
    searchTable('Observations', counts.searches.inCharts),
    searchTable('patients', counts.searches.acrossCharts),
    '## Loading charts',
    'Invented charts, each one transaction, or those of the folder that was named.',
    loaded(counts),
    '## Functions',
    `Loading in fresh processes in turn, CPU time, median of ${initialisationRuns.each} runs (of the largest ones of a record type ` +
      `${initialisationRuns.largest}), as a multiple of \`${helloWorld}\`, which has the same ` +
      'middleware and SDK and is bundled alike. Bundled by esbuild alone, with all that the project leaves out of the SDK ' +
      `(infra/sdk), that takes ${text(ratios.initialisation.plainHelloWorld)} times as long.`,
    functionTable(counts, ratios),
    '## CPU',
    'CPU time of the handler, from the event of the gateway to the answer, as a multiple of a bare call through the SDK as it comes: its own ' +
      'main call with the same rows, and one GetItem of a row of 600 bytes. Median of 80 pairs of blocks of 8 requests, after 300 to warm ' +
      "up. The emulator's CPU time is not in it.",
    cpuTable(ratios),
    '## Times',
    'Client, handlers and emulator share one machine, on which other work went on: these say more of that machine than of the code, and ' +
      'only what stands in one row can be compared. "Bare" is the main call of the request alone, sent as often: the ceiling that the ' +
      'emulator sets. `npm run bench -- --latency 4` measures them with 4 ms more for each call, as a network adds.',
    timesTable(times),
  ].join('\n\n')}\n`;

export const timesTable = (times: readonly TimedScenario[]): string =>
  table(
    ['one request', 'at once', 'p50 ms', 'p99 ms', 'a second', 'bare: p50 ms', 'p99 ms', 'a second', 'of the ceiling'],
    times.map(({ name, concurrency, own, bare }) => [
      name,
      concurrency,
      own.p50,
      own.p99,
      own.perSecond,
      bare.p50,
      bare.p99,
      bare.perSecond,
      own.perSecond / bare.perSecond,
    ]),
  );
