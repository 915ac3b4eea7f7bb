import type { Resource } from '../../../shared/fhir/resource.ts';
import type { RecordFacts } from '../../../shared/search/facts.ts';
import { matches } from '../../../shared/search/matches.ts';
import { parseSearchQuery } from '../../../shared/search/parse-query.ts';
import { lookupsIn } from '../resolve-lookups.ts';
import { wholeLanguage } from '../search-language.ts';
import { searchParameters } from '../search-parameters.ts';
import { holds, type World } from './evaluate.ts';
import { generateTest, kindOf } from './generate.ts';
import { Random } from './random.ts';
import { baseUrl, makeWorld, now } from './world.ts';

/** How shared/search and the naive evaluator compare. */
export interface Agreement {
  /** Pairs of a search and a record that both decided. */
  readonly compared: number;
  /** Those that the search finds. */
  readonly found: number;
  /** Pairs that lie too close to a bound for an evaluation in doubles. */
  readonly undecided: number;
  /** By kind of parameter: pairs, and those of them that were found. */
  readonly byKind: ReadonlyMap<string, { readonly compared: number; readonly found: number }>;
  readonly disagreements: readonly { readonly search: string; readonly found: boolean; readonly record: unknown }[];
}

/** Facts of terminology as the world has them. */
const terminologyOf = ({ terminology }: World): NonNullable<RecordFacts['terminology']> => ({
  members: (valueSet) => ({ has: (system, code) => terminology?.isMember(valueSet, code, system, '') === true }),
  ancestors: (system, code) => ({
    has: (other) => other !== code && terminology?.subsumes(other, code, system) === true,
  }),
  systemsOf: () => [],
});

const recordsAsked = 6;

/**
 * Compares the two over generated searches and records.
 *
 * @param pairs - at least so many.
 */
export const comparePairs = (seed: number, pairs: number): Agreement => {
  const random = new Random(seed);
  const world = makeWorld(random, 3);
  const records = world.records.map(({ resource, lastUpdated }) => ({
    resource: resource as unknown as Resource,
    lastUpdated: Date.parse(lastUpdated),
  }));
  const terminology = terminologyOf(world);
  const { units } = wholeLanguage;
  const disagreements: Agreement['disagreements'][number][] = [];
  const byKind = new Map<string, { compared: number; found: number }>();
  let [compared, found, undecided] = [0, 0, 0];
  while (compared < pairs) {
    const source = random.of(world.records);
    const type = source.resource.resourceType;
    const tests = Array.from({ length: random.of([1, 1, 1, 2]) }, () => generateTest(random, world, source));
    const query = tests.map(({ name, value }): [string, string] => [name, value]);
    const { conditions } = parseSearchQuery(searchParameters[type] ?? [], query, {
      strict: true,
      resourceType: type,
      baseUrl,
      now,
      parametersOf: (other) => searchParameters[other],
      ...wholeLanguage,
    });
    const lookups = lookupsIn(conditions, records, { baseUrl, terminology, units });
    const asked = world.records.filter(({ resource }) => resource.resourceType === type);
    for (let each = 0; each < recordsAsked; each++) {
      const record = each === 0 ? source : random.of(asked);
      const test = { kind: 'and' as const, tests: tests.map((made) => made.test) };
      const expected = holds(test, record, world);
      if (expected === undefined) {
        undecided++;
        continue;
      }
      const actual = matches(conditions, record.resource as unknown as Resource, {
        id: record.resource.id,
        lastUpdated: Date.parse(record.lastUpdated),
        baseUrl,
        lookups,
        terminology,
        units,
      });
      compared++;
      if (expected) found++;
      for (const { test: made } of tests) {
        const kind = kindOf(made);
        const sofar = byKind.get(kind) ?? { compared: 0, found: 0 };
        byKind.set(kind, { compared: sofar.compared + 1, found: sofar.found + (expected ? 1 : 0) });
      }
      if (actual !== expected) {
        disagreements.push({
          search: `${type}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`,
          found: actual,
          record: record.resource,
        });
      }
    }
  }
  return { compared, found, undecided, byKind, disagreements };
};
