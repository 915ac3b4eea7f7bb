import { describe, expect, it } from 'vitest';
import { readCodeSystem } from '../../shared/terminology/code-system.ts';
import { expansionOf, TooManyCodes } from '../../shared/terminology/expansion.ts';
import { TerminologyGap } from '../../shared/terminology/gap.ts';
import { wordFilter } from '../../shared/terminology/matches-words.ts';
import { membersOf, type Terminology } from '../../shared/terminology/members.ts';
import { withVersions } from '../../shared/terminology/version-rules.ts';

const cs = 'http://acme.org/cs';
const elsewhere = 'http://acme.org/elsewhere';

const systemOf = (version: string | undefined, ...codes: string[]): fhir4.CodeSystem => ({
  resourceType: 'CodeSystem',
  status: 'active',
  url: cs,
  ...(version === undefined ? {} : { version }),
  content: 'complete',
  concept: codes.map((code) => ({
    code,
    ...(code.startsWith('old') ? { property: [{ code: 'inactive', valueBoolean: true }] } : {}),
  })),
});

const set = (
  name: string,
  compose: fhir4.ValueSetCompose | undefined,
  others: Partial<fhir4.ValueSet> = {},
): fhir4.ValueSet => ({
  resourceType: 'ValueSet',
  status: 'active',
  url: name,
  ...(compose ? { compose } : {}),
  ...others,
});

const knowing = (codeSystems: readonly fhir4.CodeSystem[], valueSets: readonly fhir4.ValueSet[] = []): Terminology => {
  const read = new Map(
    codeSystems.map((each) => [each.version === undefined ? cs : `${cs}|${each.version}`, readCodeSystem(each)]),
  );
  return {
    valueSet: (canonical) => valueSets.find(({ url }) => url === canonical),
    codeSystem: (canonical) => read.get(canonical),
  };
};

const known = knowing([systemOf(undefined, 'A', 'b', 'old')]);
const codes = (valueSet: fhir4.ValueSet, within = known) => expansionOf(valueSet, within).map(({ code }) => code);
const listed = (system: string, ...each: string[]): fhir4.ValueSetComposeInclude => ({
  system,
  concept: each.map((code) => ({ code })),
});

