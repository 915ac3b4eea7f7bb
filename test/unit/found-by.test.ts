import { describe, expect, it } from 'vitest';
import type { Searching } from '../../shared/interactions/emergency/operations.ts';
import { foundBy } from '../../shared/interactions/found-by.ts';

// Whoever is the only one found must be the only one there is.

/** A search that finds so many records, one with each call. */
const searching = (count: number): Searching => {
  const run = { calls: 0 };
  async function* matching() {
    for (let n = 0; n < count; n++) {
      run.calls++;
      yield { record: { id: String(n) } };
    }
  }
  return {
    openSearch: async () => ({ run, query: {}, planned: async () => ({ plan: {} }) }),
    matching,
  } as unknown as Searching;
};
const found = async (count: number, most?: number) =>
  (await foundBy({} as Parameters<typeof foundBy>[0], searching(count), [], most)).length;

describe('who is looked for by one fact', () => {
  it('is found among all who have it', async () => {
    expect(await found(10)).toBe(10);
  });

  it('is not told of where not all of them could be looked at', async () => {
    await expect(found(11)).rejects.toMatchObject({ kind: 'too-costly' });
  });

  it('is looked for no further than is wanted', async () => {
    expect(await found(1_000, 3)).toBe(4);
  });
});
