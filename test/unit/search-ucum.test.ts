import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricUnits, otherUnits } from '../../shared/fhir/generated/ucum-units.ts';
import { exactRange } from '../../shared/search/decimal-range.ts';
import { canonicalQuantity, conversion, convertRange } from '../../shared/search/ucum/convert.ts';
import { molarMassFor, substances } from '../../shared/search/ucum/molar-mass.ts';
import { toDouble } from '../../shared/search/ucum/ratio.ts';
import { parseUnit } from '../../shared/search/ucum/unit.ts';
import { convertUnit, publishedUnits } from '../support/ucum-lhc.ts';

/** A value in another unit, as a search converts it. */
const converted = (value: string, from: string, to: string, gramsPerMole?: string): number | undefined => {
  const way = conversion(from, to);
  const range = exactRange(value);
  if (!way || !range || (way.perMole !== 0 && gramsPerMole === undefined)) return undefined;
  return convertRange(range, way, gramsPerMole).value;
};

const closeTo = (actual: number | undefined, expected: number | undefined): boolean =>
  actual === expected ||
  (actual !== undefined && expected !== undefined && Math.abs(actual / expected - 1) < 1e-9) ||
  // degrees around zero
  (actual !== undefined && expected !== undefined && Math.abs(actual - expected) < 1e-9);

/**
 * Units whose definition the other evaluator's table has without its first factor (`[diop]` is 1/m, `Bd` 1/s, `[mesh_i]` one an inch), or
 * with another number in its magnitude than in its definition (`[LPF]`). It makes the zero of `[degRe]` another one than that of `Cel`.
 */
const differing = new Set(['[diop]', '[mesh_i]', 'Bd', '[LPF]', '/[LPF]', '{#}/[LPF]', '[degRe]']);
const avogadro = 6.0221367e23;
const bases = ['m', 's', 'g', 'rad', 'K', 'C', 'cd'];

