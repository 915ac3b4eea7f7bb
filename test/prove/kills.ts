/**
 * `npm run prove:kills [-- --rounds 50 --seed <number>]`: starts Concord, writes to it, ends its processes by `kill -9` at a moment that a
 * seed decides, starts it again on the same data, and proves that nothing that was acknowledged is lost and nothing is there by half.
 * Exit status 0 only if all of it holds.
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../../infra/demo/random.ts';
import { freePort } from '../../infra/local/free-port.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { isLarge } from '../support/kills/marks.ts';
import { drawRound, type Moment, startKills } from '../support/kills/round.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const rounds = Number(values.rounds ?? 50);
const seed = Number(values.seed ?? randomInt(1, 2 ** 31));
const random = new Random(seed);
const dataDir = scratchFolder();
const startedAt = Date.now();

const told = (moment: Moment): string => {
  if (moment.at === 'time') return `after ${moment.ms} ms`;
  if (moment.at === 'answers') return `after ${moment.count} answers`;
  const when = moment.at === 'staging' ? `${moment.rows} rows staged` : 'committed, not finished';
  return moment.count === 0 ? when : `${when}, ${moment.count} answers`;
};
const row = (...cells: readonly (string | number)[]) => {
  const widths = [5, 41, 36, 9, 5, 9, 7, 8];
  console.log(cells.map((cell, index) => String(cell).padEnd(widths[index] ?? 0)).join(' '));
};

console.log(`Seed ${seed}: npm run prove:kills -- --rounds ${rounds} --seed ${seed}`);
row('round', 'killed', 'when', 'answered', 'lost', 'versions', 'staged', 'ready ms');
const kills = await startKills({ port: await freePort(), dataDir, seed, lanes: 3, scale: 1 });
const faults: string[] = [];
// What was started must not outlive this program.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    kills.abandon();
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  for (let round = 1; round <= rounds; round += 1) {
    const plan = drawRound(random);
    const report = await kills.run(plan);
    const again = plan.againAfterMs > 0 ? ', the next start too' : '';
    row(
      round,
      plan.victims.join('+') + again,
      told(plan.moment),
      report.answered,
      report.lost,
      report.happened,
      report.staged,
      report.restartMs,
    );
    for (const fault of report.faults.slice(0, 20)) console.log(`      ${fault}`);
    faults.push(...report.faults);
  }
  faults.push(...(await kills.finish()));
} finally {
  kills.abandon();
  rmSync(dataDir, { recursive: true, force: true });
}
const records = [...kills.ledger.records.values()];
const versions = records.flatMap((record) => record.versions);
const large = versions.filter((mark) => isLarge(mark ?? '')).length;
const seconds = Math.round((Date.now() - startedAt) / 1000);
console.log(
  `${records.length} records in ${versions.length} versions, ${large} of them large, were compared; ${seconds} s`,
);
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
console.log(faults.length === 0 ? 'Proved.' : `${faults.length} faults.`);
process.exit(faults.length === 0 ? 0 : 1);
