import { describe, expect, it, onTestFinished } from 'vitest';
import { startScheduler } from '../../infra/local/scheduler.ts';

const started = (everyMs: number, run: (count: number) => void = () => undefined, firstAfterMs?: number) => {
  let count = 0;
  const load = () => Promise.resolve(() => run(++count));
  const { stop } = startScheduler(
    [
      {
        entry: 'functions/fixture.ts',
        everyMs,
        timeoutMs: 1_000,
        ...(firstAfterMs === undefined ? {} : { firstAfterMs }),
      },
    ],
    load,
  );
  onTestFinished(stop);
  return { stop, runs: () => count };
};

describe('startScheduler', () => {
  it('runs a function at the start, not only when its time has come', async () => {
    const { runs } = started(3_600_000);

    await expect.poll(runs).toBe(1);
  });

  it('runs it again and again, also after a run that failed', async () => {
    const { runs } = started(1, (count) => {
      if (count === 1) throw new Error('as a test');
    });

    await expect.poll(runs).toBeGreaterThan(2);
  });

  it('waits with a function whose first time is later, and does not run it when it ends before', async () => {
    const later = started(1, undefined, 3_600_000);
    const soon = started(1, undefined, 1);

    await expect.poll(soon.runs).toBeGreaterThan(2);
    await later.stop();

    expect(later.runs()).toBe(0);
  });
});
