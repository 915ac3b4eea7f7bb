import { describe, expect, it } from 'vitest';
import { parseJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { type Measured, type Result, targetProgress } from '../../shared/plans/target-progress.ts';
import * as units from '../../shared/search/ucum/units.lazy.ts';

// How a target stands to results. What is not said is not guessed.

const ucum = 'http://unitsofmeasure.org';
type Quantity = fhir4.Quantity;

/** `<7.0 %`, `140 mm[Hg]`: comparator, number and code of UCUM. */
const quantity = (text: string): Quantity => {
  const [, comparator, value, code] = /^([<>]=?)?([\d.]+)(?: (.*))?$/.exec(text) ?? [];
  const unit = code === undefined ? '' : `,"system":"${ucum}","code":"${code}"`;
  const sign = comparator === undefined ? '' : `,"comparator":"${comparator}"`;
  // As it was written: 7.0 is more precise than 7.
  return parseJson(`{"value":${value}${sign}${unit}}`) as Quantity;
};

const found = (value: Measured, code = '4548-4'): Result => ({
  value,
  observation: {
    resourceType: 'Observation',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    ...value,
  } as unknown as Resource,
  at: 0,
});
const measured = (text: string, code?: string): Result => found({ valueQuantity: quantity(text) }, code);

const progress = (target: fhir4.GoalTarget, latest?: Result, baseline?: Result): string => {
  const { state, trend, because } = targetProgress(target, { latest, baseline }, units);
  expect(because === undefined).toBe(state !== 'not-comparable');
  return trend === undefined ? state : `${state}, ${trend}`;
};
const of = (text: string): fhir4.GoalTarget => ({ detailQuantity: quantity(text) });
const between = (low?: string, high?: string): fhir4.GoalTarget => ({
  detailRange: { ...(low ? { low: quantity(low) } : {}), ...(high ? { high: quantity(high) } : {}) },
});

describe('a target', () => {
  it('has no result before there is one', () => {
    expect(progress(of('<7 %'))).toBe('no-result');
  });

  it.each([
    ['<7 %', '6.9 %', 'met'],
    ['<7 %', '7 %', 'not-met'],
    ['<=7 %', '7 %', 'met'],
    ['>60 kg', '60 kg', 'not-met'],
    ['>=60 kg', '60 kg', 'met'],
    ['>=60 kg', '59.99 kg', 'not-met'],
    // What the result says is itself a limit.
    ['<7 %', '<4 %', 'met'],
    ['<7 %', '<7 %', 'met'],
    ['<7 %', '<=7 %', 'not-comparable'],
    ['<7 %', '<15 %', 'not-comparable'],
    ['<7 %', '>15 %', 'not-met'],
    ['<=7 %', '>7 %', 'not-met'],
  ])('of %s stands to %s as %s', (target, result, state) => {
    expect(progress(of(target), measured(result))).toBe(state);
  });

  it.each([
    ['4 mmol/L', '7 mmol/L', '5.5 mmol/L', 'met'],
    ['4 mmol/L', '7 mmol/L', '7 mmol/L', 'met'],
    ['4 mmol/L', '7 mmol/L', '7.1 mmol/L', 'not-met'],
    ['4 mmol/L', '7 mmol/L', '3.9 mmol/L', 'not-met'],
    ['4 mmol/L', undefined, '40 mmol/L', 'met'],
    [undefined, '7 mmol/L', '1 mmol/L', 'met'],
    [undefined, undefined, '1 mmol/L', 'not-comparable'],
    ['4 mmol/L', '7 mg/dL', '5 mmol/L', 'not-comparable'],
  ])('from %s to %s stands to %s as %s', (low, high, result, state) => {
    expect(progress(between(low, high), measured(result))).toBe(state);
  });

  it.each([
    ['<140 mm[Hg]', '18 kPa', 'met'],
    ['<140 mm[Hg]', '19 kPa', 'not-met'],
    ['<=70 kg', '70000 g', 'met'],
    ['<=70 kg', '70001 g', 'not-met'],
    ['<=37 Cel', '98.6 [degF]', 'met'],
    ['<=37 Cel', '98.7 [degF]', 'not-met'],
    ['<10 {score}', '9 1', 'met'],
    ['<70 kg', '170 cm', 'not-comparable'],
    ['<70 kg', '69 pounds', 'not-comparable'],
    ['<70 pounds', '69 kg', 'not-comparable'],
    ['<70', '69 kg', 'not-comparable'],
    ['<70 kg', '69', 'not-comparable'],
    ['<10', '9', 'met'],
  ])('of %s in other units stands to %s as %s', (target, result, state) => {
    expect(progress(of(target), measured(result))).toBe(state);
  });

  it('of an amount is compared with a mass where the substance is known', () => {
    expect(progress(of('<7 mmol/L'), measured('126 mg/dL', '2345-7'))).toBe('met');
    expect(progress(of('<7 mmol/L'), measured('127 mg/dL', '2345-7'))).toBe('not-met');
    expect(progress(of('<7 mmol/L'), measured('126 mg/dL', '4548-4'))).toBe('not-comparable');
  });

  it('in words for a unit is compared with the same words alone, and with no code', () => {
    const words = (value: number, unit: string) => ({ value, unit });
    const target: fhir4.GoalTarget = { detailQuantity: { ...words(30, 'minutes'), comparator: '>=' } };
    expect(progress(target, found({ valueQuantity: words(35, 'minutes') }))).toBe('met');
    expect(progress(target, found({ valueQuantity: words(35, 'min') }))).toBe('not-comparable');
    expect(progress(target, measured('35 min'))).toBe('not-comparable');
  });

  it('that names a number alone is met by it, as exactly as it is written', () => {
    expect(progress(of('7.0 %'), measured('7.04 %'))).toBe('met');
    expect(progress(of('7.0 %'), measured('7.05 %'))).toBe('not-comparable');
    expect(progress(of('70 kg'), measured('70.4 kg'))).toBe('met');
    expect(progress({ detailInteger: 5 }, found({ valueInteger: 5 }))).toBe('met');
    expect(progress({ detailInteger: 5 }, found({ valueInteger: 6 }))).toBe('not-comparable');
  });

  it('that names a number alone is not met on the side where the goal began; beyond it nobody knows', () => {
    const began = measured('90 kg');
    expect(progress(of('70 kg'), measured('80 kg'), began)).toBe('not-met, improving');
    expect(progress(of('70 kg'), measured('95 kg'), began)).toBe('not-met, worsening');
    expect(progress(of('70 kg'), measured('60 kg'), began)).toBe('not-comparable');
    expect(progress(of('70 kg'), began, began)).toBe('not-met');
    expect(progress(of('70 kg'), measured('80 kg'), measured('90 cm'))).toBe('not-comparable');
  });

  it.each([
    ['8 %', '7.5 %', 'not-met, improving'],
    ['8 %', '9 %', 'not-met, worsening'],
    ['8 %', '8.0 %', 'not-met, unchanged'],
    ['8 %', '6 %', 'met, improving'],
    ['6 %', '5 %', 'met, unchanged'],
    ['6 %', '8 %', 'not-met, worsening'],
    ['8 kg', '7.5 %', 'not-met'],
    ['<8 %', '7.5 %', 'not-met'],
  ])('has gone from %s to %s: %s', (baseline, latest, told) => {
    expect(progress(of('<7 %'), measured(latest), measured(baseline))).toBe(told);
  });

  it('of a code is met by it, and not by another one of its system', () => {
    const concept = (...codes: string[]): fhir4.CodeableConcept => ({
      coding: codes.map((each) => {
        const [system = '', code = ''] = each.split('|');
        return { system, code };
      }),
    });
    const target: fhir4.GoalTarget = { detailCodeableConcept: concept('snomed|negative', 'local|neg') };
    const result = (...codes: string[]) => found({ valueCodeableConcept: concept(...codes) });
    expect(progress(target, result('snomed|negative'))).toBe('met');
    expect(progress(target, result('snomed|other', 'local|neg'))).toBe('met');
    expect(progress(target, result('snomed|positive'))).toBe('not-met');
    expect(progress(target, result('loinc|negative'))).toBe('not-comparable');
    expect(progress(target, found({ valueCodeableConcept: { text: 'negative' } }))).toBe('not-comparable');
    expect(progress(target, measured('7 %'))).toBe('not-comparable');
  });

  it('of yes or no, or in words, is compared with the same', () => {
    expect(progress({ detailBoolean: false }, found({ valueBoolean: false }))).toBe('met');
    expect(progress({ detailBoolean: false }, found({ valueBoolean: true }))).toBe('not-met');
    expect(progress({ detailBoolean: false }, found({ valueString: 'no' }))).toBe('not-comparable');
    expect(progress({ detailString: 'Walks ' }, found({ valueString: 'Walks' }))).toBe('met');
    expect(progress({ detailString: 'Walks' }, found({ valueString: 'Runs' }))).toBe('not-comparable');
  });

  it('is compared with a range only if all of that is within it, or outside', () => {
    const range = (low: string, high: string) => found({ valueRange: { low: quantity(low), high: quantity(high) } });
    expect(progress(of('<7 %'), range('5 %', '6 %'))).toBe('met');
    expect(progress(of('<7 %'), range('5 %', '8 %'))).toBe('not-comparable');
    expect(progress(of('<7 %'), range('8 %', '9 %'))).toBe('not-met');
    expect(progress(of('<70 kg'), range('60000 g', '65 cm'))).toBe('not-comparable');
  });

  it('without a value, or of a ratio, is compared with nothing', () => {
    expect(progress({ dueDate: '2026-01-01' }, measured('7 %'))).toBe('not-comparable');
    expect(progress({ detailRatio: { numerator: quantity('1') } }, measured('7 %'))).toBe('not-comparable');
  });
});
