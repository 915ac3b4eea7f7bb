import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { dateInterval, type Interval } from '../../shared/search/date-range.ts';
import { exactRange, inDoubles } from '../../shared/search/decimal-range.ts';
import { escapeValue, splitValue, unescapeValue } from '../../shared/search/escape.ts';
import { foldText } from '../../shared/search/fold.ts';
import { compareInterval } from '../../shared/search/match/date.ts';
import { compareNumber } from '../../shared/search/match/number.ts';
import { matches, type RecordFacts } from '../../shared/search/matches.ts';
import { parseToken, printToken } from '../../shared/search/parse/token.ts';
import { parseSearchQuery } from '../../shared/search/parse-query.ts';
import { baseUrl, cases } from '../support/search-cases.ts';
import { wholeLanguage } from '../support/search-language.ts';
import { searchParameters } from '../support/search-parameters.ts';

const interval: fc.Arbitrary<Interval> = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }), fc.boolean(), fc.boolean())
  .map(([start, length, openStart, openEnd]) => ({
    start: openStart ? Number.NEGATIVE_INFINITY : start,
    end: openEnd ? Number.POSITIVE_INFINITY : start + length,
  }));
const closed = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }))
  .map(([start, length]): Interval => ({ start, end: start + length }));

describe('the prefixes of a date', () => {
  const law = (holds: (is: (prefix: Parameters<typeof compareInterval>[0]) => boolean) => boolean) =>
    fc.assert(
      fc.property(closed, interval, (searched, target) => holds((prefix) => compareInterval(prefix, searched, target))),
    );

  it('are such that eq implies ge, le and ap', () => {
    law((is) => !is('eq') || (is('ge') && is('le') && is('ap')));
  });

  it('are such that ne is not eq', () => {
    law((is) => is('ne') !== is('eq'));
  });

  it('are such that gt implies ge, lt implies le, sa implies gt and eb implies lt', () => {
    law(
      (is) => (!is('gt') || is('ge')) && (!is('lt') || is('le')) && (!is('sa') || is('gt')) && (!is('eb') || is('lt')),
    );
  });

  it('are such that every time is before, after or overlaps', () => {
    law((is) => [is('sa'), is('eb'), is('ap')].filter(Boolean).length === 1);
  });
});

describe('the prefixes of a number', () => {
  const decimal = fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -2, max: 0 }))
    .map(([digits, power]) => {
      const text = (digits * 10 ** power).toFixed(-power);
      const exact = exactRange(text);
      return { text, range: exact && inDoubles(exact) };
    });

  it('are such that a number equals itself, and is ge and le but neither gt nor lt', () => {
    fc.assert(
      fc.property(decimal, ({ text, range }) => {
        const target = { low: Number(text), high: Number(text) };
        const holding = (['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const).filter(
          (prefix) => range && compareNumber(prefix, range, target),
        );

        expect(holding).toEqual(['eq', 'ge', 'le', 'ap']);
      }),
    );
  });

  it('are such that any two numbers are in exactly one of gt, lt or both of ge and le', () => {
    fc.assert(
      fc.property(decimal, fc.double({ min: -1e4, max: 1e4, noNaN: true }), ({ range }, value) => {
        const is = (prefix: 'gt' | 'lt' | 'ge' | 'le') =>
          range !== undefined && compareNumber(prefix, range, { low: value, high: value });

        expect([is('gt'), is('lt'), is('ge') && is('le')].filter(Boolean)).toHaveLength(1);
      }),
    );
  });
});

describe('dateInterval', () => {
  const moment = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });

  it('holds the moment in each of its truncations, and these within each other', () => {
    fc.assert(
      fc.property(moment, (date) => {
        const text = date.toISOString();
        const truncated = [
          text,
          `${text.slice(0, 19)}Z`,
          text.slice(0, 16),
          text.slice(0, 10),
          text.slice(0, 7),
          text.slice(0, 4),
        ];
        const intervals = truncated.map((part) => dateInterval(part));

        expect(intervals[0]).toEqual({ start: date.getTime(), end: date.getTime() + 1 });
        for (const [index, inner] of intervals.slice(0, -1).entries()) {
          const outer = intervals[index + 1];
          expect(inner && outer && outer.start <= inner.start && inner.end <= outer.end).toBe(true);
        }
      }),
    );
  });

  it('begins each day, month and year where the one before it ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9998 }), fc.integer({ min: 1, max: 12 }), (year, month) => {
        const text = (y: number, m?: number) =>
          `${String(y).padStart(4, '0')}${m ? `-${String(m).padStart(2, '0')}` : ''}`;
        const next = month === 12 ? text(year + 1, 1) : text(year, month + 1);

        expect(dateInterval(text(year, month))?.end).toBe(dateInterval(next)?.start);
        expect(dateInterval(text(year))?.end).toBe(dateInterval(text(year + 1))?.start);
      }),
    );
  });
});

describe('escapes', () => {
  const awkward = fc.string({ unit: fc.constantFrom(',', '|', '$', '\\', 'a', ' ') });

  it('survive printing and parsing, alone and in a list', () => {
    fc.assert(
      fc.property(fc.array(awkward, { minLength: 1 }), (values) => {
        const printed = values.map(escapeValue).join(',');

        expect(splitValue(printed, ',').map(unescapeValue)).toEqual(values);
      }),
    );
  });

  it('let every token be printed and parsed back', () => {
    const text = awkward.filter((value) => value !== '');
    const token = fc.oneof(
      fc.record({ type: fc.constant('token' as const), system: fc.constant(undefined), code: text }),
      fc.record({ type: fc.constant('token' as const), system: awkward, code: text }),
      fc.record({ type: fc.constant('token' as const), system: text, code: fc.constant(undefined) }),
    );
    fc.assert(
      fc.property(token, (value) => {
        expect(parseToken('code', printToken(value))).toEqual(value);
      }),
    );
  });
});

