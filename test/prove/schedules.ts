/**
 * `npm run prove:schedules -- --runs 2000 --seed 1`: as many schedules of three writers, a reader and a sweeper, with faults, on the real
 * store as the tests' few, each checked for all that the staged protocol promises. A failure names the schedule that repeats it.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { runSchedule, schedules } from '../support/schedules.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
});
const [numRuns, seed] = [Number(values.runs), Number(values.seed)];
const outcomes = new Map<string, number>();
const started = Date.now();
let done = 0;

await fc.assert(
  fc.asyncProperty(schedules, async (schedule) => {
    for (const outcome of (await runSchedule(schedule)).outcomes)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (++done % 100 === 0) console.error(`… ${done} of ${numRuns}`);
  }),
  { numRuns, seed, endOnFailure: true },
);

const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
console.log(
  `${numRuns} schedules of seed ${seed} in ${Math.round((Date.now() - started) / 1_000)} s: every promise was kept (writers: ${counts}).`,
);
process.exit(0);
