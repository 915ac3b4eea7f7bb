import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../infra/local/free-port.ts';
import { type RoundPlan, startKills } from '../support/kills/round.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

/** `npm run prove:kills` does the same fifty times, at moments that a seed decides. */
const rounds: readonly RoundPlan[] = [
  { moment: { at: 'staging', rows: 40, count: 0 }, victims: ['server'], againAfterMs: 0 },
  { moment: { at: 'finishing', count: 3 }, victims: ['server', 'keeper', 'store'], againAfterMs: 0 },
  { moment: { at: 'answers', count: 30 }, victims: ['store'], againAfterMs: 300 },
];

describe.skipIf(process.platform === 'win32')('Concord, killed in the middle of an import and other writes', () => {
  it('has lost nothing that was acknowledged, and has nothing by half, when it is started again', {
    timeout: 180_000,
  }, async () => {
    const kills = await startKills({
      port: await freePort(),
      dataDir: removedAfterTest(),
      seed: 1,
      lanes: 2,
      scale: 0.6,
    });
    onTestFinished(kills.abandon);

    const reports = [];
    for (const plan of rounds) reports.push(await kills.run(plan));
    const faults = await kills.finish();

    expect(reports.flatMap((report) => report.faults)).toEqual([]);
    expect(faults).toEqual([]);
    // The rounds were what they should be: rows to clean up, an answer lost in every lane, and others that came.
    expect(reports[0]?.staged).toBeGreaterThan(0);
    expect(reports.map(({ lost }) => lost)).toEqual([3, 3, 3]);
    expect(reports[2]?.answered).toBeGreaterThanOrEqual(30);
    expect(kills.ledger.records.size).toBeGreaterThan(60);
  });
});