describe('foldText', () => {
  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(foldText(foldText(text))).toBe(foldText(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['  Ana\tMaría   de  la Cruz ', 'ana maria de la cruz'],
    ['ŁUKASZ', 'lukasz'],
    ['Müller', 'muller'],
    ['MU\u0308LLER', 'muller'],
    ['GROẞ', 'gross'],
    ['İstanbul', 'istanbul'],
    ['ΟΔΟΣ', 'οδοσ'],
    ["D'Angelo-O’Neil, Jr.", 'dangelo oneil jr'],
    ['Ｆｕｌｌ', 'full'],
    ['한글', '한글'],
    ['...', ''],
  ])('turns %j into %j', (text, folded) => {
    expect(foldText(text)).toBe(folded);
  });
});

describe('any query at all', () => {
  const codes = Object.values(searchParameters).flatMap((parameters) => parameters.map(({ code }) => code));
  const name = fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...codes),
        fc.constantFrom(
          '_count',
          '_sort',
          '_include',
          '_has:Observation:patient:',
          '_elements',
          '_summary',
          '_filter',
          '_text',
          '_list',
        ),
        fc.string(),
      ),
      fc.oneof(
        fc.constant(''),
        fc.constantFrom(
          ':missing',
          ':exact',
          ':not',
          ':text',
          ':identifier',
          ':Patient',
          ':below',
          ':in',
          ':of-type',
          '.name',
          '.subject.name',
        ),
        fc.string(),
      ),
    )
    .map((parts) => parts.join(''));
  const fragment = fc.constantFrom(
    'ge',
    'ap',
    '2024',
    '-02-30',
    'T10:00',
    'Z',
    '1.5',
    'e9',
    '|',
    '$',
    ',',
    '\\',
    'http://a.org/',
    'Patient/1',
    '#',
    'true',
    ' ',
    'é',
    ' eq ',
    ' and ',
    '(',
    ')',
    '[',
    '"',
    'name',
    'http://unitsofmeasure.org|',
    'mg/dL',
  );
  const value = fc.oneof(
    fc.array(fragment, { maxLength: 6 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );
  const resources = [
    {
      resourceType: 'Patient',
      name: [{ family: 'A', given: ['B', null] }],
      gender: 'male',
      birthDate: '1990',
      meta: { tag: [{}] },
    },
    {
      resourceType: 'Observation',
      code: {},
      subject: { reference: 'Patient/1' },
      valueQuantity: {},
      effectivePeriod: {},
      component: [{ code: {} }],
    },
  ];

  /** Every lookup is made and finds nothing. */
  const facts: RecordFacts = {
    id: 'r1',
    lastUpdated: 0,
    baseUrl,
    units: wholeLanguage.units,
    lookups: Object.assign(new Map(), { get: () => ({ has: () => false }) }),
    terminology: {
      members: () => ({ has: () => false }),
      ancestors: () => ({ has: () => false }),
      systemsOf: () => [],
    },
  };

  it('is answered or refused with a RecordError, never with a fault', () => {
    let answered = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.entries(searchParameters)),
        fc.array(fc.tuple(name, value), { maxLength: 3 }),
        fc.boolean(),
        ([resourceType, parameters], query, strict) => {
          try {
            const { conditions } = parseSearchQuery(parameters, query, {
              strict,
              resourceType,
              baseUrl,
              now: 0,
              parametersOf: (type) => searchParameters[type],
              ...wholeLanguage,
            });
            answered++;
            for (const resource of resources) {
              if (resource.resourceType === resourceType) matches(conditions, resource, facts);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(RecordError);
          }
        },
      ),
      { numRuns: 5_000 },
    );

    expect(answered).toBeGreaterThan(500);
  });

  it('is also that when it is a legal one with letters changed', () => {
    const legal = Object.values(cases).flatMap((rows) =>
      rows.map(([query, resource]) => ({ resource, pairs: [...new URLSearchParams(query)] })),
    );
    const change = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.oneof(fragment, fc.string({ maxLength: 2 })));
    let answered = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...legal),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        ({ resource, pairs }, changes) => {
          const query = pairs.map(([name, value]) => {
            let text = `${name}=${value}`;
            for (const [at, removed, put] of changes) {
              const start = at % (text.length + 1);
              text = text.slice(0, start) + put + text.slice(start + removed);
            }
            const [changedName = '', ...rest] = text.split('=');
            return [changedName, rest.join('=')] as const;
          });
          const { resourceType } = resource;
          try {
            const { conditions } = parseSearchQuery(searchParameters[resourceType] ?? [], query, {
              strict: false,
              resourceType,
              baseUrl,
              now: 0,
              parametersOf: (type) => searchParameters[type],
              ...wholeLanguage,
            });
            answered++;
            matches(conditions, resource, facts);
          } catch (error) {
            expect(error).toBeInstanceOf(RecordError);
          }
        },
      ),
      { numRuns: 5_000 },
    );

    expect(answered).toBeGreaterThan(500);
  });
});
