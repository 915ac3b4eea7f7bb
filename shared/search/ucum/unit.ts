import { metricUnits, otherUnits } from '../../fhir/generated/ucum-units.ts';
import { dividedBy, one, power, type Ratio, ratio, times } from './ratio.ts';

/** What a unit comes to in base units. https://ucum.org/ucum */
export interface Unit {
  /** How many of the base units it is. */
  readonly factor: Ratio;
  /** Exponents of the base units, of which none is zero. */
  readonly dimension: ReadonlyMap<string, number>;
  /** What zero of it is in base units, where that is not zero: `Cel`, `[degF]`. */
  readonly zero?: Ratio;
}

/** No unit in use is as long; longer ones would only cost time. */
const longestUnit = 60;
const largestExponent = 40;

/** Units read so far. Codes come from records, so only so many are kept. */
const known = new Map<string, Unit | undefined>();
const mostKnown = 1_000;

/**
 * Reads a unit in the case-sensitive notation of UCUM.
 *
 * @returns undefined for what is no unit, or one that does not convert by a factor: levels, pH, degrees in products.
 * @see https://ucum.org/ucum#section-Syntax-Rules
 */
export const parseUnit = (code: string): Unit | undefined => {
  if (known.has(code)) return known.get(code);
  const unit = code.length > longestUnit ? undefined : read(code);
  if (known.size >= mostKnown) known.clear();
  known.set(code, unit);
  return unit;
};

/** Levels and other units that convert by functions of their own, and so do not convert here. https://ucum.org/ucum#section-Special-Units-on-non-ratio-Scales */
const special =
  /^(?:\[pH\]|\[p'diop\]|%\[slope\]|\[hp'_[XCMQ]\]|\[m\/s2\/Hz\^\(1\/2\)\]|(?:da|[YZEPTGMkhdcmunpfazy])?(?:Np|B(?:\[(?:SPL|V|mV|uV|10\.nV|W|kW)\])?|bit_s))(?:\{[^{}]*\})?$/;

/** Whether a code is one of UCUM, whether it converts or not. */
export const isUnit = (code: string): boolean => parseUnit(code) !== undefined || special.test(code);

class NoUnit extends Error {}

const read = (code: string): Unit | undefined => {
  try {
    return new Terms(code).whole();
  } catch (error) {
    if (error instanceof NoUnit) return undefined;
    throw error;
  }
};

const dimensionless: Unit = { factor: one, dimension: new Map() };

const product = (a: Unit, b: Unit, sign: 1 | -1): Unit => {
  if (a.zero || b.zero) throw new NoUnit();
  const dimension = new Map(a.dimension);
  for (const [base, exponent] of b.dimension) {
    const sum = (dimension.get(base) ?? 0) + sign * exponent;
    if (sum === 0) dimension.delete(base);
    else dimension.set(base, sum);
  }
  return { factor: sign > 0 ? times(a.factor, b.factor) : dividedBy(a.factor, b.factor), dimension };
};

const raised = ({ factor, dimension, zero }: Unit, exponent: number): Unit => {
  if (zero) throw new NoUnit();
  const sizes = exponent === 0 ? [] : [...dimension].map(([base, size]) => [base, size * exponent] as const);
  return { factor: power(factor, exponent), dimension: new Map(sizes) };
};

/** Reads `kg.m/s2`, `/min`, `10*3/uL`, `mg/(24.h)`, `mmol/L{plasma}` from left to right. */
class Terms {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Unit {
    const unit = this.#text[0] === '/' ? this.#rest(dimensionless) : this.#rest(this.#component());
    if (this.#at < this.#text.length) throw new NoUnit();
    return unit;
  }

  #rest(first: Unit): Unit {
    let unit = first;
    for (;;) {
      const operator = this.#text[this.#at];
      if (operator !== '.' && operator !== '/') return unit;
      this.#at++;
      unit = product(unit, this.#component(), operator === '.' ? 1 : -1);
    }
  }

