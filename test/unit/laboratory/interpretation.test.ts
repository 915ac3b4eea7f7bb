import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { type RangeFacts, sideIn } from '../../../shared/laboratory/interpretation.ts';
import { frequentUnits } from '../../../shared/laboratory/may-be-interpreted.ts';
import { rangeFactsOf } from '../../../shared/laboratory/range-facts.ts';
import * as units from '../../../shared/search/ucum/units.lazy.ts';
import { publishedUnits } from '../../support/ucum-lhc.ts';

// What a laboratory's own ranges say of a value.

const ucum = 'http://unitsofmeasure.org';
type Range = fhir4.ObservationReferenceRange;
/** `<7.0 mmol/L` */
const quantity = (text: string): fhir4.Quantity => {
  const [, sign, value, code] = /^([<>]=?)?([\d.]+)(?: (.*))?$/.exec(text) ?? [];
  return {
    value: Number(value),
    ...(sign === undefined ? {} : { comparator: sign as '<' }),
    ...(code === undefined ? {} : { system: ucum, code }),
  };
};
const range = (low: string | undefined, high: string | undefined, elements: Partial<Range> = {}): Range => ({
  ...(low === undefined ? {} : { low: quantity(low) }),
  ...(high === undefined ? {} : { high: quantity(high) }),
  ...elements,
});
const glucose = {
  resourceType: 'Observation',
  code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
} as unknown as Resource;
const nobody: RangeFacts = { sex: undefined, age: undefined };
const side = (value: string, ranges: readonly Range[], facts: RangeFacts = nobody) =>
  sideIn(ranges, quantity(value), { facts, resource: glucose, units }) ?? '–';

const usual = range('3.5 mmol/L', '5.1 mmol/L');

describe('sideIn', () => {
  it.each([
    ['3.4 mmol/L', 'L'],
    ['3.5 mmol/L', 'N'],
    ['5.1 mmol/L', 'N'],
    ['5.2 mmol/L', 'H'],
    ['5200 umol/L', 'H'],
    ['90 mg/dL', 'N'],
    ['4 mg', '–'],
    ['4', '–'],
    ['<3.5 mmol/L', 'L'],
    ['<=3.5 mmol/L', '–'],
    ['<=3.4 mmol/L', 'L'],
    ['<5 mmol/L', '–'],
    ['>5.1 mmol/L', 'H'],
    ['>=5.1 mmol/L', '–'],
    ['>=5.2 mmol/L', 'H'],
    ['>4 mmol/L', '–'],
  ])('of %s is %s', (value, expected) => {
    expect(side(value, [usual])).toBe(expected);
  });

  it.each<[string, string, Range, string]>([
    ['one limit above', '<3 mmol/L', range(undefined, '5 mmol/L'), 'N'],
    ['one limit above, passed', '6 mmol/L', range(undefined, '5 mmol/L'), 'H'],
    ['one limit below', '>6 mmol/L', range('5 mmol/L', undefined), 'N'],
    ['one limit below, not reached', '4 mmol/L', range('5 mmol/L', undefined), 'L'],
    ['limits without a unit', '6 mmol/L', range('3', '5'), 'H'],
    ['words alone', '6 mmol/L', { text: 'below 5' }, '–'],
    ['what is normal by its code', '6 mmol/L', { ...usual, type: meaning('normal') }, 'H'],
    ['what is a target of treatment', '6 mmol/L', { ...usual, type: meaning('treatment') }, '–'],
    ['what is for pregnant women', '6 mmol/L', { ...usual, appliesTo: [snomed('77386006')] }, '–'],
  ])('goes by %s', (_, value, each, expected) => {
    expect(side(value, [each])).toBe(expected);
  });

  const male: Range = { ...range('13 g/dL', '17 g/dL'), appliesTo: [snomed('248153007')] };
  const female: Range = { ...range('12 g/dL', '15 g/dL'), appliesTo: [snomed('248152002')] };
  it('goes by the sex for clinical use, and by nothing where that is not known', () => {
    const of = (sex: RangeFacts['sex']) => side('12.5 g/dL', [male, female], { sex, age: undefined });
    expect(['male', 'female', undefined].map((sex) => of(sex as RangeFacts['sex']))).toEqual(['L', 'N', '–']);
  });

  it('goes by completed years, months, weeks and days, and by nothing without a day of birth', () => {
    const newborn: Range = { ...range('10 mmol/L', '20 mmol/L'), age: { high: quantity('28 d') } };
    const child: Range = {
      ...range('5 mmol/L', '9 mmol/L'),
      age: { low: quantity('29 d'), high: quantity('17 a') },
    };
    const adult: Range = { ...usual, age: { low: quantity('18 a') } };
    const at = (birthDate: string | undefined) =>
      side(
        '6 mmol/L',
        [newborn, child, adult],
        rangeFactsOf({ resourceType: 'Patient', ...(birthDate ? { birthDate } : {}) }, Date.parse('2026-03-01')),
      );
    expect(
      ['2026-02-20', '2026-01-01', '2008-03-02', '2008-03-01', '2008-03', undefined].map((birth) => at(birth)),
    ).toEqual(['L', 'N', 'N', 'H', '–', '–']);
  });

  it('says nothing where ranges for the patient say different things', () => {
    expect(side('5 mmol/L', [usual, range('1 mmol/L', '4 mmol/L')])).toBe('–');
    expect(side('5 mmol/L', [usual, range('1 mmol/L', '6 mmol/L')])).toBe('N');
    expect(side('5 mmol/L', [])).toBe('–');
  });
});

describe('rangeFactsOf', () => {
  const sexed = (...codes: string[]): fhir4.Patient => ({
    resourceType: 'Patient',
    gender: 'female',
    extension: codes.map((code) => ({
      url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
      extension: [
        {
          url: 'value',
          valueCodeableConcept: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use', code }],
          },
        },
      ],
    })),
  });
  it.each([
    [[], undefined],
    [['male-typical'], 'male'],
    [['female-typical'], 'female'],
    [['specified'], undefined],
    [['male-typical', 'female-typical'], undefined],
  ])('takes %j for %s, whatever gender says', (codes, sex) => {
    expect(rangeFactsOf(sexed(...codes), 0).sex).toBe(sex);
  });
});

describe('isUnit', () => {
  it('knows the units that need not be looked up', () => {
    expect([...frequentUnits].filter((code) => !units.isUnit(code))).toEqual([]);
  });

  it('knows every unit that is published, and no word besides', () => {
    const unknown = publishedUnits()
      .map(({ csCode_ }) => csCode_.trim())
      .filter((code) => !units.isUnit(code));
    expect(unknown).toEqual([]);
    for (const code of ['mEq/L', 'cells', 'mg/dl%', 'iu', 'percent', 'H', ''])
      expect(units.isUnit(code), code).toBe(code === 'H');
  });
});

function meaning(code: string): fhir4.CodeableConcept {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/referencerange-meaning', code }] };
}
function snomed(code: string): fhir4.CodeableConcept {
  return { coding: [{ system: 'http://snomed.info/sct', code }] };
}
