import { describe, expect, it } from 'vitest';
import { heldDefinitions } from '../../infra/generate/terminology.ts';
import { expand } from '../../infra/generate/value-sets.ts';
import { searchTables } from '../../shared/fhir/generated/search-parameters/all.data.ts';
import { bindings } from '../../shared/fhir/generated/terminology.data.ts';
import { readSearchTypes } from '../../shared/record-types/search-types.ts';
import { splitCanonical } from '../../shared/terminology/canonical.ts';
import { TerminologyGap } from '../../shared/terminology/gap.ts';
import { heldTerminology } from '../../shared/terminology/held.ts';
import { type Members, membersOf } from '../../shared/terminology/members.ts';
import {
  anyCode,
  naiveBelow,
  naiveCodeSystems,
  naiveConcepts,
  naiveExpansion,
  naiveValueSets,
} from '../support/naive-terminology.ts';

const held = await heldTerminology();
const { codeSystems, valueSets } = heldDefinitions();
const urlsOf = (terms: readonly { url?: string | undefined }[]): string[] => terms.map(({ url = '' }) => url);

const membersOrGap = (url: string): Members | undefined => {
  const valueSet = held.valueSet(url);
  if (!valueSet) throw new Error(`${url} is not held`);
  try {
    return membersOf(valueSet, held);
  } catch (error) {
    if (error instanceof TerminologyGap) return undefined;
    throw error;
  }
};

/** Codes that may tell two evaluations apart: all of the systems that a value set draws on, and some that are none of theirs. */
const probes = (members: Members, expansion: ReadonlySet<string>): (readonly [system: string, code: string])[] => [
  ...[...members.systems].flatMap((system) => [
    ...naiveConcepts(system).map(({ code }) => [system, code] as const),
    [system, 'no-such-code'] as const,
  ]),
  ...[...expansion].map((each) => [each.split('|')[0] ?? '', each.slice(each.indexOf('|') + 1)] as const),
  ['http://example.org/other', 'active'],
  ['http://hl7.org/fhir/administrative-gender', 'male'],
];

describe("R4's own value sets", () => {
  it("are all of those of FHIR and of v3, and of v2 the tables that R4's elements draw on", () => {
    expect(valueSets.length).toBeGreaterThan(890);
    expect(codeSystems.length).toBeGreaterThan(640);
    const known = ['v2-0203', 'v2-2.7-0360', 'v2-0136', 'v2-0131', 'v3-ActMood', 'v2-0003'].map(
      (each) => `http://terminology.hl7.org/ValueSet/${each}`,
    );
    expect(known.filter((url) => !held.valueSet(url))).toEqual(['http://terminology.hl7.org/ValueSet/v2-0003']);
    expect(new Set(urlsOf(valueSets)).size).toBe(valueSets.length);
    expect(new Set(urlsOf(codeSystems).map((url) => splitCanonical(url)[0])).size).toBe(codeSystems.length);
  });

  it('have the members that the definitions say, code by code', () => {
    const disagreeing: string[] = [];
    let [compared, unanswered] = [0, 0];
    for (const url of urlsOf(valueSets)) {
      const expansion = naiveExpansion(url);
      const members = membersOrGap(url);
      if ((members === undefined) !== (expansion === undefined)) disagreeing.push(`${url}: whether it can be told`);
      if (!members || !expansion) {
        unanswered++;
        continue;
      }
      for (const [system, code] of probes(members, expansion)) {
        compared++;
        const expected = expansion.has(`${system}|${code}`) || expansion.has(`${system}|${anyCode}`);
        if (members.has(system, code) !== expected) disagreeing.push(`${url}: ${system}|${code}`);
      }
    }

    expect(disagreeing).toEqual([]);
    expect(compared).toBeGreaterThan(60_000);
    expect(unanswered).toBeGreaterThan(40);
    expect(unanswered).toBeLessThan(80);
  });

  it('are the definitions as they stand, with displays', () => {
    const differing = valueSets.filter(({ url = '', compose }) => {
      const read = held.valueSet(url)?.compose;
      const shape = (selections: readonly fhir4.ValueSetComposeInclude[] = []) =>
        selections.map(({ system, concept, filter, valueSet }) => [
          system?.split('|')[0],
          concept?.map(({ code }) => code),
          filter?.map(({ property, op, value }) => [property, op, value]),
          valueSet,
        ]);
      return (
        JSON.stringify([shape(read?.include), shape(read?.exclude)]) !==
        JSON.stringify([shape(compose?.include), shape(compose?.exclude)])
      );
    });

    expect(urlsOf(differing)).toEqual([]);
    const facility = held.valueSet('http://hl7.org/fhir/ValueSet/c80-facilitycodes')?.compose?.include[0]?.concept?.[0];
    expect(facility).toEqual(
      naiveValueSets.get('http://hl7.org/fhir/ValueSet/c80-facilitycodes')?.compose?.include[0]?.concept?.[0],
    );
  });
});

