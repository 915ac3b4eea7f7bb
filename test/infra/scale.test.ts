import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { mix } from '../../infra/cost/assumptions.ts';
import { countedUnits } from '../../infra/cost/counted-units.ts';
import { Random } from '../../infra/demo/random.ts';
import { world } from '../../infra/simulate/assumptions.ts';
import { hotKeysOf } from '../../infra/simulate/keys.ts';
import { loadOf, partitionsOf, tellingsOfSecond, unitsOfRequest } from '../../infra/simulate/load.ts';
import { arrivals, busiestSecond, largestShare, shareOfDay, simulateMorning } from '../../infra/simulate/morning.ts';
import { headrooms, scalePage } from '../../infra/simulate/page.ts';
import { stageNamed } from '../../infra/stages.ts';

const { requestsPerSecond } = stageNamed('production').throttling;

/** The same for each request, in round figures. */
const same = new Map(
  mix.map(({ request }) => [request, { calls: 2, readUnits: 3, writeUnits: 4, writeUnitsBehind: 1, bytesStored: 500 }]),
);

/** One clinic, of which everything can be worked out by hand. */
const clinic = {
  ...world,
  patients: 25_000,
  organizations: 1,
  visitsAYear: 10,
  workingDaysAYear: 250,
  busiestHour: 0.1,
  requestsOfVisit: 360,
  rush: 1,
  aroundTheClock: 0,
  staffBeginning: 2_700,
  federated: 0,
};

describe('the page of scale', () => {
  it('is what counts and assumptions come to: npm run simulate -- --write', () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/scale.md'), 'utf8');
    const counted = countedUnits();

    expect(page).toBe(scalePage(world, simulateMorning(world, counted, requestsPerSecond), counted));
  });

  it('is of ten million patients and five thousand organisations', () => {
    expect(world).toMatchObject({ patients: 10_000_000, organizations: 5_000 });
  });
});

describe('a second', () => {
  it('of a small clinic is as it is by hand', () => {
    // 25,000 × 10 ÷ 250 = 1,000 visits a day, 100 in the busiest hour, 36,000 requests
    expect(busiestSecond(clinic)).toBeCloseTo(10, 9);
    expect(largestShare(clinic)).toBe(1);
    expect(largestShare({ ...clinic, organizations: 2, inequality: 1 })).toBeCloseTo(2 / 3, 9);
    expect(partitionsOf(clinic)).toBe(4); // 25,000 × 600 × 489 bytes are 7.3 GB, and a table begins with four
    expect(partitionsOf({ ...clinic, patients: 1_000_000 })).toBe(30);
    expect(shareOfDay(9.5 * 3_600, clinic)).toBe(1);
    expect(shareOfDay(3 * 3_600, { ...clinic, aroundTheClock: 0.2 })).toBeCloseTo(0.2, 9);
    expect(shareOfDay(9 * 3_600, { ...clinic, rush: 2 })).toBe(2);
  });

  it('asks of keys and of the table what its requests come to', () => {
    const units = unitsOfRequest(same);
    const load = loadOf(clinic, units, { all: 10, largest: 10 });
    const keys = new Map(hotKeysOf(load).map((each) => [each.key, each]));

    expect(units.writes).toBeCloseTo(5, 9);
    // ten requests leave ten rows of the log and 3.35 of records; two consumers work 60 ms for each
    const consuming = 2 * 13.35 * 0.06;
    expect(units.functionSeconds).toBeCloseTo(0.03585, 9);
    expect(load.executions).toBeCloseTo(10 * units.functionSeconds + consuming, 6);
    expect(load.unreserved).toBeCloseTo(0.3 * 10 * units.functionSeconds + consuming, 6);
    expect(load).toMatchObject({ writeUnits: expect.closeTo(50, 6), readUnits: expect.closeTo(30, 6) });
    expect(keys.get('A#<organisation>#<day>')?.writes).toBe(10); // each request leaves a row
    // of ten requests, 0.1 · 10 + 0.235 records are changed each
    expect(load.largest.changes).toBeCloseTo(10 * (0.14 + 0.09 + 0.005 + 0.01 * 10), 9);
    expect(keys.get('Q#<organisation>')?.writes).toBeCloseTo(load.largest.changes, 9);
  });

  it('tells an organisation of no more rows than can follow one another', () => {
    const load = loadOf(world, unitsOfRequest(same), { all: 100_000, largest: 50_000 });

    expect(tellingsOfSecond).toBeCloseTo(100, 9);
    expect(load.largest.tellings).toBeCloseTo(tellingsOfSecond, 9);
  });
});

