import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { deployedFunctions } from '../support/deployed-functions.ts';
import { fhirServer } from '../support/fhir-server.ts';
import { countBudgets } from './budgets.ts';
import { madeCharts } from './charts.ts';
import type { Cost } from './counts.ts';
import { sizeOf } from './functions.ts';
import { itemSize } from './item-size.ts';
import { type Counts, differences, measureCounts } from './measure-counts.ts';
import { scenarios } from './scenarios.ts';

/**
 * What each scenario may cost and leave behind: what it costs today, so that none grows unseen. Bytes and the units of large
 * transactions differ a little from run to run, since ids are random and bodies are compressed. Each begins the day of its
 * log, so 70 bytes of each are the note for the day's digest; 65 of each write are its place in what is told.
 */
const ceilings: Readonly<Record<string, Cost & { readonly bytes: number }>> = {
  create: { calls: 1, sequential: 1, readUnits: 0, writeUnits: 8, bytes: 1_120 },
  read: { calls: 2, sequential: 1, readUnits: 1, writeUnits: 1, bytes: 700 },
  vread: { calls: 2, sequential: 1, readUnits: 2, writeUnits: 1, bytes: 720 },
  update: { calls: 2, sequential: 2, readUnits: 1, writeUnits: 10, bytes: 1_130 },
  delete: { calls: 3, sequential: 2, readUnits: 2, writeUnits: 6, bytes: 1_025 },
  'search in a chart: 50 newest of 500': { calls: 2, sequential: 1, readUnits: 4, writeUnits: 1, bytes: 755 },
  'search in a chart: one code of 500': { calls: 2, sequential: 1, readUnits: 31, writeUnits: 1, bytes: 765 },
  'patient by identifier': { calls: 2, sequential: 2, readUnits: 1, writeUnits: 1, bytes: 790 },
  'patient by name': { calls: 2, sequential: 2, readUnits: 1, writeUnits: 1, bytes: 710 },
  'patient by birth date': { calls: 2, sequential: 2, readUnits: 1, writeUnits: 1, bytes: 720 },
  'organisation by name': { calls: 2, sequential: 2, readUnits: 1, writeUnits: 1, bytes: 720 },
  'transaction of 10 creates': { calls: 1, sequential: 1, readUnits: 0, writeUnits: 48, bytes: 7_970 },
  'delete in a chart of 300': { calls: 3, sequential: 2, readUnits: 25, writeUnits: 6, bytes: 1_015 },
  'transaction of 300 creates': { calls: 260, sequential: 30, readUnits: 0, writeUnits: 710, bytes: 110_000 },
  '$everything of 1,000': { calls: 3, sequential: 1, readUnits: 78, writeUnits: 1, bytes: 745 },
};

let counts: Counts;
beforeAll(async () => {
  const { bundleOf } = await deployedFunctions();
  ({ counts } = await measureCounts({
    patients: [100, 1_000],
    organizations: [50],
    searched: { observations: [], patients: [] }, // search-costs.test.ts measures those
    charts: madeCharts(4),
    functions: () => Promise.resolve(functionEntries.map((entry) => sizeOf(entry, bundleOf(entry)))),
  }));
});

describe('one request', () => {
  it.each(scenarios.map(({ name }) => name))('%s: calls, units and bytes stay below their ceilings', (name) => {
    const { bytes, ...cost } = ceilings[name] ?? { bytes: 0 };

    expect(counts.costs.get(name)).toEqual(
      Object.fromEntries(Object.entries(cost).map(([what, most]) => [what, atMost(most)])),
    );
    expect(counts.stored.get(name)?.bytes).toEqual(atMost(bytes));
  });
});

describe('budget', () => {
  it.each(countBudgets)('$name: at most $limit $unit, or the ceiling of today', ({ limit, measure, notYet }) => {
    expect(measure(counts)).toBeLessThanOrEqual(notYet?.ceiling ?? limit);
  });
});

describe('a larger deployment', () => {
  it('costs the same calls and units with 100 and 1,000 patients, with 1 and 50 organisations', () => {
    expect(counts.scales.map(({ patients, organizations }) => [patients, organizations])).toEqual([
      [100, 1],
      [1_000, 1],
      [1_050, 50],
    ]);
    expect(differences(counts.scales)).toEqual([]);
  });

  it('would be found to cost more', () => {
    const [first, ...others] = counts.scales;
    const dearer = new Map([...(first?.costs ?? [])].map(([name, cost]) => [name, { ...cost, calls: cost.calls + 1 }]));

    const found = differences([...counts.scales, { patients: 2_000, organizations: 50, costs: dearer }]);

    expect(others).toHaveLength(2);
    expect(found).toHaveLength(dearer.size);
  });
});

describe('what is counted', () => {
  it('are write units as DynamoDB consumes them: one a started KB, two in a transaction', async () => {
    const server = await fhirServer();
    const { client, tableName: TableName } = server.store;
    const Item = { pk: 'unit', sk: 'test', body: Buffer.alloc(1_500) };
    server.calls.reset();

    await client.send(new PutCommand({ TableName, Item }));
    const alone = server.calls.writeUnits;
    await client.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item } }] }));

    expect([alone, server.calls.writeUnits - alone, server.calls.readUnits]).toEqual([2, 4, 0]);
  });

  it.each([
    ['text in UTF-8', { pk: 'é' }, 2 + 2],
    ['a binary value', { body: Buffer.alloc(100) }, 4 + 100],
    ['a number by its significant digits', { at: 1_700_000_000_123 }, 2 + 8],
    ['a number without its zeros, with its sign', { at: -1_200 }, 2 + 3],
    ['a truth value', { ok: true }, 2 + 1],
    ['a set', { ids: new Set(['abc', 'de']) }, 3 + 5],
    ['a list', { what: ['abc', 'de'] }, 4 + 3 + 2 + 5],
    ['a map', { intent: { tx: 'abc' } }, 6 + 3 + 1 + 2 + 3],
  ])('are bytes of an item by the rules of DynamoDB: %s', (_, item, size) => {
    expect(itemSize(item)).toBe(size);
  });
});

/** A number above nothing and not above this one. */
const atMost = (most: number) => ({
  asymmetricMatch: (value: unknown) => typeof value === 'number' && value >= 0 && value <= most,
  toString: () => `at most ${most}`,
});
