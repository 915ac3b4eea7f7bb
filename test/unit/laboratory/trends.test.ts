import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newestOfEach } from '../../../shared/laboratory/newest-of-each.ts';
import { type Series, seriesOf } from '../../../shared/laboratory/series.ts';
import * as units from '../../../shared/search/ucum/units.lazy.ts';

// The newest of each code, and all values of one, against the plainest words for both.

const loinc = 'http://loinc.org';
const ucum = 'http://unitsofmeasure.org';

interface Made {
  readonly observation: fhir4.Observation;
  readonly updated: number;
  readonly record: number;
}

const concept = (codes: readonly string[]): fhir4.CodeableConcept => ({
  coding: codes.map((code) => ({ system: loinc, code })),
});

/** Glucose in three units, one that is none of UCUM's, and words. */
const values: readonly Partial<fhir4.Observation>[] = [
  { valueQuantity: { value: 90, system: ucum, code: 'mg/dL' } },
  { valueQuantity: { value: 5.5, system: ucum, code: 'mmol/L' } },
  { valueQuantity: { value: 0.9, system: ucum, code: 'g/L', comparator: '<' } },
  { valueQuantity: { value: 90, unit: 'mg%' } },
  { valueString: 'haemolysed' },
  {},
];
const perLitre: Readonly<Record<string, number>> = { 'mg/dL': 10 / 180.156, 'mmol/L': 1, 'g/L': 1_000 / 180.156 };

const madeOf = fc
  .record({
    codes: fc.subarray(['2345-7', '14749-6', 'other'], { minLength: 1 }),
    day: fc.integer({ min: 0, max: 6 }),
    status: fc.constantFrom('final', 'preliminary', 'corrected', 'amended', 'entered-in-error', 'cancelled' as const),
    value: fc.constantFrom(...values),
    inComponent: fc.boolean(),
  })
  .map(({ codes, day, status, value, inComponent }) => ({
    resourceType: 'Observation' as const,
    status: status as fhir4.Observation['status'],
    ...(day === 0 ? {} : { effectiveDateTime: `2026-05-0${day}` }),
    ...(inComponent
      ? { code: concept(['panel']), component: [{ code: concept(codes), ...value }] }
      : { code: concept(codes), ...value }),
  }));
const chart: fc.Arbitrary<Made[]> = fc
  .array(madeOf, { maxLength: 12 })
  .map((all) => all.map((observation, index) => ({ observation, updated: index, record: index })));

const dayOf = ({ observation }: Made): number => Number(observation.effectiveDateTime?.slice(-2) ?? 0);

describe('newestOfEach', () => {
  it('gives of each group what has fewer than max newer ones, groups by their newest', () => {
    fc.assert(
      fc.property(chart, fc.integer({ min: 1, max: 4 }), (made, max) => {
        const share = (one: Made, other: Made) =>
          one.observation.code.coding?.some(({ code }) =>
            other.observation.code.coding?.some((each) => each.code === code),
          );
        /** All that are of one group: whatever is reached by codes in common. */
        const groupOf = (one: Made): Made[] => {
          const group = [one];
          for (const each of group) group.push(...made.filter((other) => !group.includes(other) && share(each, other)));
          return group;
        };
        const shown = newestOfEach(made, max).map((index) => made[index] as Made);

        for (const each of made) {
          const newer = groupOf(each).filter((other) => dayOf(other) > dayOf(each));
          expect(shown.includes(each)).toBe(newer.length < max);
        }
        expect(new Set(shown).size).toBe(shown.length);
        const newestOf = (one: Made) => Math.max(...groupOf(one).map(dayOf));
        for (const [index, each] of shown.entries()) {
          const before = shown[index - 1];
          if (!before) continue;
          expect(newestOf(before)).toBeGreaterThanOrEqual(newestOf(each));
          if (groupOf(before).includes(each)) expect(dayOf(before)).toBeGreaterThanOrEqual(dayOf(each));
        }
      }),
    );
  });
});

describe('seriesOf', () => {
  const told = ({ points }: Series<number>): string[] =>
    points.map(({ record, value, because, corrected }) => {
      const number = value === undefined ? because : `${value.comparator ?? ''}${value.value?.toPrecision(6)}`;
      return `${record} ${number}${corrected ? ' corrected' : ''}`;
    });

  it('gives what the plainest loop gives', () => {
    fc.assert(
      fc.property(chart, fc.constantFrom('mg/dL', 'mmol/L', 'g/L'), (made, unit) => {
        const expected: string[] = [];
        for (let day = 0; day <= 6; day++)
          for (const each of made) {
            const { status, component } = each.observation;
            const part = component?.[0] ?? each.observation;
            const isMeant = part.code.coding?.some(({ code }) => code === '2345-7' || code === '14749-6');
            if (dayOf(each) !== day || status === 'entered-in-error' || status === 'cancelled' || !isMeant) continue;
            const { valueQuantity, valueString } = part;
            if (!valueQuantity && valueString === undefined) continue;
            const factor = perLitre[valueQuantity?.code ?? ''];
            const number =
              valueQuantity === undefined
                ? 'no-number'
                : factor === undefined
                  ? 'other-unit'
                  : `${valueQuantity.comparator ?? ''}${(((valueQuantity.value ?? 0) * factor) / (perLitre[unit] ?? 1)).toPrecision(6)}`;
            expected.push(
              `${each.record} ${number}${status === 'corrected' || status === 'amended' ? ' corrected' : ''}`,
            );
          }
        const codes = ['2345-7', `${loinc}|14749-6`];
        expect(told(seriesOf(made, { codes, asked: unit }, units))).toEqual(expected);
      }),
    );
  });

  it('takes the unit of the newest number where none is asked for, and keeps what was told', () => {
    const observe = (day: number, value: Partial<fhir4.Observation>, index: number): Made => ({
      observation: {
        resourceType: 'Observation',
        status: 'final',
        code: concept(['2345-7']),
        effectiveDateTime: `2026-05-0${day}`,
        ...value,
      },
      updated: index,
      record: index,
    });
    const made = [
      observe(3, { valueString: 'haemolysed' }, 0),
      observe(2, { valueQuantity: { value: 5, system: ucum, code: 'mmol/L', unit: 'mmol/l' } }, 1),
      observe(1, { valueQuantity: { value: 180.156, system: ucum, code: 'mg/dL' } }, 2),
    ];

    const { unit, points } = seriesOf(made, { codes: ['2345-7'], asked: undefined }, units);

    expect(unit?.code).toBe('mmol/L');
    expect(points.map(({ value, original }) => [value?.value, original[0]])).toEqual([
      [10, 'valueQuantity'],
      [5, 'valueQuantity'],
      [undefined, 'valueString'],
    ]);
    expect(points[0]?.original[1]).toEqual({ value: 180.156, system: ucum, code: 'mg/dL' });
    expect(seriesOf(made.slice(0, 1), { codes: ['2345-7'], asked: undefined }, units).unit).toBeUndefined();
    expect(seriesOf(made, { codes: [`|2345-7`], asked: undefined }, units).points).toEqual([]);
  });
});
