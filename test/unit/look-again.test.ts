import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookAgain } from '../../shared/interactions/look-again.ts';
import { GuardFailed } from '../../shared/interactions/save.ts';

describe('a request that others are quicker than', () => {
  beforeEach(() => {
    // The pauses are by chance: of no length here.
    vi.spyOn(Math, 'random').mockReturnValue(0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const failing = (times: number) => {
    let asked = 0;
    return {
      work: async () => {
        asked++;
        if (asked <= times) throw new GuardFailed();
        return asked;
      },
      asked: () => asked,
    };
  };

  it('looks again until it is its turn, as where nine others write allergies of the same chart', async () => {
    const { work } = failing(9);

    expect(await lookAgain(work)).toBe(10);
  });

  it('gives up once it has been refused too often', async () => {
    const { work, asked } = failing(1_000);

    await expect(lookAgain(work)).rejects.toMatchObject({ reason: 'concurrent-change' });
    expect(asked()).toBe(10);
  });
});
