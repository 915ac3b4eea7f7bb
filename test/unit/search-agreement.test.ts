import { describe, expect, it } from 'vitest';
import { comparePairs } from '../support/naive-search/agreement.ts';

describe('a search', () => {
  // test/http/search-agreement.test.ts compares whole searches; here are the values and the terminology that no stored record has
  it('finds what an evaluator finds that was written apart from it, over generated searches and records', () => {
    const { compared, found, byKind, disagreements } = comparePairs(2, 1_000);

    expect(disagreements).toEqual([]);
    expect(compared).toBeGreaterThanOrEqual(1_000);
    expect(found).toBeGreaterThan(compared / 10);
    const kinds = ['date', 'token', 'string', 'reference', 'quantity', 'filter', 'words', 'composite'];
    for (const kind of kinds) expect(byKind.get(kind)?.compared ?? 0, kind).toBeGreaterThan(0);
  });
});
