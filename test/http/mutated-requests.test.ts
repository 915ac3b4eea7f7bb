import { describe, expect, it } from 'vitest';
import { sharedConcord } from '../support/concord.ts';
import { runHostile } from '../support/hostile/run.ts';

// `npm run prove -- --mutations` sends more of them, others each time.
const seed = 20_260_101;
const requests = 400;

describe(`${requests} valid requests, each broken in one place`, () => {
  it('are answered, or refused in words that name the place, and what is refused is not stored', async () => {
    const { faults, refusedAsTheyAre, storedThoughRefused, statuses } = await runHostile(
      await sharedConcord(),
      seed,
      requests,
    );

    expect(refusedAsTheyAre).toEqual([]);
    expect(faults).toEqual([]);
    expect(storedThoughRefused).toEqual([]);
    // Both happen often, or this would prove little.
    const refused = [...statuses].reduce((sum, [status, times]) => sum + (status >= 400 ? times : 0), 0);
    expect(refused).toBeGreaterThan(requests / 4);
    expect(requests - refused).toBeGreaterThan(requests / 8);
  });
});
