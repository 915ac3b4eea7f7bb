import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assumed, mix, secondsOfMonth } from '../../infra/cost/assumptions.ts';
import { countedUnits } from '../../infra/cost/counted-units.ts';
import { linesOf, sumOf } from '../../infra/cost/lines.ts';
import { costPage } from '../../infra/cost/page.ts';
import { countResources } from '../../infra/cost/resources.ts';
import { stageNamed } from '../../infra/stages.ts';
import { synthesised } from '../support/synthesised.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/cost.md'), 'utf8');

/** The same for each request, in round figures. */
const same = new Map(
  mix.map(({ request }) => [request, { calls: 2, readUnits: 4, writeUnits: 6, writeUnitsBehind: 2, bytesStored: 500 }]),
);
const bare = {
  keys: 3,
  alarmMetrics: 5,
  compositeAlarms: 2,
  dashboards: 0,
  webAcls: 0,
  firewallRules: 0,
  secrets: 0,
  queues: 0,
  functions: 10,
};
const resources = { ...bare, dailyBackups: 0, monthlyBackups: 0, tracedFunctions: 0, canaryDays: 0 };

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
    expect(usdOf.get('Alarms: their metrics')).toBe(0.5);
    expect(usdOf.get('Alarms of alarms')).toBe(1);
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
    // 31.5 GB: seven whole ones, and those of two months, of which the older is a twelfth smaller
    const gigabytes = (2_626_560 * 1_000 * 12) / 1e9;
    const copies = 7 + 1 + 11 / 12;
    expect(usd('Backups', { dailyBackups: 7, monthlyBackups: 2 })).toBeCloseTo(gigabytes * copies * 0.1, 5);
    expect(usd('Tracing', {})).toBe(0);
    // each request, each of 1,401,000 or so invocations behind them, and each run of a schedule
    expect(usd('Tracing', { tracedFunctions: 9 })).toBeGreaterThan(2 * 2.62656 * 5);
  });

  it('has the days of the canary in all that requests cost, and its tokens', () => {
    const usd = (what: string, canaryDays: number) =>
      linesOf(0, same, { ...resources, canaryDays }).find((line) => line.what === what)?.usd ?? Number.NaN;

    expect(usd('API Gateway', 0)).toBe(0);
    expect(usd('API Gateway', 8_756)).toBeCloseTo(((8_756 * 30) / 1e6) * 3.5, 6); // 30 requests a day
    expect(usd('DynamoDB: writes', 1_000) - usd('DynamoDB: writes', 0)).toBeCloseTo((30_000 * 8 * 0.625) / 1e6, 6);
    expect(usd('Cognito: its tokens', 8_756)).toBeCloseTo(19.701, 6);
    expect(usd('Cognito: the canary, an application', 8_756)).toBe(6);
  });

  it('counts metrics of alarms, whole backups, traced functions and the canary in the templates', () => {
    const { canary, backup } = stageNamed('production');

    expect(countResources(synthesised().resources())).toMatchObject({
      dailyBackups: backup.dailyDays,
      monthlyBackups: Math.floor(backup.monthlyDays / 30.4),
      canaryDays: secondsOfMonth / 60 / (canary?.everyMinutes ?? 0),
      tracedFunctions: synthesised().resources('AWS::Lambda::Function').length,
    });
    const figures = { MetricStat: {} };
    const alarm = (properties: object) => ({ type: 'AWS::CloudWatch::Alarm', properties: { ...properties } });
    expect(countResources([alarm({}), alarm({ Metrics: [figures, figures, { Expression: 'a / b' }] })])).toMatchObject({
      alarmMetrics: 3,
      compositeAlarms: 0,
    });
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
