import { describe, expect, it } from 'vitest';
import { keptUntil, type RetentionPolicy } from '../../shared/retention/policy.ts';

const policy: RetentionPolicy = { years: 10, yearsOfType: { Immunization: 75 }, majority: 18, yearsFromMajority: 7 };
const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const until = (born: string | undefined, ...records: readonly (readonly [string, string])[]) =>
  new Date(
    keptUntil(
      records.map(([type, last]) => ({ type, last: day(last) })),
      born === undefined ? undefined : day(born),
      policy,
    ),
  )
    .toISOString()
    .slice(0, 10);

describe('a chart is kept', () => {
  it('until its youngest record is old enough', () => {
    expect(until('1950-01-01', ['Observation', '2001-02-03'], ['Condition', '2005-06-07'])).toBe('2015-06-07');
  });

  it('for longer where a kind of record is', () => {
    expect(until('1950-01-01', ['Observation', '2005-02-03'], ['Immunization', '1990-01-01'])).toBe('2065-01-01');
  });

  it('until some years after a minor came of age', () => {
    expect(until('2000-05-05', ['Observation', '2001-01-01'])).toBe('2025-05-05');
    expect(until('2000-05-05', ['Observation', '2018-05-04'])).toBe('2028-05-04');
    expect(until('2000-05-05', ['Observation', '2018-05-05'])).toBe('2028-05-05');
  });

  it('as if somebody without a date of birth was born with the record', () => {
    expect(until(undefined, ['Observation', '2001-01-01'])).toBe('2026-01-01');
  });
});
