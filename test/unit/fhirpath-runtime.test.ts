import { describe, expect, it } from 'vitest';
import {
  children,
  compareDates,
  compareNumbers,
  compareQuantities,
  concatenate,
  count,
  descendants,
  empty,
  equal,
  every,
  exists,
  hasChoice,
  intersect,
  isDistinct,
  many,
  matches,
  memberOf,
  one,
  referencedType,
  select,
  startsWith,
  substring,
  toInteger,
  union,
  where,
} from '../../shared/fhir/fhirpath-runtime.ts';

describe('search values', () => {
  it('are one for an element that is there, be it false or zero', () => {
    expect(one('boolean', false)).toEqual([{ type: 'boolean', value: false }]);
    expect(one('decimal', 0)).toEqual([{ type: 'decimal', value: 0 }]);
    expect(one('string', undefined)).toEqual([]);
    expect(one('string', null)).toEqual([]);
  });

  it('are as many as a list has without its gaps', () => {
    expect(many('string', ['a', null, 'b'])).toEqual([
      { type: 'string', value: 'a' },
      { type: 'string', value: 'b' },
    ]);
    expect(many('string', undefined)).toEqual([]);
  });
});

describe('collections', () => {
  it('select flattens lists and leaves out what is absent', () => {
    const names = [{ given: ['a', null] }, {}, { given: ['b'] }] as { given?: string[] }[];

    expect(select(names, (name) => name.given)).toEqual(['a', 'b']);
    expect(select([{ x: 1 }, {}] as { x?: number }[], (item) => item.x)).toEqual([1]);
    expect(select(undefined, (item) => item)).toEqual([]);
  });

  it('where, every and union pass over gaps', () => {
    expect(where([1, null, 2, 3], (item) => item > 1)).toEqual([2, 3]);
    expect(every([2, null, 3], (item) => item > 1)).toBe(true);
    expect(every([1, 2], (item) => item > 1)).toBe(false);
    expect(every(undefined, () => false)).toBe(true);
    expect(union([1, null], 2, undefined, [3])).toEqual([1, 2, 3]);
  });

  it('exist if any element is there; a list of gaps is empty', () => {
    expect(exists(undefined, false)).toBe(true);
    expect(exists(undefined, [], [null])).toBe(false);
    expect(empty([null], undefined)).toBe(true);
    expect(empty(0)).toBe(false);
    expect(count(['a', 'b'], 'c', undefined)).toBe(3);
  });

  it('intersect and equal compare deeply, whatever the order of members', () => {
    const a = { system: 's', code: 'c' };
    const b = { code: 'c', system: 's' };

    expect(intersect([a, { code: 'x' }], [b])).toEqual([a]);
    expect(intersect<fhir4.Coding>([a], [{ ...b, display: 'd' }])).toEqual([]);
    expect(equal(a, b)).toBe(true);
    expect(equal([1, 2], [2, 1])).toBe(false);
    expect(equal('a', undefined)).toBeUndefined();
  });

  it('are distinct if no value comes twice', () => {
    expect(isDistinct(['a', 'b'])).toBe(true);
    expect(isDistinct(['a', 'a'])).toBe(false);
    expect(isDistinct(undefined)).toBe(true);
  });

  it('hold a member, or say nothing of an absent one', () => {
    expect(memberOf('a', ['a'])).toBe(true);
    expect(memberOf('b', ['a'])).toBe(false);
    expect(memberOf(undefined, ['a'])).toBeUndefined();
  });
});

describe('hasChoice', () => {
  it.each([
    [{ valueString: 'x' }, true],
    [{ _valueDateTime: {} }, true],
    [{ value: 'x' }, false],
    [{ valueset: 'x' }, false],
    [{ values: 'x' }, false],
    [{}, false],
  ])('of %j is %s', (element, expected) => {
    expect(hasChoice(element, 'value')).toBe(expected);
  });
});

