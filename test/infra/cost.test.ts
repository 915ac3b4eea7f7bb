import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assumed, mix, secondsOfMonth } from '../../infra/cost/assumptions.ts';
import { countedUnits } from '../../infra/cost/counted-units.ts';
import { linesOf, sumOf } from '../../infra/cost/lines.ts';
import { costPage } from '../../infra/cost/page.ts';
import { countResources } from '../../infra/cost/resources.ts';
import { synthesised } from '../support/synthesised.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/cost.md'), 'utf8');

/** The same for each request, in round figures. */
const same = new Map(
  mix.map(({ request }) => [request, { calls: 2, readUnits: 4, writeUnits: 6, writeUnitsBehind: 2, bytesStored: 500 }]),
);
const bare = { keys: 3, alarms: 5, dashboards: 0, webAcls: 0, firewallRules: 0, secrets: 0, queues: 0, functions: 10 };
const resources = { ...bare, backups: false, traced: false };

describe('the page of costs', () => {
  it('is what counts, templates and assumptions come to: npm run cost -- --write', () => {
    expect(page).toBe(costPage(countedUnits(), countResources(synthesised().resources())));
  });

  it('shows sums that are those of its lines, to the cent or the dollar that it shows', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.replaceAll(/[*,]/g, '').trim()),
      );
    const from = rows.findIndex(([what]) => what === 'API Gateway');
    const to = rows.findIndex(([what]) => what === 'Sum');
    for (const column of [1, 2, 3, 4]) {
      const lines = rows.slice(from, to).map((row) => Number(row[column]?.replace(/^(?:–|< 0\.01)$/, '0')));
      const sum = Number(rows[to]?.[column]);
      expect(Math.abs(lines.reduce((a, b) => a + b, 0) - sum)).toBeLessThan(lines.length / 2);
    }
  });
});

describe('a bill', () => {
  it('adds up to what its lines are by hand', () => {
    const usdOf = new Map(linesOf(1, same, resources).map(({ what, usd }) => [what, usd]));
    const requests = 2_626_560; // 30.4 days of one a second

    expect(secondsOfMonth).toBe(requests);
    expect(usdOf.get('API Gateway')).toBeCloseTo(9.19296, 5); // 2.62656 million at 3.50
    expect(usdOf.get('DynamoDB: writes')).toBeCloseTo(((requests * 8 + 43_776 * 72) / 1e6) * 0.625, 5);
    expect(usdOf.get('DynamoDB: reads')).toBeCloseTo(((requests * 4 + 43_776 * 140) / 1e6) * 0.125, 5);
    // 500 bytes and 100 for each of 6 / 2 + 2 items, for 12 months
    expect(usdOf.get('DynamoDB: what is kept')).toBeCloseTo(((requests * 1_000 * 12) / 1e9) * 0.25, 5);
    expect(usdOf.get('KMS: keys')).toBe(3);
    expect(usdOf.get('Alarms')).toBe(0.5);
    expect(sumOf(linesOf(1, same, resources))).toBeCloseTo(
      [...usdOf.values()].reduce((a, b) => a + b, 0),
      9,
    );
  });

  it('of nobody’s use has nothing that requests cost, and of ten times the use ten times of it', () => {
    const perRequest = [
      'API Gateway',
      'EventBridge: events',
      'Logs: written',
      'Cognito: people',
      'DynamoDB: what is kept',
    ];
    const usd = (perSecond: number, what: string) =>
      linesOf(perSecond, same, resources).find((line) => line.what === what)?.usd ?? Number.NaN;

    for (const what of perRequest) {
      expect(usd(0, what)).toBe(0);
      expect(usd(10, what)).toBeCloseTo(10 * usd(1, what), 6);
      expect(usd(1, what)).toBeGreaterThan(0);
    }
  });

  it('has firewall, backups and traces where they are there, and not otherwise', () => {
    const usd = (what: string, there: object) =>
      linesOf(1, same, { ...resources, ...there }).find((line) => line.what === what)?.usd;

    expect(usd('Firewall: requests', {})).toBe(0);
    expect(usd('Firewall: requests', { webAcls: 1 })).toBeCloseTo(2.62656 * 0.6, 5);
    expect(usd('Backups', {})).toBe(0);
    expect(usd('Backups', { backups: true })).toBeGreaterThan(0);
    expect(usd('Tracing', {})).toBe(0);
    expect(usd('Tracing', { traced: true })).toBeCloseTo(2.62656 * 5, 5); // one a second is traced in any case
  });

  it('refuses to be made of what nobody has counted', () => {
    expect(() => linesOf(1, new Map(), resources)).toThrow('Nobody has counted "read"');
    expect(() => countedUnits('# Budgets')).toThrow('docs/budgets.md has no table');
  });

  it('is of a mix that is whole', () => {
    expect(mix.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(assumed.monthsOfLoad).toBeGreaterThan(0);
  });
});
