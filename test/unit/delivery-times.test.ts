import { describe, expect, it } from 'vitest';
import { pauseAfter } from '../../shared/delivery/times.ts';

describe('pauseAfter', () => {
  it('doubles from five seconds to an hour', () => {
    const seconds = Array.from({ length: 12 }, (_, before) => pauseAfter(before + 1, 1) / 1_000);

    expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
    expect(pauseAfter(10_000, 1)).toBe(3_600_000);
  });

  it('leaves half of a pause to chance', () => {
    expect([pauseAfter(1, 0), pauseAfter(1, 0.5), pauseAfter(11, 0)]).toEqual([2_500, 3_750, 1_800_000]);
  });
});
