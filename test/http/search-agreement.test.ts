import { describe, expect, it } from 'vitest';
import { compareSearches } from '../support/naive-search/compare-searches.ts';
import { handlersToSearch } from '../support/naive-search/handlers.ts';
import { Random } from '../support/naive-search/random.ts';
import type { Searcher } from '../support/naive-search/search-server.ts';
import { writeWorld } from '../support/naive-search/stored-world.ts';

const sumOf = (counts: Iterable<number>): number => [...counts].reduce((sum, count) => sum + count, 0);

describe('a search', () => {
  // `npm run prove -- --searches 5000` compares as many as one likes, over other records each time
  it('answers what an evaluator says that looks at every record and was written apart from it', {
    timeout: 300_000,
  }, async () => {
    const server = await handlersToSearch(Date.parse('2026-01-01T00:00:00Z'));
    const world = await writeWorld(server, new Random(3), { patients: 4, chart: 36 });
    const patient = world.records.find(({ resource }) => resource.resourceType === 'Patient')?.resource.id;
    const staff: Searcher[] = [
      { role: 'system', organization: 'northside' },
      { role: 'physician', organization: 'northside' },
      { role: 'frontdesk', organization: 'northside' },
      { role: 'system', organization: 'lakeside' },
    ];
    const searchers: Searcher[] = [...staff, { role: 'patient', organization: 'northside', patient: patient ?? '' }];

    const figures = await compareSearches(server, world, {
      seed: 3,
      from: 0,
      until: 140,
      searchers,
    });

    expect(figures.disagreements).toEqual([]);
    // what would have to read everything there is is refused
    expect([...figures.refusals.keys()].filter((reason) => !reason.startsWith('too-costly'))).toEqual([]);
    expect(sumOf(figures.refusals.values())).toBeLessThan(figures.searches / 50);
    expect(figures.found).toBeGreaterThan(figures.searches / 2);
    expect(figures.paged).toBeGreaterThan(10);
    expect(figures.included).toBeGreaterThan(40);
    const kinds = `date token token:not string reference quantity _filter _content sort pages
      chain has list _include _include:iterate _revinclude`
      .split(/\s+/)
      .concat('across types', 'in a compartment of Patient');
    for (const kind of kinds) expect(figures.byKind.get(kind)?.found ?? 0, kind).toBeGreaterThan(0);
  });
});
