import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCodeSystem } from '../../shared/terminology/code-system.ts';
import { definitionOf } from '../../shared/terminology/concept-definitions.ts';
import { heldTerminology } from '../../shared/terminology/held.ts';
import { membersOf, neededFor, type Terminology } from '../../shared/terminology/members.ts';

const held = await heldTerminology();
const members = (url: string) => {
  const valueSet = held.valueSet(url);
  if (!valueSet) throw new Error(`${url} is not held`);
  return membersOf(valueSet, held);
};

const acme = 'http://acme.org/cs';
const system = (over: Partial<fhir4.CodeSystem> = {}): fhir4.CodeSystem => ({
  resourceType: 'CodeSystem',
  status: 'active',
  url: acme,
  content: 'complete',
  caseSensitive: true,
  property: [{ code: 'colour', type: 'string' }],
  concept: [
    {
      code: 'animal',
      concept: [
        { code: 'bird', concept: [{ code: 'Gull', display: 'Herring gull' }] },
        { code: 'bat', property: [{ code: 'colour', valueString: 'brown' }] },
      ],
    },
    { code: 'flyer', property: [{ code: 'child', valueCode: 'bat' }] },
    { code: 'pet', property: [{ code: 'inactive', valueBoolean: true }] },
    {
      code: 'parrot',
      property: [
        { code: 'parent', valueCode: 'bird' },
        { code: 'subsumedBy', valueCode: 'pet' },
      ],
    },
  ],
  ...over,
});

const set = (compose: fhir4.ValueSetCompose, over: Partial<fhir4.ValueSet> = {}): fhir4.ValueSet => ({
  resourceType: 'ValueSet',
  status: 'active',
  url: 'http://acme.org/vs',
  compose,
  ...over,
});

const knowing = (
  valueSets: readonly fhir4.ValueSet[] = [],
  codeSystem: fhir4.CodeSystem | undefined = system(),
): Terminology => {
  const read = codeSystem && readCodeSystem(codeSystem);
  return {
    valueSet: (canonical) => valueSets.find(({ url }) => url === canonical),
    codeSystem: (canonical) => (canonical === read?.url ? read : undefined),
  };
};

const codes = ['animal', 'bird', 'Gull', 'bat', 'flyer', 'pet', 'parrot'];

/** The codes of the code system that are in. */
const chosen = (compose: fhir4.ValueSetCompose, known = knowing()): string[] => {
  const { has } = membersOf(set(compose), known);
  return codes.filter((code) => has(acme, code));
};
const filtered = (property: string, op: string, value: string, known = knowing()): string[] =>
  chosen({ include: [{ system: acme, filter: [{ property, op: op as 'is-a', value }] }] }, known);