describe('the system of an element that is a code', () => {
  const types = readSearchTypes(searchTables);
  const selectingCodes = types.names.flatMap((name) => {
    const own = searchTables.split(`\n=${name} `)[1]?.split('\n=')[0] ?? '';
    return [...own.matchAll(/^(\S+) t [^;\n]*:code\b/gm)].map(([, code = '']) => [name, code] as const);
  });

  it('is known wherever R4 binds it', () => {
    const unbound = selectingCodes.filter(([name, code]) => !held.boundTo(name, code));

    expect(selectingCodes.length).toBeGreaterThan(150);
    expect(unbound.map((each) => each.join('.'))).toEqual([
      'CodeSystem.code',
      'ConceptMap.source-code',
      'ConceptMap.target-code',
      'OperationDefinition.code',
      'SearchParameter.code',
      'ValueSet.code',
    ]);
  });

  it('is that of the codes which schemas accept there', () => {
    const missing: string[] = [];
    let compared = 0;
    for (const line of bindings.trim().split('\n')) {
      const [url = '', ...bound] = line.split(' ');
      for (const [system, codes] of expand(url) ?? []) {
        for (const code of codes) {
          compared++;
          for (const each of bound) {
            const [name = '', parameter = ''] = each.split('.');
            if (!held.boundTo(name, parameter)?.has(system, code)) missing.push(`${each} ${system}|${code}`);
          }
        }
      }
    }

    expect(missing).toEqual([]);
    expect(compared).toBeGreaterThan(600);
  });
});

describe("R4's own code systems", () => {
  it('have the codes and displays of the definitions', () => {
    const differing = urlsOf(codeSystems).filter((url) => {
      const codes = [...(held.codeSystem(url)?.concepts.values() ?? [])];
      const displays = (concepts: readonly fhir4.CodeSystemConcept[]): string[] =>
        concepts.flatMap(({ code, display, concept = [] }) => [
          `${code} ${display?.replace(/\s+/g, ' ').trim() ?? ''}`,
          ...displays(concept),
        ]);
      const expected = displays(naiveCodeSystems.get(splitCanonical(url)[0])?.concept ?? []);
      return (
        codes.map(({ code, display = '' }) => `${code} ${display}`).join('\n') !== [...new Set(expected)].join('\n')
      );
    });

    expect(differing).toEqual([]);
  });

  it('have the hierarchies of the definitions, from below as from above', () => {
    const disagreeing: string[] = [];
    let pairs = 0;
    for (const url of urlsOf(codeSystems).map((each) => splitCanonical(each)[0])) {
      const above = new Map<string, Set<string>>();
      for (const { code } of naiveConcepts(url)) {
        for (const below of naiveBelow(url, code)) {
          above.set(below, (above.get(below) ?? new Set()).add(code));
          pairs++;
        }
      }
      for (const { code } of naiveConcepts(url)) {
        const found = [...(held.codeSystem(url)?.ancestors(code) ?? [])].sort().join();
        if (found !== [...(above.get(code) ?? [])].sort().join()) disagreeing.push(`${url}|${code}`);
      }
    }

    expect(disagreeing).toEqual([]);
    expect(pairs).toBeGreaterThan(9_000);
  });
});