describe('a morning', () => {
  it('is the same for the same seed, and another one for another', () => {
    const small = { ...clinic, patients: 250_000 };
    const drawn = (seed: number) => simulateMorning(small, same, requestsPerSecond, seed);

    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7).peak.requests).not.toBe(drawn(8).peak.requests);
  });

  it('of a small clinic comes to its mean, meets no limit and waits for nothing', () => {
    const { outcomes, keys, firstMorning, meanRequests } = simulateMorning(clinic, same, requestsPerSecond);

    for (const { secondsAbove, beyond } of outcomes) expect([secondsAbove, beyond]).toEqual([0, 0]);
    for (const { peakShare } of keys) expect(peakShare).toBeLessThan(1);
    expect(firstMorning).toEqual({ refused: 0, until: undefined });
    // seven to nine rises from 0.25 to 0.85, then an hour of 1 and one of 0.9
    expect(meanRequests).toBeCloseTo((10 * (2 * 0.55 + 1 + 0.9)) / 4, 0);
  });

  it('counts each second that asks for more than a limit, and how much more', () => {
    const { outcomes } = simulateMorning(clinic, same, 1);
    const stage = outcomes.find(({ name }) => name === 'stage');
    const signIns = outcomes.find(({ name }) => name === 'signIns');

    expect(stage?.secondsAbove).toBeGreaterThan(13_000); // nearly all of 14,400
    expect(stage?.beyond).toBeGreaterThan(14_400 * 5);
    expect(signIns?.peak).toBeLessThan(10); // 2,700 people in 45 minutes: one a second
    expect(headrooms(simulateMorning(clinic, same, 1))[0]?.name).toBe('requests a second that the stage lets through');
  });

  it('is refused by a table of yesterday what exceeds 4,000 units, until it has grown', () => {
    const { firstMorning } = simulateMorning({ ...clinic, patients: 25_000 * 200 }, same, requestsPerSecond);

    // 2,000 requests a second at nine are 10,000 units; 500 at seven are 2,500
    expect(firstMorning.refused).toBeGreaterThan(0);
    expect(firstMorning.until).toBeLessThan(10 * 3_600);
  });

  it('finds a key too hot where an organisation is too large for it', () => {
    const { keys } = simulateMorning({ ...clinic, patients: 25_000 * 200 }, same, requestsPerSecond);
    const log = keys.find(({ key }) => key === 'A#<organisation>#<day>');

    expect(log?.peakShare).toBeGreaterThan(1.5); // one organisation, 2,000 rows a second
    expect(log?.secondsAbove).toBeGreaterThan(3_600);
    expect(log).toMatchObject({ atOneEnd: true, waits: 'what is behind' });
  });
});

describe('arrivals', () => {
  it.each([0, 3, 400])('come %d a second in the mean, with the spread of what comes by itself', (mean) => {
    const random = new Random(3);
    const drawn = Array.from({ length: 4_000 }, () => arrivals(random, mean));
    const average = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    const variance = drawn.reduce((sum, each) => sum + (each - average) ** 2, 0) / drawn.length;

    expect(Math.abs(average - mean)).toBeLessThanOrEqual(0.05 * mean);
    expect(Math.abs(variance - mean)).toBeLessThanOrEqual(0.12 * mean);
  });
});