describe("R4's own value sets and hierarchies", () => {
  it('subsume as their pages show', () => {
    const clinical = held.codeSystem('http://terminology.hl7.org/CodeSystem/condition-clinical');
    expect([...(clinical?.ancestors('relapse') ?? [])]).toEqual(['active']);
    expect([...(clinical?.ancestors('active') ?? [])]).toEqual([]);
    const encounters = held.codeSystem('http://terminology.hl7.org/CodeSystem/v3-ActCode');
    expect([...(encounters?.ancestors('ACUTE') ?? [])]).toEqual(['IMP', '_ActEncounterCode', '_ActCareProvisionCode']);
    expect(held.codeSystem('http://hl7.org/fhir/request-intent')?.ancestors('instance-order')).toEqual(
      new Set(['filler-order', 'order']),
    );
  });

  it('know a version by its number, and no other', () => {
    expect(held.valueSet('http://hl7.org/fhir/ValueSet/condition-clinical|4.0.1')).toBeDefined();
    expect(held.valueSet('http://hl7.org/fhir/ValueSet/condition-clinical|3.0.0')).toBeUndefined();
    expect(held.codeSystem('http://hl7.org/fhir/observation-status|4.0.1')).toBeDefined();
  });

  it('take a whole system, select by its hierarchy, and leave out what is excluded', () => {
    const clinical = members('http://hl7.org/fhir/ValueSet/condition-clinical');
    expect(clinical.has('http://terminology.hl7.org/CodeSystem/condition-clinical', 'relapse')).toBe(true);
    expect(clinical.has('http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', 'active')).toBe(false);
    expect(clinical.has(undefined, 'relapse')).toBe(true);
    const encounter = members('http://terminology.hl7.org/ValueSet/v3-ActEncounterCode');
    const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
    expect(['AMB', 'ACUTE', '_ActEncounterCode', 'CARD'].map((code) => encounter.has(act, code))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('are all in where a system is not kept here, but a code without a system is not', () => {
    const languages = members('http://hl7.org/fhir/ValueSet/all-languages');
    expect(languages.has('urn:ietf:bcp:47', 'gsw-CH')).toBe(true);
    expect(languages.has('urn:iso:std:iso:4217', 'EUR')).toBe(false);
    expect(languages.has(undefined, 'gsw-CH')).toBe(false);
  });

  it('cannot be told where they select from a system that is not kept here', () => {
    expect(() => members('http://hl7.org/fhir/ValueSet/condition-code')).toThrow(
      'The codes of http://snomed.info/sct, which it selects from, are not known here',
    );
    expect(neededFor(held.valueSet('http://hl7.org/fhir/ValueSet/condition-code') as fhir4.ValueSet)).toEqual({
      valueSets: [],
      codeSystems: ['http://snomed.info/sct'],
    });
  });

  it('tell the systems of elements that are codes', () => {
    expect(held.boundTo('DiagnosticReport', 'status')?.systems).toEqual(
      new Set(['http://hl7.org/fhir/diagnostic-report-status']),
    );
    expect(held.boundTo('Patient', 'address-use')?.has('http://hl7.org/fhir/address-use', 'home')).toBe(true);
    expect(held.boundTo('Task', 'intent')?.systems).toEqual(
      new Set(['http://hl7.org/fhir/task-intent', 'http://hl7.org/fhir/request-intent']),
    );
    expect(held.boundTo('Condition', 'code')).toBeUndefined();
  });

  it('are found by a code, whatever letters it has', () => {
    const urls = (code: string) => held.systemsWith(code).map(({ url }) => url);
    expect(urls('relapse')).toEqual(['http://terminology.hl7.org/CodeSystem/condition-clinical']);
    expect(urls('>=')).toEqual([
      'http://hl7.org/fhir/questionnaire-enable-operator',
      'http://hl7.org/fhir/quantity-comparator',
    ]);
    expect(urls('RELAPSE')).toEqual([]);
    expect(urls('no such (code')).toEqual([]);
  });

  it('name SNOMED CT and LOINC as R4 does, of the 6,000 kinds of document without displays', () => {
    const documents =
      held.valueSet('http://hl7.org/fhir/ValueSet/c80-doc-typecodes')?.compose?.include[0]?.concept ?? [];
    expect(documents.length).toBeGreaterThan(5_000);
    expect(documents.some(({ display }) => display !== undefined)).toBe(false);
    expect(members('http://hl7.org/fhir/ValueSet/c80-doc-typecodes').has('http://loinc.org', '34133-9')).toBe(true);
  });
});

describe('a code system', () => {
  it('is a hierarchy by nesting and by properties, with several parents', () => {
    const { ancestors } = readCodeSystem(system());
    expect([...ancestors('bat')].sort()).toEqual(['animal', 'flyer']);
    expect([...ancestors('parrot')].sort()).toEqual(['animal', 'bird', 'pet']);
    expect(ancestors('unheard-of')).toEqual(new Set());
  });

  it('is none where the hierarchy means parts, but for what is said to be a kind', () => {
    const { ancestors } = readCodeSystem(system({ hierarchyMeaning: 'part-of' }));
    expect(ancestors('Gull')).toEqual(new Set());
    expect(ancestors('parrot')).toEqual(new Set(['pet']));
  });

  it('ends where a hierarchy goes in circles', () => {
    const circle = [
      { code: 'a', property: [{ code: 'parent', valueCode: 'b' }] },
      { code: 'b', property: [{ code: 'parent', valueCode: 'a' }] },
    ];
    expect(readCodeSystem(system({ concept: circle })).ancestors('a')).toEqual(new Set(['b']));
  });

  it('takes any case unless it says that case matters', () => {
    expect(readCodeSystem(system()).find('gull')).toBeUndefined();
    const { caseSensitive: _, ...untold } = system();
    const { find, ancestors } = readCodeSystem(untold);
    expect(find('gull')?.code).toBe('Gull');
    expect(ancestors('GULL')).toEqual(new Set(['bird', 'animal']));
  });
});

describe('a filter', () => {
  it('selects kinds', () => {
    expect(filtered('concept', 'is-a', 'bird')).toEqual(['bird', 'Gull', 'parrot']);
    expect(filtered('concept', 'descendent-of', 'bird')).toEqual(['Gull', 'parrot']);
    expect(filtered('concept', 'is-not-a', 'animal')).toEqual(['flyer', 'pet']);
    expect(filtered('concept', 'generalizes', 'Gull')).toEqual(['animal', 'bird', 'Gull']);
  });

  it('selects by code, display and property', () => {
    expect(filtered('code', 'regex', 'b.*')).toEqual(['bird', 'bat']);
    expect(filtered('code', 'regex', 'b')).toEqual([]);
    expect(filtered('code', 'regex', '[A-Z][a-z]{2,4}|pet')).toEqual(['Gull', 'pet']);
    expect(filtered('concept', 'in', 'bat, pet')).toEqual(['bat', 'pet']);
    expect(filtered('code', 'not-in', 'bat,pet,Gull')).toEqual(['animal', 'bird', 'flyer', 'parrot']);
    expect(filtered('code', '=', 'bat')).toEqual(['bat']);
    expect(filtered('display', '=', 'Herring gull')).toEqual(['Gull']);
    expect(filtered('colour', '=', 'brown')).toEqual(['bat']);
    expect(filtered('colour', 'exists', 'true')).toEqual(['bat']);
    expect(filtered('inactive', 'exists', 'false')).toEqual(codes.filter((code) => code !== 'pet'));
    expect(filtered('parent', '=', 'bird')).toEqual(['Gull', 'parrot']);
  });

  it('of which several are given must pass all', () => {
    const filter = [
      { property: 'concept', op: 'is-a' as const, value: 'animal' },
      { property: 'code', op: 'regex' as const, value: 'b.+' },
    ];
    expect(chosen({ include: [{ system: acme, filter }] })).toEqual(['bird', 'bat']);
  });

  it.each([
    ['size', '=', '1', 'The code system http://acme.org/cs has no property size to filter by'],
    ['colour', 'is-a', 'brown', 'A filter is-a on colour is not evaluated here'],
    ['code', 'regex', '(a+)+', 'A regular expression of this kind is not evaluated here'],
    ['code', 'regex', '(a)\\1', 'A regular expression of this kind is not evaluated here'],
    ['code', 'regex', '(?=a).', 'A regular expression of this kind is not evaluated here'],
    ['code', 'regex', 'a?a?a?a?', 'A regular expression of this kind is not evaluated here'],
    ['code', 'regex', '[', 'A filter has no valid regular expression'],
  ])('%s %s %s is refused', (property, op, value, message) => {
    expect(() => filtered(property, op, value)).toThrow(message);
  });

  it.each(['fragment', 'example', 'not-present'] as const)(
    'over a system of which a part is known (%s) is refused',
    (content) => {
      const known = knowing([], system({ content }));
      expect(() => filtered('concept', 'is-a', 'bird', known)).toThrow('are not known here');
      expect(chosen({ include: [{ system: acme }] }, known)).toEqual(codes);
    },
  );
});

describe('a composition', () => {
  const birds = set(
    { include: [{ system: acme, filter: [{ property: 'concept', op: 'is-a', value: 'bird' }] }] },
    { url: 'http://acme.org/birds' },
  );
  const pets = set(
    { include: [{ system: acme, concept: [{ code: 'parrot' }, { code: 'pet' }] }] },
    { url: 'http://acme.org/pets' },
  );
  const known = knowing([birds, pets]);

  it('adds up what it includes, and takes only what several value sets have in common', () => {
    const [b, p] = [{ valueSet: ['http://acme.org/birds'] }, { valueSet: ['http://acme.org/pets'] }];
    expect(chosen({ include: [b, p] }, known)).toEqual(['bird', 'Gull', 'pet', 'parrot']);
    expect(chosen({ include: [{ valueSet: ['http://acme.org/birds', 'http://acme.org/pets'] }] }, known)).toEqual([
      'parrot',
    ]);
    expect(chosen({ include: [{ system: acme, concept: [{ code: 'bat' }, { code: 'pet' }], ...p }] }, known)).toEqual([
      'pet',
    ]);
    expect(chosen({ include: [{ system: acme }], exclude: [b] }, known)).toEqual(['animal', 'bat', 'flyer', 'pet']);
  });

  it('leaves out inactive codes where it says so', () => {
    expect(chosen({ inactive: false, include: [{ system: acme }] })).not.toContain('pet');
    expect(
      chosen({ inactive: false, include: [{ system: acme, concept: [{ code: 'pet' }, { code: 'bat' }] }] }),
    ).toEqual(['bat']);
    expect(neededFor(set({ inactive: false, include: [{ system: acme, concept: [] }] })).codeSystems).toEqual([acme]);
  });

  it('needs no code system for the codes that it lists, of which some are the same in any case', () => {
    const compose = { include: [{ system: 'http://loinc.org', concept: [{ code: 'LA6568-5' }] }] };
    expect(neededFor(set(compose))).toEqual({ valueSets: [], codeSystems: [] });
    expect(membersOf(set(compose), knowing()).has('http://loinc.org', 'la6568-5')).toBe(true);
    const snomed = {
      include: [
        { system: 'http://snomed.info/sct', version: 'http://snomed.info/sct/731000124108', concept: [{ code: 'A' }] },
      ],
    };
    expect(membersOf(set(snomed), knowing()).has('http://snomed.info/sct', 'A')).toBe(true);
    expect(membersOf(set(snomed), knowing()).has('http://snomed.info/sct|2020', 'a')).toBe(false);
  });

  it('asks for the version of a code system that it names', () => {
    const asked: string[] = [];
    const nothing: Terminology = {
      valueSet: () => undefined,
      codeSystem: (canonical) => {
        asked.push(canonical);
        return undefined;
      },
    };
    membersOf(set({ include: [{ system: acme, version: '2' }, { system: `${acme}|3` }] }), nothing);
    expect(asked).toEqual([`${acme}|2`, `${acme}|3`]);
    expect(neededFor(set({ include: [{ system: acme, version: '2' }] })).codeSystems).toEqual([`${acme}|2`]);
  });

  it('cannot be told if it is made of what is not known, or of itself', () => {
    expect(() => chosen({ include: [{ valueSet: ['http://acme.org/none'] }] })).toThrow(
      'The value set http://acme.org/none, which it is made of, is not known here',
    );
    const [one, two] = ['1', '2'].map((each) => `http://acme.org/${each}`) as [string, string];
    const circle = [
      set({ include: [{ valueSet: [two] }] }, { url: one }),
      set({ include: [{ system: acme }], exclude: [{ valueSet: [one] }] }, { url: two }),
    ];
    expect(() => membersOf(circle[0] as fhir4.ValueSet, knowing(circle))).toThrow(
      'The value set http://acme.org/1 is made of itself',
    );
    expect(() => membersOf({ resourceType: 'ValueSet', status: 'active', url: one }, knowing())).toThrow(
      'The value set http://acme.org/1 does not tell its codes',
    );
  });

  it('may be made of so many others, and no more, however few they are', () => {
    const level = (n: number) => `http://acme.org/level-${n}`;
    const doubling = (levels: number) => {
      const sets = Array.from({ length: levels }, (_, n) => {
        const next = { valueSet: [level(n + 1)] };
        return set({ include: n === levels - 1 ? [{ system: acme }] : [next, next] }, { url: level(n) });
      });
      return () => membersOf(sets[0] as fhir4.ValueSet, knowing(sets)).has(acme, 'bat');
    };
    expect(doubling(9)()).toBe(true);
    expect(doubling(30)).toThrow('The value set http://acme.org/level-0 is made of too many others');
  });

  it('may be imported twice by different ways', () => {
    const [left, right] = ['left', 'right'].map((each) =>
      set({ include: [{ valueSet: ['http://acme.org/pets'] }] }, { url: `http://acme.org/${each}` }),
    );
    const top = set({ include: [{ valueSet: ['http://acme.org/left'] }, { valueSet: ['http://acme.org/right'] }] });
    expect(membersOf(top, knowing([pets, left as fhir4.ValueSet, right as fhir4.ValueSet])).has(acme, 'pet')).toBe(
      true,
    );
  });
});

describe('an expansion', () => {
  const contains: fhir4.ValueSetExpansionContains[] = [
    { abstract: true, display: 'Birds', contains: [{ system: acme, code: 'Gull' }] },
    { system: acme, code: 'bird', abstract: true },
  ];
  const expanded = (expansion: Partial<fhir4.ValueSetExpansion>, compose?: fhir4.ValueSetCompose): fhir4.ValueSet => ({
    resourceType: 'ValueSet',
    status: 'active',
    url: 'http://acme.org/vs',
    ...(compose ? { compose } : {}),
    expansion: { timestamp: '2026-01-01', contains, ...expansion },
  });
  const snomed = {
    include: [{ system: 'http://snomed.info/sct', filter: [{ property: 'concept', op: 'is-a' as const, value: '1' }] }],
  };

  it('answers where there is no composition, or one that cannot be told', () => {
    for (const valueSet of [expanded({}), expanded({ total: 3 }, snomed)]) {
      const { has, systems } = membersOf(valueSet, knowing());
      expect([has(acme, 'Gull'), has(undefined, 'Gull'), has(acme, 'bird'), has(acme, 'bat')]).toEqual([
        true,
        true,
        false,
        false,
      ]);
      expect(systems).toEqual(new Set([acme]));
    }
    expect(
      membersOf(expanded({}, { include: [{ system: acme, concept: [{ code: 'bat' }] }] }), knowing()).has(acme, 'Gull'),
    ).toBe(false);
  });

  it.each([
    { total: 4 },
    { offset: 1 },
    { parameter: [{ name: 'count', valueInteger: 3 }] },
    { parameter: [{ name: 'filter', valueString: 'g' }] },
    { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true }] },
    { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly', valueBoolean: true }] },
  ])('is not taken for all where it is a part: %j', (expansion) => {
    expect(() => membersOf(expanded(expansion), knowing())).toThrow('does not tell its codes');
    expect(() => membersOf(expanded(expansion, snomed), knowing())).toThrow('are not known here');
  });
});

describe('the laws of hierarchies and filters', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const graph = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { maxLength: 14 }).map(
    (edges): fhir4.CodeSystem =>
      system({
        concept: names.map((code) => ({
          code,
          property: edges.flatMap(([from, to]) =>
            from === code && to !== code ? [{ code: 'parent', valueCode: to }] : [],
          ),
        })),
      }),
  );
  const select = (codeSystem: fhir4.CodeSystem, op: string, value: string): string[] => {
    const { has } = membersOf(
      set({ include: [{ system: acme, filter: [{ property: 'concept', op: op as 'is-a', value }] }] }),
      knowing([], codeSystem),
    );
    return names.filter((code) => has(acme, code));
  };

  it('hold for every graph', () => {
    fc.assert(
      fc.property(graph, fc.constantFrom(...names), fc.constantFrom(...names), (codeSystem, x, y) => {
        const isA = select(codeSystem, 'is-a', x);
        // what is a kind of x is generalized by x, and the other way round
        expect(isA.includes(y)).toBe(select(codeSystem, 'generalizes', y).includes(x));
        expect(select(codeSystem, 'descendent-of', x)).toEqual(isA.filter((code) => code !== x));
        expect([...isA, ...select(codeSystem, 'is-not-a', x)].sort()).toEqual(names);
        // kinds of kinds are kinds
        if (isA.includes(y)) expect(isA).toEqual(expect.arrayContaining(select(codeSystem, 'is-a', y)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a code system with long lists', () => {
  const many = 600_000;

  it('is read though a code has 600,000 parents, or children', () => {
    const named = (code: string) => Array.from({ length: many }, () => ({ code, valueCode: 'animal' }));

    const up = readCodeSystem(system({ concept: [{ code: 'animal' }, { code: 'bird', property: named('parent') }] }));
    const down = readCodeSystem(system({ concept: [{ code: 'animal' }, { code: 'all', property: named('child') }] }));

    expect(up.find('bird')?.parents).toEqual(new Set(['animal']));
    expect(down.find('animal')?.parents).toEqual(new Set(['all']));
  });

  it('tells the definition of the last of 600,000 codes below one', () => {
    const concept = Array.from({ length: many }, (_, index) => ({ code: `c${index}`, definition: `No. ${index}` }));
    const codeSystem = readCodeSystem(system({ concept: [{ code: 'all', concept }] }));
    const last = codeSystem.find(`c${many - 1}`);

    expect(last && definitionOf(codeSystem, last).definition).toBe(`No. ${many - 1}`);
  });
});