describe('an expansion', () => {
  it('lists each code once, whatever its case, in the order of what includes it', () => {
    expect(codes(set('vs', { include: [listed(cs, 'b', 'B'), { system: cs }] }))).toEqual(['b', 'A', 'old']);
    expect(codes(set('vs', { include: [listed('http://loinc.org', 'LA1-1', 'la1-1')] }))).toEqual(['LA1-1']);
    expect(codes(set('vs', { include: [listed(elsewhere, 'x', 'X')] }))).toEqual(['x', 'X']);
  });

  it('of all codes of a system that is not known is what another value set lists of it', () => {
    const some = set('some', { include: [listed(elsewhere, 'x', 'y'), { system: cs }] });
    const both = set('both', { include: [{ system: elsewhere, valueSet: ['some'] }] });

    expect(codes(both, knowing([systemOf(undefined, 'A')], [some]))).toEqual(['x', 'y']);
    expect(() => codes(set('all', { include: [{ system: elsewhere }] }))).toThrow(
      new TerminologyGap(`All codes of ${elsewhere} are in it, which are not known here`),
    );
  });

  it('is for certain what is listed, and not what is only in a system that is not known', () => {
    const some = set('some', { include: [listed(elsewhere, 'x')] });
    const within = knowing([], [some, set('all', { include: [{ system: elsewhere }] })]);
    const told = (...include: fhir4.ValueSetComposeInclude[]) => {
      const { has, certain } = membersOf(set('vs', { include }), within);
      return [has(elsewhere, 'x'), certain(elsewhere, 'x')];
    };

    expect(told({ system: elsewhere })).toEqual([true, false]);
    expect(told({ valueSet: ['all'] })).toEqual([true, false]);
    expect(told({ system: elsewhere, valueSet: ['all'] })).toEqual([true, false]);
    expect(told({ system: elsewhere, valueSet: ['some'] })).toEqual([true, true]);
    expect(told({ valueSet: ['all', 'some'] })).toEqual([true, true]);
    expect(told({ system: cs, valueSet: ['some'] })).toEqual([false, false]);
  });

  it('lists what was expanded elsewhere in its order, groups from top to bottom', () => {
    const contains = [
      {
        display: 'Group',
        abstract: true,
        contains: [
          { system: elsewhere, code: 'x' },
          { system: elsewhere, code: 'y', display: 'Why' },
        ],
      },
      { system: elsewhere, code: 'z' },
    ];
    const filtered = { include: [{ system: elsewhere, filter: [{ property: 'p', op: '=' as const, value: 'v' }] }] };
    const expanded = (parameter?: fhir4.ValueSetExpansionParameter[]) =>
      set('vs', filtered, { expansion: { timestamp: '2020-01-01', contains, ...(parameter ? { parameter } : {}) } });

    expect(codes(expanded())).toEqual(['x', 'y', 'z']);
    expect(expansionOf(expanded(), known)[1]?.said).toEqual([{ display: 'Why' }]);
    expect(() => codes(expanded([{ name: 'exclude-system', valueUri: cs }]))).toThrow(TerminologyGap);
  });

  it('adds what is listed there where a composition cannot tell what it excludes', () => {
    const compose = {
      include: [listed(elsewhere, 'x', 'y')],
      exclude: [{ system: elsewhere, filter: [{ property: 'p', op: '=' as const, value: 'v' }] }],
    };
    const contains = [
      { system: elsewhere, code: 'x' },
      { system: elsewhere, code: 'z' },
    ];

    expect(codes(set('vs', compose, { expansion: { timestamp: '2020-01-01', contains } }))).toEqual(['x', 'z']);
  });

  it('leaves out inactive codes by the version that is named', () => {
    const within = knowing([systemOf('1', 'A', 'old'), systemOf('2', 'A', 'b')]);
    const include = [{ system: cs, version: '1' }];

    expect(codes(set('vs', { include }), within)).toEqual(['A', 'old']);
    expect(codes(set('vs', { include, inactive: false }), within)).toEqual(['A']);
  });

  it('takes versions that are laid down', () => {
    const usual = new Map([[cs, '1']]);
    const forced = new Map([[cs, '2']]);
    const versions = (valueSet: fhir4.ValueSet, rules = { usual, forced: new Map<string, string>() }) => {
      const { compose } = withVersions(valueSet, rules);
      return [...(compose?.include ?? []), ...(compose?.exclude ?? [])].map(({ system, version }) => [system, version]);
    };

    const own = set('vs', {
      include: [{ system: cs }, { system: cs, version: '3' }, { system: `${cs}|4` }, { valueSet: ['x'] }],
      exclude: [{ system: cs }, { system: elsewhere }],
    });
    expect(versions(own)).toEqual([
      [cs, '1'],
      [cs, '3'],
      [cs, '4'],
      [undefined, undefined],
      [cs, '1'],
      [elsewhere, undefined],
    ]);
    expect(versions(own, { usual, forced })).toEqual([
      [cs, '2'],
      [cs, '2'],
      [cs, '2'],
      [undefined, undefined],
      [cs, '2'],
      [elsewhere, undefined],
    ]);
  });

  it('looks at 100,000 codes and no more', () => {
    const many = (times: number) =>
      set('vs', { include: Array.from({ length: times }, () => listed(elsewhere, ...numbered)) });
    const numbered = Array.from({ length: 10_000 }, (_, n) => `c${n}`);

    expect(codes(many(10))).toHaveLength(10_000);
    expect(() => codes(many(11))).toThrow(TooManyCodes);
    const one = Array.from({ length: 3_000 }, (_, n) => listed(elsewhere, `c${n}`));
    expect(() => codes(set('vs', { include: one }))).toThrow(TooManyCodes);
    expect(codes(set('vs', { include: one.slice(0, 2_000) }))).toHaveLength(2_000);
    const exclude = Array.from({ length: 600 }, () => listed(elsewhere, 'x'));
    expect(() => codes(set('vs', { include: [listed(elsewhere, ...numbered)], exclude }))).toThrow(TooManyCodes);
  });
});

describe('a filter of words', () => {
  it.each([
    ['acut ast', ['Acute asthma'], true],
    ['asthma, acute', ['Acute asthma'], true],
    ['cute', ['Acute asthma'], false],
    ['ménière', ['Meniere disease'], true],
    ['o’brien', ["O'Brien's sign"], true],
    ['code acute', ['code-1', 'Acute asthma'], true],
    ['acute x', ['Acute asthma'], false],
    ['%', ['%', 'percent'], true],
    ['%', ['percent'], false],
    ['[', ['[in_i]'], true],
  ])('%s in %j: %s', (filter, texts, expected) => {
    expect(wordFilter(filter)(texts)).toBe(expected);
  });
});
