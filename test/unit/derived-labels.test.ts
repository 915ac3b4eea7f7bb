import { describe, expect, it } from 'vitest';
import { labelsByCode } from '../../shared/access/derived-labels.ts';
import { sensitiveCodes, sensitiveSystems } from '../../shared/access/sensitive-codes.ts';
import type { Resource } from '../../shared/fhir/resource.ts';

const sct = 'http://snomed.info/sct';
const icd = 'http://hl7.org/fhir/sid/icd-10-cm';
const atc = 'http://www.whocc.no/atc';
const observation = (elements: object): Resource => ({ resourceType: 'Observation', ...elements });
const coded = (system: string, code: string): Resource => observation({ code: { coding: [{ system, code }] } });
const codesOf = (resource: Resource | undefined, further?: Parameters<typeof labelsByCode>[0]) =>
  labelsByCode(further)(resource).map((label) => label.split('|')[1]);

describe('labels by code', () => {
  it.each<[string, string, string[]]>([
    [sct, '86406008', ['HIV']],
    ['urn:oid:2.16.840.1.113883.6.96', '86406008', ['HIV']],
    ['http://other.example', '86406008', []],
    [sct, '864060081', []],
    [icd, 'B20', ['HIV']],
    ['http://hl7.org/fhir/sid/icd-10', 'B22.0', ['HIV']],
    [icd, 'B25.9', []],
    [icd, 'F10.20', ['ETH']],
    [icd, 'F17.210', []],
    [icd, 'F19', ['ETH']],
    [icd, 'F32.9', ['PSY']],
    [icd, 'F70', []],
    [icd, 'F64.0', ['PSY', 'SEX']],
    [icd, 'Z30.9', ['SEX']],
    [icd, 'T74.11XA', ['SDV']],
    [atc, 'J05AR03', ['HIV']],
    [atc, 'J05AB01', []],
    [atc, 'N07BC02', ['ETH']],
    ['http://www.nlm.nih.gov/research/umls/rxnorm', '11413', ['HIV']],
    ['http://loinc.org', '44261-6', ['PSY']],
    ['http://loinc.org', '8867-4', []],
  ])('of %s|%s are %j', (system, code, expected) => {
    expect(codesOf(coded(system, code)).sort()).toEqual(expected.sort());
  });

  it('are found wherever in a record the code stands, and not in its labels', () => {
    const hiv = { system: sct, code: '86406008' };

    expect(codesOf(observation({ component: [{ valueCodeableConcept: { coding: [hiv] } }] }))).toEqual(['HIV']);
    expect(codesOf(observation({ contained: [{ resourceType: 'Condition', code: { coding: [hiv] } }] }))).toEqual([
      'HIV',
    ]);
    expect(codesOf(observation({ extension: [{ url: 'x', valueCoding: hiv }] }))).toEqual(['HIV']);
    expect(codesOf(observation({ meta: { tag: [hiv] } }))).toEqual([]);
    expect(codesOf(observation({ code: { text: 'HIV positive' } }))).toEqual([]);
    expect(codesOf(undefined)).toEqual([]);
  });

  it('are extended by a deployment', () => {
    const further = { HIV: ['urn:local|hiv'], GDIS: ['urn:local|gen*'] };

    expect(codesOf(coded('urn:local', 'hiv'), further)).toEqual(['HIV']);
    expect(codesOf(coded('urn:local', 'genetics'), further)).toEqual(['GDIS']);
    expect(codesOf(coded(sct, '86406008'), further)).toEqual(['HIV']);
    expect(codesOf(coded('urn:local', 'hiv'))).toEqual([]);
  });

  it('come from a set that is written as its reader takes it', () => {
    for (const [label, bySystem] of Object.entries(sensitiveCodes)) {
      for (const [system, codes] of Object.entries(bySystem)) {
        expect(sensitiveSystems[system], system).toBeDefined();
        for (const code of codes.split(/\s+/)) {
          expect(code, `${label} ${system}`).toMatch(/^(?:[A-Z0-9][A-Z0-9.-]*\*?|[A-Z]\d\d\*-[A-Z]\d\d\*)$/);
          // SNOMED CT and LOINC have check digits, so a code that was misspelt is noticed.
          if (system === 'sct') expect(verhoeff(code), code).toBe(0);
          if (system === 'loinc') expect(loincCheck(code), code).toBe(Number(code.split('-')[1]));
        }
      }
    }
  });
});

/** https://confluence.ihtsdotools.org/display/DOCRELFMT/Appendix+A+-+Check-digit+Computation: 0 for a valid identifier. */
const verhoeff = (digits: string): number => {
  const permute = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
  const times = (a: number, b: number): number => {
    if (a < 5 && b < 5) return (a + b) % 5;
    if (a < 5) return 5 + ((a + b - 5) % 5);
    if (b < 5) return 5 + ((a - 5 - b + 5) % 5);
    return (a - b + 5) % 5;
  };
  return [...digits].reverse().reduce((check, digit, place) => {
    let permuted = Number(digit);
    for (let n = 0; n < place % 8; n++) permuted = permute[permuted] ?? 0;
    return times(check, permuted);
  }, 0);
};

/** Modulus 10, as LOINC's manual has it. */
const loincCheck = (code: string): number => {
  const digits = [...(code.split('-')[0] ?? '')].reverse().map(Number);
  const odd = digits.filter((_, place) => place % 2 === 0).join('');
  const doubled = String(Number(odd) * 2) + digits.filter((_, place) => place % 2 === 1).join('');
  const sum = [...doubled].reduce((total, digit) => total + Number(digit), 0);
  return (10 - (sum % 10)) % 10;
};