describe('a unit of UCUM', () => {
  const units = publishedUnits();
  const known = units.filter(({ csCode_: code }) => parseUnit(code) !== undefined);

  it('is read, of all 772 that are published, but for levels, pH and other scales', () => {
    const unread = units.map(({ csCode_ }) => csCode_).filter((code) => !parseUnit(code));

    expect(units).toHaveLength(772);
    expect(
      unread.filter((code) => !/^(d?B(\[|$)|Np|\[hp'_|\[pH\]|%\[slope\]|\[p'diop\]|\[m\/s2|bit_s)/.test(code)),
    ).toEqual([
      'g/kg ', // with a space at their end, which is no unit
      'L/(min.m2) ',
    ]);
  });

  it('comes to the published magnitude and dimension', () => {
    const wrong = known.filter(({ csCode_, magnitude_, dim_ }) => {
      const { factor, dimension } = parseUnit(csCode_) ?? {};
      const amount = ['mol', 'eq', 'osm'].reduce((sum, base) => sum + (dimension?.get(base) ?? 0), 0);
      const isSameSize = closeTo(factor && toDouble(factor) * avogadro ** amount, magnitude_);
      const exponents = dim_.dimVec_ ?? bases.map(() => 0);
      return !isSameSize || bases.some((base, index) => (dimension?.get(base) ?? 0) !== exponents[index]);
    });

    expect(wrong.map(({ csCode_ }) => csCode_).filter((code) => !differing.has(code))).toEqual([]);
    expect(known.length).toBeGreaterThan(700);
  });

  it('converts into every published unit as an independent evaluator converts it, and into no other', () => {
    // the other evaluator does not convert arbitrary units at all, and takes osmoles for moles
    const comparable = known.filter(
      ({ csCode_, isArbitrary_ }) =>
        !isArbitrary_ && !differing.has(csCode_) && !/\[(LPF|i?IU|iU|arb|CFU)|osm/i.test(csCode_),
    );
    const byDimension = Map.groupBy(comparable, ({ csCode_ }) => canonicalQuantity(1, csCode_)?.dimension);
    const partners = [...byDimension.values()].flatMap((group) => group.slice(0, 1));
    let conversions = 0;
    const wrong: string[] = [];
    for (const { csCode_: from } of comparable) {
      const own = byDimension.get(canonicalQuantity(1, from)?.dimension) ?? [];
      for (const { csCode_: to } of [...own.slice(0, 3), ...partners.slice(0, 12)]) {
        const expected = convertUnit(12.5, from, to);
        const actual = converted('12.5', from, to);
        if (expected !== undefined) conversions++;
        if (!closeTo(actual, expected)) wrong.push(`${from} → ${to}: ${actual}, not ${expected}`);
      }
    }

    expect(wrong).toEqual([]);
    expect(conversions).toBeGreaterThan(1_500);
  });

  it('may be made of others, and then comes to what an independent evaluator says', () => {
    const simple = fc.constantFrom(
      'm',
      'g',
      's',
      'L',
      'mol',
      'U',
      'min',
      'h',
      'd',
      'kg',
      'mg',
      'ug',
      'mL',
      'uL',
      'mmol',
      'cm',
      'Pa',
      'mm[Hg]',
      'cal',
      '[in_i]',
      '[lb_av]',
      '10*3',
      '10*-2',
      '%',
      'kat',
      'eV',
      'W',
      'daN',
      'hPa',
      '24',
      '{cells}',
      'm[H2O]',
      '[pi]',
      '[Cal]',
    );
    const power = fc
      .tuple(simple, fc.constantFrom('', '', '', '2', '-1', '3'))
      .map(([unit, exponent]) => (/[\d}]$/.test(unit) ? unit : unit + exponent));
    const term: fc.Arbitrary<string> = fc
      .tuple(
        fc.constantFrom('', '', '', '/'),
        fc.array(fc.tuple(power, fc.constantFrom('.', '/')), { minLength: 1, maxLength: 3 }),
        power,
      )
      .map(
        ([first, parts, last]) => `${first}${parts.map(([unit, operator]) => `${unit}${operator}`).join('')}${last}`,
      );
    const compound = fc.oneof(
      term,
      fc.tuple(simple, term).map(([unit, inner]) => `${unit}/(${inner.replace(/^\//, '')})`),
    );
    let compared = 0;
    fc.assert(
      fc.property(compound, (code) => {
        const unit = parseUnit(code);
        const { dimension } = canonicalQuantity(1, code) ?? {};
        if (unit === undefined || dimension === undefined) return convertUnit(1, code, code) === undefined;
        const canonical = [...unit.dimension].map(([base, exponent]) => `${base}${exponent}`).join('.') || '1';
        const expected = convertUnit(2, code, canonical);
        compared++;
        return closeTo(converted('2', code, canonical), expected);
      }),
      { seed: 7, numRuns: 1_500 },
    );

    expect(compared).toBeGreaterThan(1_200);
  });

  it.each([
    '',
    'mgg',
    'xyz',
    'm/',
    '.m',
    'm..s',
    '(m',
    'm)',
    'm^2',
    'mg dL',
    '{',
    '{a}}',
    '[foo]',
    '0',
    'm41',
    'kmin',
    'Cel/min',
    'm'.repeat(61),
    '__proto__',
    'constructor',
  ])('is not %j', (code) => {
    expect(parseUnit(code)).toBeUndefined();
  });

  it('is what the annotation in it leaves out', () => {
    expect(converted('5', '10*3{cells}/uL', '10*9/L')).toBe(5);
    expect(converted('5', '{beats}/min', '/min')).toBe(5);
    expect(converted('60', 'mL/min/{1.73_m2}', 'mL/min')).toBe(60);
  });

  it('is known by one definition each', () => {
    const lines = [metricUnits, otherUnits].flatMap((table) => table.trim().split('\n'));
    const symbols = lines.map((line) => line.split(' ')[0]);

    expect(new Set(symbols).size).toBe(symbols.length);
    expect(symbols.length).toBeGreaterThan(280);
  });
});

describe('a conversion', () => {
  it.each([
    ['5.4', 'mmol/L', 'umol/L', 5_400],
    ['0.1', 'kg', 'mg', 100_000],
    ['0.3', 'm', 'cm', 30],
    ['120', 'mm[Hg]', 'kPa', 15.99864],
    ['98.6', '[degF]', 'Cel', 37],
    ['37', 'Cel', '[degF]', 98.6],
    ['0', 'Cel', 'K', 273.15],
    ['37000', 'mCel', 'Cel', 37],
    ['1', '[lb_av]', 'g', 453.592_37],
    ['1', '[iU]/mL', 'k[IU]/L', 1],
    ['5', '%', '1', 0.05],
  ])('makes %s %s exactly what it is in %s', (value, from, to, expected) => {
    expect(converted(value, from, to)).toBe(expected);
  });

  it.each([
    ['mmol/L', 'mg'],
    ['Cel', 'm'],
    ['[iU]/mL', "[arb'U]/mL"],
    ['meq/L', 'mmol/L'], // depends on the charge
    ['osm/kg', 'mol/kg'],
    ['[pH]', 'mol/L'],
    ['mmol/L', '10*20/L'],
  ])('does not make %s of %s', (from, to) => {
    expect(conversion(from, to)).toBeUndefined();
  });

  it('needs the mass of a mole between mass and amount, either way', () => {
    expect(conversion('mg/dL', 'mmol/L')?.perMole).toBe(1);
    expect(conversion('mmol/L', 'mg/dL')?.perMole).toBe(-1);
    expect(conversion('L/mol', 'L/g')?.perMole).toBe(1);
    expect(converted('97.3', 'mg/dL', 'mmol/L', '180.156')).toBeCloseTo(
      convertUnit(97.3, 'mg/dL', 'mmol/L', 180.156) ?? 0,
      12,
    );
    expect(converted('5.4', 'mmol/L', 'mg/dL', '180.156')).toBe(97.284_24);
    expect(conversion('mg2/dL', 'mmol/L')).toBeUndefined();
  });

  it('keeps what is in the range of a value there, and nothing else', () => {
    const decimal = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 0, max: 4 }));
    const pair = fc.constantFrom(
      ['mmol/L', 'umol/L'],
      ['[lb_av]', 'g'],
      ['mg', 'kg'],
      ['h', 'min'],
      ['kPa', 'mm[Hg]'],
      ['[degF]', 'Cel'],
    );
    fc.assert(
      fc.property(decimal, pair, ([digits, places], [from = '', to = '']) => {
        const text = (digits / 10 ** places).toFixed(places);
        const [range, way] = [exactRange(text), conversion(from, to)];
        if (!range || !way) return false;
        const { low, value, high } = convertRange(range, way);
        const bound = (shift: number): number =>
          converted((digits / 10 ** places + shift / 10 ** places).toFixed(places + 1), from, to) ?? 0;
        return low < value && value < high && closeTo(low, bound(-0.5)) && closeTo(high, bound(0.5));
      }),
    );
  });
});