  #component(): Unit {
    if (this.#text[this.#at] === '(') {
      this.#at++;
      const unit = this.#rest(this.#component());
      if (this.#text[this.#at++] !== ')') throw new NoUnit();
      this.#match(annotation);
      return unit;
    }
    const symbol = this.#match(component);
    const annotated = this.#match(annotation) !== '';
    if (symbol !== '') return simpleUnit(symbol);
    if (!annotated) throw new NoUnit();
    return dimensionless; // `{cells}` counts
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

const component = /(?:\[[^\][]*\]|[^./(){}[\]])*/y;
const annotation = /(?:\{[^{}]*\})?/y;

const simpleUnit = (text: string): Unit => {
  if (/^\d+$/.test(text)) {
    if (/^0+$/.test(text)) throw new NoUnit();
    return { factor: ratio(BigInt(text)), dimension: new Map() };
  }
  const [, symbol = '', exponent] = /^(10[*^]|.*?[^\d+-])([+-]?\d+)?$/.exec(text) ?? [];
  const unit = atom(symbol) ?? prefixed(symbol);
  if (!unit || Math.abs(Number(exponent ?? 1)) > largestExponent) throw new NoUnit();
  return exponent === undefined ? unit : raised(unit, Number(exponent));
};

/** https://ucum.org/ucum#section-Prefixes */
const prefixTable = 'Y24 Z21 E18 P15 T12 G9 M6 k3 h2 da1 d-1 c-2 m-3 u-6 n-9 p-12 f-15 a-18 z-21 y-24';
const binaryPrefixes = ['Ki', 'Mi', 'Gi', 'Ti'];

const readPrefixes = (): Map<string, Ratio> => {
  const ofTen = [...prefixTable.matchAll(/([A-Za-z]+)(\S+)/g)].map(
    ([, prefix = '', exponent]) => [prefix, power(ratio(10n), Number(exponent))] as const,
  );
  const ofTwo = binaryPrefixes.map((prefix, index) => [prefix, ratio(1_024n ** BigInt(index + 1))] as const);
  return new Map([...ofTen, ...ofTwo]);
};

let prefixes: ReadonlyMap<string, Ratio> | undefined;

const prefixed = (symbol: string): Unit | undefined => {
  prefixes ??= readPrefixes();
  for (const length of [2, 1]) {
    const size = prefixes.get(symbol.slice(0, length));
    const unit = size && atom(symbol.slice(length), true);
    if (unit) return { ...unit, factor: times(size, unit.factor) };
  }
  return undefined;
};

/** What zero is in kelvins. Such units stand alone: https://ucum.org/ucum#section-Special-Units-on-non-ratio-Scales */
const zeros: Readonly<Record<string, readonly [over: bigint, under: bigint]>> = {
  Cel: [27_315n, 100n],
  '[degF]': [229_835n, 900n],
  '[degRe]': [27_315n, 100n],
};

interface Definition {
  readonly value: Ratio;
  /** Undefined for a base unit. */
  readonly term: string | undefined;
  readonly metric: boolean;
}

let definitions: ReadonlyMap<string, Definition> | undefined;
const atoms = new Map<string, Unit>();

const atom = (symbol: string, metric?: true): Unit | undefined => {
  definitions ??= readTables();
  const definition = definitions.get(symbol);
  if (!definition || (metric && !definition.metric)) return undefined;
  const found = atoms.get(symbol) ?? evaluate(symbol, definition);
  atoms.set(symbol, found);
  return found;
};

const evaluate = (symbol: string, { value, term }: Definition): Unit => {
  if (term === undefined) return { factor: one, dimension: new Map([[symbol, 1]]) };
  const unit = new Terms(term).whole();
  const zero = Object.hasOwn(zeros, symbol) ? zeros[symbol] : undefined;
  return { ...unit, factor: times(value, unit.factor), ...(zero && { zero: ratio(...zero) }) };
};

const readTables = (): Map<string, Definition> => {
  const found = new Map<string, Definition>();
  for (const [table, metric] of [
    [metricUnits, true],
    [otherUnits, false],
  ] as const) {
    for (const line of table.trim().split('\n')) {
      const [symbol = '', ...rest] = line.split(' ');
      const term = rest.pop();
      found.set(symbol, { value: decimal(rest[0] ?? '1'), term, metric });
    }
  }
  return found;
};

const decimal = (text: string): Ratio => {
  const [, whole = '', fraction = '', exponent = '0'] = /^(\d+)\.?(\d*)(?:e(-?\d+))?$/.exec(text) ?? [];
  return times(ratio(BigInt(whole + fraction)), power(ratio(10n), Number(exponent) - fraction.length));
};