describe('text', () => {
  it('is empty where its source is', () => {
    expect(startsWith('abc', 'ab')).toBe(true);
    expect(startsWith(undefined, 'ab')).toBeUndefined();
    expect(startsWith('abc', undefined)).toBeUndefined();
    expect(matches('abc', /b/)).toBe(true);
    expect(matches(undefined, /b/)).toBeUndefined();
    expect(substring('#abc', 1)).toBe('abc');
    expect(substring('#', 1)).toBeUndefined();
    expect(concatenate('a', undefined)).toBe('a');
  });

  it.each([
    ['12', 12],
    ['-3', -3],
    ['*', undefined],
    ['1.5', undefined],
    [undefined, undefined],
  ])('%s as an integer is %s', (text, expected) => {
    expect(toInteger(text)).toBe(expected);
  });
});

describe('descendants', () => {
  it('are all objects and primitives below, and children are found among them by name', () => {
    const resource = { item: [{ linkId: '1', item: [{ linkId: '2' }] }], _id: { extension: [{ url: 'u' }] } };

    expect(descendants(resource)).toHaveLength(7);
    expect(new Set(children(descendants(resource), 'linkId'))).toEqual(new Set(['1', '2']));
    expect(children(['text', { toString: 1 }], 'constructor')).toEqual([]);
  });
});

describe('referencedType', () => {
  it.each([
    [{ reference: 'Patient/1' }, 'Patient'],
    [{ reference: 'Patient/a-b.C/_history/2' }, 'Patient'],
    [{ reference: 'https://example.org/fhir/r4/Patient/1' }, 'Patient'],
    [{ reference: 'https://example.org/Patient/1/_history/3' }, 'Patient'],
    [{ reference: 'urn:uuid:1', type: 'Patient' }, 'Patient'],
    [{ type: 'Device', identifier: { value: 'x' } }, 'Device'],
    [{ reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }, undefined],
    [{ reference: '#Patient' }, undefined],
    [{ reference: 'Patient' }, undefined],
    [{ reference: 'patient/1' }, undefined],
    [{ display: 'Patient/1' }, undefined],
    [undefined, undefined],
  ])('of %j is %s', (reference, expected) => {
    expect(referencedType(reference)).toBe(expected);
  });
});

describe('compareDates', () => {
  it.each([
    ['2024-01-01', '2024-01-02', -1],
    ['2024-02', '2024-01', 1],
    ['2024', '2024', 0],
    ['2024', '2024-05', undefined],
    ['2024-05-31', '2024-05', undefined],
    ['2024-05-31', '2024-06', -1],
    ['2023-12', '2024', -1],
    ['2024-01-01T10:00:00Z', '2024-01-01T11:00:00+01:00', 0],
    ['2024-01-01T10:00:00.5Z', '2024-01-01T10:00:00Z', 1],
    ['2024-01-01T23:30:00-05:00', '2024-01-02T04:00:00Z', 1],
    ['2024-01-01', '2024-01-01T12:00:00Z', undefined],
    ['2024-01-02', '2024-01-01T23:30:00Z', undefined], // the second already begins far enough east
    ['2024-01-03', '2024-01-01T23:30:00Z', 1],
    ['2024-01-01T23:30:00Z', '2024-01-03', -1],
    ['nonsense', '2024', undefined],
    [undefined, '2024', undefined],
    ['2024', undefined, undefined],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(compareDates(a, b)).toBe(expected);
  });
});

describe('compareNumbers and compareQuantities', () => {
  it('order what is there', () => {
    expect(compareNumbers(1, 2)).toBe(-1);
    expect(compareNumbers(2, 2)).toBe(0);
    expect(compareNumbers(undefined, 2)).toBeUndefined();
  });

  it('order quantities of one unit only', () => {
    expect(compareQuantities({ value: 2, unit: 'mg' }, { value: 1, unit: 'mg' })).toBe(1);
    expect(compareQuantities({ value: 2, unit: 'mg' }, { value: 1, unit: 'g' })).toBeUndefined();
    expect(
      compareQuantities({ value: 2, system: 'a', code: 'x' }, { value: 1, system: 'b', code: 'x' }),
    ).toBeUndefined();
    expect(compareQuantities({ unit: 'mg' }, { value: 1, unit: 'mg' })).toBeUndefined();
  });
});
