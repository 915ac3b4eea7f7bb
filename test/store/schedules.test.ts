import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fault } from '../support/scheduled-process.ts';
import { type Ran, runSchedule, schedules } from '../support/schedules.ts';

const runs = 40;

it('keeps its promises to three writers and a reader in any order of calls, with faults', {
  timeout: 300_000,
}, async () => {
  const ran: Ran[] = [];

  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      ran.push(await runSchedule(schedule));
    }),
    { numRuns: runs, seed: 20_261_126, endOnFailure: true },
  );

  const outcomes = ran.flatMap((each) => each.outcomes);
  const met = new Set(ran.flatMap(({ faults }): Fault[] => [...faults]));
  expect([...met].sort()).toEqual(['busy', 'end', 'lost', 'none', 'partial', 'time passes']);
  for (const outcome of ['answered', 'refused', 'unknown'] as const)
    expect(outcomes.filter((each) => each === outcome).length).toBeGreaterThan(2);
  expect(ran.reduce((sum, { readings }) => sum + readings, 0)).toBeGreaterThan(runs);
});
