import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { usualPolicy } from '../../../shared/access/policy.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { reviewResults } from '../../../shared/laboratory/critical.ts';
import { criticalIn } from '../../../shared/laboratory/critical-findings.ts';
import { usualLimits } from '../../../shared/laboratory/critical-limits.ts';
import { allReadBack } from '../../../shared/laboratory/read-back.ts';
import * as units from '../../../shared/search/ucum/units.lazy.ts';

// What is critical, and what is read back of it.

const ucum = 'http://unitsofmeasure.org';
const loinc = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://loinc.org', code }] });
const called = (code: string): fhir4.CodeableConcept[] => [{ coding: [{ code }] }];
const observation = (elements: Partial<fhir4.Observation>): Resource =>
  ({ resourceType: 'Observation', status: 'final', code: loinc('2823-3'), ...elements }) as unknown as Resource;
/** `2823-3 <2.8 mmol/L` */
const measured = (text: string): Resource => {
  const [, code = '', sign, value, unit] = /^(\S+) ([<>]=?)?([\d.]+)(?: (.*))?$/.exec(text) ?? [];
  return observation({
    code: loinc(code),
    valueQuantity: {
      value: Number(value),
      ...(sign === undefined ? {} : { comparator: sign as '<' }),
      ...(unit === undefined ? {} : { system: ucum, code: unit }),
    },
  });
};
const isCritical = (resource: Resource): boolean => criticalIn(resource, usualLimits, units).length > 0;

describe('criticalIn', () => {
  it.each([
    ['2823-3 6.2 mmol/L', true],
    ['2823-3 6.1 mmol/L', false],
    ['2823-3 2.8 meq/L', true],
    ['2823-3 2800 umol/L', true],
    ['2823-3 9 mg', false],
    ['2823-3 9', false],
    ['2345-7 484 mg/dL', true],
    ['2345-7 27 mmol/L', true],
    ['2345-7 20 mmol/L', false],
    ['14749-6 500 mg/dL', true],
    ['718-7 6.5 g/dL', true],
    ['718-7 13 g/dL', false],
    ['4544-3 0.15 1', true],
    ['777-3 20 10*3/uL', true],
    ['2744-1 7.1 [pH]', true],
    ['2744-1 7.1', true],
    ['2744-1 7.4 [pH]', false],
    ['2823-3 <2.8 mmol/L', true],
    ['2823-3 <5 mmol/L', false],
    ['2823-3 >6.2 mmol/L', true],
    ['2823-3 >2 mmol/L', false],
    ['5902-2 12 s', false],
    ['2703-7 200 mm[Hg]', false],
    ['8867-4 200 /min', false],
  ])('takes %s for critical: %s', (text, critical) => {
    expect(isCritical(measured(text))).toBe(critical);
  });

  it.each<[fhir4.Quantity, boolean]>([
    [{ value: 7.9, unit: 'mmol/L' }, true],
    [{ value: 7.9, code: 'mmol/L', system: 'http://laboratory.test/units' }, true],
    [{ value: 4.1, unit: 'mmol/L' }, false],
    [{ value: 7.9, unit: 'mmols' }, false],
    [{ value: 4100, unit: 'mmol/L', system: ucum, code: 'umol/L' }, false],
  ])('goes by a unit in words that is spelt as that of the limit: %j', (valueQuantity, critical) => {
    expect(isCritical(observation({ valueQuantity }))).toBe(critical);
  });

  it.each<[string, Resource, boolean]>([
    ['HH', observation({ interpretation: called('HH') }), true],
    ['LL of a component', observation({ component: [{ code: loinc('x'), interpretation: called('LL') }] }), true],
    ['AA', observation({ interpretation: called('AA'), status: 'preliminary' }), true],
    ['H', observation({ interpretation: called('H') }), false],
    ['words', observation({ interpretation: [{ text: 'Critically high' }] }), true],
    ['other words', observation({ interpretation: [{ text: 'Not critical' }] }), false],
    ['what was withdrawn', observation({ interpretation: called('HH'), status: 'entered-in-error' }), false],
    ['what was cancelled', observation({ interpretation: called('HH'), status: 'cancelled' }), false],
    [
      'a report by what it contains',
      {
        resourceType: 'DiagnosticReport',
        status: 'final',
        contained: [observation({ interpretation: called('HH') })],
      } as unknown as Resource,
      true,
    ],
    [
      'a report by what it concludes',
      { resourceType: 'DiagnosticReport', status: 'final', conclusionCode: called('AA') } as unknown as Resource,
      true,
    ],
  ])('takes %s', (_, resource, critical) => {
    expect(isCritical(resource)).toBe(critical);
  });
});

