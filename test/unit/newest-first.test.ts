import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareSpots,
  newestFirst,
  type Placed,
  type ReadType,
  type Spot,
  spotOf,
} from '../../shared/interactions/everything/newest-first.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';

// Reading several types as one list, against sorting all of them at once. Types are in memory; the store's pages of them have tests of their own.

const types = ['Condition', 'Encounter', 'Observation'];

/** Keys of a chart, and what was read of it. */
const chartOf = (keys: readonly string[]) => {
  const held = new Set(keys);
  const rows: number[] = [];
  const read: ReadType = async (type, after, most) => {
    const behind = [...held]
      .filter((key) => key.startsWith(`${type}#`) && (after === undefined || key < after))
      .sort()
      .reverse();
    const page = behind.slice(0, most);
    rows.push(page.length);
    const items = page
      // What was deleted takes a row, and is not shown.
      .filter((key) => !key.endsWith('x'))
      .map((key) => ({ key, record: { id: key } as unknown as StoredRecord }));
    return { items, next: page.length < behind.length ? page.at(-1) : undefined };
  };
  return { held, rows, read };
};

const shown = (keys: Iterable<string>): string[] =>
  [...keys].filter((key) => !key.endsWith('x')).sort((a, b) => compareSpots(spotOf(a), spotOf(b)));

/** One page, and the spot behind which the next one begins. */
const pageOf = async (read: ReadType, behind: Spot | undefined, size: number, rounds = 50, bytesOf = () => 1) => {
  const items: Placed[] = [];
  const wanted = () => size + 1 - items.length;
  for await (const item of newestFirst(types, { read, behind, rounds, bytesOf, wanted })) {
    if ('stoppedAt' in item) return { keys: items.map(({ key }) => key), next: item.stoppedAt };
    if (items.length === size) return { keys: items.map(({ key }) => key), next: items.at(-1)?.spot };
    items.push(item);
  }
  return { keys: items.map(({ key }) => key), next: undefined };
};

const key = fc
  .tuple(fc.constantFrom(...types), fc.integer({ min: 100, max: 160 }), fc.boolean())
  .map(([type, place, deleted]) => `${type}#${place}${deleted ? 'x' : ''}`);
const keys = fc.uniqueArray(key, { maxLength: 120 });

describe('several types as one list', () => {
  it('are what sorting all of them gives, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 30 }), async (all, size) => {
        const { read } = chartOf(all);
        const found: string[] = [];
        let next: Spot | undefined;
        do {
          const page = await pageOf(read, next, size);
          expect(page.keys.length).toBeLessThanOrEqual(size);
          found.push(...page.keys);
          next = page.next;
        } while (next);
        expect(found).toEqual(shown(all));
      }),
      { numRuns: 200 },
    );
  });

  it('lose and double nothing that comes while pages are read, behind what was read', async () => {
    await fc.assert(
      fc.asyncProperty(keys, keys, fc.integer({ min: 1, max: 20 }), async (first, late, size) => {
        const { held, read } = chartOf(first);
        const found: string[] = [];
        const coming = [...late];
        let next: Spot | undefined;
        const expected = new Set(first);
        do {
          const page = await pageOf(read, next, size);
          found.push(...page.keys);
          next = page.next;
          const arriving = coming.pop();
          if (arriving !== undefined && next) {
            if (compareSpots(next, spotOf(arriving)) < 0) expected.add(arriving);
            held.add(arriving);
          }
        } while (next);
        expect(found).toEqual(shown(expected));
      }),
      { numRuns: 200 },
    );
  });

  it('go on where too few rounds ended a page', async () => {
    const deleted = Array.from({ length: 400 }, (_, n) => `Observation#${1_000 + n}x`);
    const { read } = chartOf([...deleted, 'Observation#0500', 'Condition#0400']);
    const first = await pageOf(read, undefined, 5, 2);
    const second = await pageOf(read, first.next, 5);

    expect([first.keys, second.keys, second.next]).toEqual([[], ['Observation#0500', 'Condition#0400'], undefined]);
  });

  it('read a few rows of each, and more of what the page is made of', async () => {
    const observations = Array.from({ length: 4_000 }, (_, n) => `Observation#${10_000 + n}`);
    const visits = Array.from({ length: 200 }, (_, n) => `Encounter#${1_000 + n}`);
    const { read, rows } = chartOf([...observations, ...visits, 'Condition#00001']);
    const page = await pageOf(read, undefined, 50);

    expect(page.keys).toEqual(observations.reverse().slice(0, 50));
    expect(rows.length).toBe(4);
    expect(rows.reduce((sum, each) => sum + each, 0)).toBeLessThan(75);
  });

  it('hold no more than memory has room for, of which what was given takes none', async () => {
    const all = types.flatMap((type) => Array.from({ length: 100 }, (_, n) => `${type}#${1_000 + n}`));
    const { read } = chartOf(all);

    // Ten of each of three types at first.
    await expect(pageOf(read, undefined, 200, 50, () => 2_000_000)).rejects.toMatchObject({ kind: 'too-costly' });
    // Ten of one, and forty once these are given.
    const { read: few } = chartOf(all.filter((key) => key.startsWith('Condition')));
    const { keys: given } = await pageOf(few, undefined, 30, 50, () => 1_100_000);
    expect(given).toHaveLength(30);
  });
});
