import { beforeAll, describe, expect, it } from 'vitest';
import type { Cost } from './counts.ts';
import { measureSearches, type SearchCosts, type Searches } from './measure-searches.ts';
import { chartSearches, organizationSearches } from './search-scenarios.ts';

// What searches cost in a chart of 5,000 Observations and across 10,000 patients, and that it does not grow unseen.

type Ceiling = readonly [calls: number, sequential: number, readUnits: number];

/** In the largest chart, where all rows are 1 MB. */
const inChart: Readonly<Record<string, Ceiling>> = {
  'newest 50': [2, 1, 4],
  'by code and date': [3, 2, 34],
  'since a date, all of it older': [2, 1, 1],
  'on a day long ago': [3, 2, 34],
  'on a day among the newest 500': [2, 1, 28],
  'by value': [2, 1, 265],
  'newest 50, sorted by date': [2, 1, 4],
  counted: [2, 1, 265],
  'newest 50 with their performers': [3, 2, 5],
  'newest 50 with what is derived from them': [3, 1, 5],
  'by performer’s name': [3, 2, 266],
  'newest 50 of a compartment': [2, 1, 4],
  'by what refers to them': [3, 2, 266],
};

/** Across 10,000 patients. A page of 50 writes as many traces, all at once. */
const acrossCharts: Readonly<Record<string, Ceiling>> = {
  'patients by name': [2, 2, 1],
  'patients by identifier': [2, 2, 1],
  'patients by birth date and name': [2, 2, 1],
  'observations by name of patient': [4, 4, 3],
  'observations by identifier of patient': [4, 4, 3],
  'roles by name of practitioner': [4, 4, 3],
  'appointments of today': [51, 2, 5],
  'appointments of a practitioner today': [6, 2, 1],
  'appointments of a practitioner from today on': [51, 2, 5],
  'tasks by owner': [11, 2, 1],
  'patients counted': [120, 28, 10_500],
  'observations by code: a page of a walk': [61, 12, 63],
  'patients by an observation: a page of a walk': [63, 15, 170],
};

let costs: SearchCosts;
beforeAll(async () => {
  costs = await measureSearches({ observations: [100, 5_000], patients: [1_000, 10_000] });
}, 120_000);

const costIn = (searches: readonly Searches[], size: number, name: string): Cost | undefined =>
  searches.find((each) => each.size === size)?.costs.get(name);

const expectWithin = (cost: Cost | undefined, [calls, sequential, readUnits]: Ceiling) => {
  expect(cost?.calls).toBeLessThanOrEqual(calls);
  expect(cost?.sequential).toBeLessThanOrEqual(sequential);
  expect(cost?.readUnits).toBeLessThanOrEqual(readUnits);
};

describe('a search in a chart of 5,000 Observations', () => {
  it.each(chartSearches.map(({ name }) => name))('%s: stays below its ceiling', (name) => {
    expectWithin(costIn(costs.inCharts, 5_000, name), inChart[name] ?? [0, 0, 0]);
  });

  it('for the newest ones costs what it does among a hundred', () => {
    expect(costIn(costs.inCharts, 5_000, 'newest 50')).toEqual(costIn(costs.inCharts, 100, 'newest 50'));
  });
});

describe('a search across 10,000 patients', () => {
  it.each(organizationSearches.map(({ name }) => name))('%s: stays below its ceiling', (name) => {
    expectWithin(costIn(costs.acrossCharts, 10_000, name), acrossCharts[name] ?? [0, 0, 0]);
  });

  it.each(organizationSearches.map(({ name }) => name).filter((name) => /name|identifier|walk/.test(name)))(
    '%s: costs what it does across 1,000',
    (name) => {
      expect(costIn(costs.acrossCharts, 10_000, name)).toEqual(costIn(costs.acrossCharts, 1_000, name));
    },
  );
});