describe('reviewResults', () => {
  const change = (before: Resource | undefined, next: Resource | undefined) =>
    reviewResults({
      name: 'Observation/a',
      before,
      next,
      baseUrl: '',
      custodian: 'a',
      policy: usualPolicy,
      now: 0,
    });

  it('looks at what may be critical and at what says something else, and at nothing besides', () => {
    const plain = measured('8867-4 70 /min');
    expect(change(undefined, plain)).toEqual([]);
    expect(change(undefined, measured('2823-3 4 mmol/L'))).toEqual([{ result: 'new' }]);
    expect(change(undefined, observation({ interpretation: called('AA') }))).toEqual([{ result: 'new' }]);
    expect(change(plain, { ...plain, status: 'amended', note: [{ text: 'x' }] } as Resource)).toEqual([]);
    expect(change(plain, measured('8867-4 71 /min'))).toEqual([{ result: 'changed' }]);
    expect(change(plain, { ...plain, status: 'entered-in-error' } as Resource)).toEqual([{ result: 'changed' }]);
    expect(change(plain, undefined)).toEqual([]);
  });

  it('leaves vital signs and the like alone, unless they may be critical', () => {
    const category = [{ coding: [{ code: 'vital-signs' }] }];
    const [was, is] = [70, 71].map((value) => ({ ...measured(`8867-4 ${value} /min`), category }) as Resource);
    expect(change(was, is)).toEqual([]);
    expect(change(was, { ...is, interpretation: called('LL') } as Resource)).toEqual([{ result: 'changed' }]);
    expect(change(was, { ...is, category: [...category, { text: 'laboratory' }] } as Resource)).toEqual([
      { result: 'changed' },
    ]);
  });
});

describe('allReadBack', () => {
  const valueOf = (elements: Partial<fhir4.Observation>) => [{ code: loinc('2823-3'), ...elements }];
  const potassium = valueOf({ valueQuantity: { value: 6.8, unit: 'mmol/l', system: ucum, code: 'mmol/L' } });
  const below = valueOf({ valueQuantity: { value: 2, comparator: '<' } });
  const titre = valueOf({ valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } });
  const culture = valueOf({
    valueCodeableConcept: { text: 'Gram-positive cocci', coding: [{ code: '59206002', display: 'Cocci, Gram +' }] },
  });
  it.each([
    ['the number', potassium, ['6.8'], true],
    ['with more digits and a comma', potassium, ['6,80 mmol/L'], true],
    ['another number', potassium, ['8.6'], false],
    ['another unit', potassium, ['6.8 mg/dL'], false],
    ['a comparator that is not there', potassium, ['>6.8'], false],
    ['the comparator', below, ['< 2'], true],
    ['no comparator', below, ['2'], false],
    ['words of a code', culture, ['gram-positive  COCCI'], true],
    ['a code', culture, ['59206002'], true],
    ['other words', culture, ['Gram-negative rods'], false],
    ['a titre', titre, ['1:128'], true],
    ['another titre', titre, ['1:64'], false],
    ['a text', valueOf({ valueString: 'Blasts seen' }), ['blasts seen'], true],
    ['a truth', valueOf({ valueBoolean: true }), ['TRUE'], true],
    ['a whole number', valueOf({ valueInteger: 3 }), ['3'], true],
    ['what it is called, without a value', valueOf({ interpretation: called('AA') }), ['aa'], true],
    ['both of two', [...potassium, ...below], ['6.8', '<2'], true],
    ['one of two', [...potassium, ...below], ['6.8'], false],
    ['one for two that are alike', [...potassium, ...potassium], ['6.8'], false],
    ['each of two that are alike', [...potassium, ...potassium], ['6.8', '6.8 mmol/L'], true],
    [
      'what one alone may be, told last',
      [...potassium, ...valueOf({ valueQuantity: { value: 6.8, unit: 'mg' } })],
      ['6.8', '6.8 mmol/L'],
      true,
    ],
    ['more than there is', potassium, ['6.8', '7'], false],
  ])('takes %s', (_, parts, texts, isRead) => {
    expect(allReadBack(parts, texts)).toBe(isRead);
  });
});

describe('docs/results.md', () => {
  it('has the limits as the code has them, each with a source', () => {
    const document = readFileSync(path.resolve(import.meta.dirname, '../../../docs/results.md'), 'utf8').split('\n');
    const first = document.findIndex((line) => line.startsWith('| LOINC '));
    const end = document.findIndex((line, index) => index > first && line === '');
    const rows = document.slice(first + 2, end).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(rows.map(([codes, , ...limits]) => [codes, ...limits])).toEqual(
      usualLimits.map(({ codes, unit, low, high }) => [
        codes.replaceAll(' ', ', '),
        unit,
        String(low ?? '–'),
        String(high ?? '–'),
      ]),
    );
    expect(usualLimits.filter(({ source }) => !/doi:10\.\d+/.test(source))).toEqual([]);
  });
});