describe('the mass of a mole', () => {
  /** https://ciaaw.org/atomic-weights.htm */
  const weights: Readonly<Record<string, number>> = {
    C: 12.011,
    H: 1.008,
    N: 14.007,
    O: 15.999,
    I: 126.904,
    Ca: 40.078,
    Mg: 24.305,
    P: 30.974,
    Fe: 55.845,
  };
  const formulas = [
    'C6H12O6',
    'C27H46O',
    'C57H104O6',
    'C4H7N3O',
    'CH4N2O',
    'N2',
    'Ca',
    'C33H36N4O6',
    'C5H4N4O3',
    'P',
    'Mg',
    'Fe',
    'C21H30O5',
    'C19H28O2',
    'C15H11I4NO4',
  ];

  it.each(formulas.map((formula, index) => [formula, substances[index]?.[0] ?? '']))(
    'of %s is %s g',
    (formula, mass) => {
      const atoms = [...formula.matchAll(/([A-Z][a-z]?)(\d*)/g)];
      const sum = atoms.reduce(
        (total, [, symbol = '', count]) => total + (weights[symbol] ?? Number.NaN) * Number(count || 1),
        0,
      );

      expect(sum.toFixed(3)).toBe(mass);
    },
  );

  it('is there for each substance, none of whose codes is another’s', () => {
    const codes = substances.flatMap(([, each]) => each.split(' '));

    expect(substances).toHaveLength(formulas.length);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => !/^\d{3,5}-\d$/.test(code))).toEqual([]);
  });

  it('goes by the code of the component that holds the quantity, else by that of the resource', () => {
    const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
    const [own, part] = [{ value: 1 }, { value: 2 }];
    const observation = {
      resourceType: 'Observation',
      code: loinc('2345-7'),
      valueQuantity: own,
      component: [
        { code: loinc('2160-0'), valueQuantity: part },
        { code: loinc('x'), valueQuantity: { value: 3 } },
      ],
    };

    expect(molarMassFor(own, observation)).toBe('180.156');
    expect(molarMassFor(part, observation)).toBe('113.120');
    expect(molarMassFor(observation.component[1]?.valueQuantity, observation)).toBeUndefined();
    expect(
      molarMassFor(own, { ...observation, code: { coding: [{ system: 'http://other.org', code: '2345-7' }] } }),
    ).toBeUndefined();
  });
});
