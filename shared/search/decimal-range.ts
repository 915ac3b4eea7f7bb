/** A decimal without loss: `digits` times ten to the power of `exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** A number, and the range that its digits imply: from `low` to just below `high`. */
export interface DecimalRange {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** As `DecimalRange`, without loss. */
export interface ExactRange {
  readonly value: Decimal;
  readonly low: Decimal;
  readonly high: Decimal;
}

const decimal = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Far more digits than a double holds; more would only cost time. */
const longestDecimal = 64;

/**
 * Reads a decimal and the range of what equals it to that many significant figures: `100` is 99.5 to 100.5, `100.00` is 99.995 to
 * 100.005, `1e2` is 95 to 105 (the specification's example: an exponent implies two figures at least).
 *
 * @returns undefined if the text is no decimal, or too large for a double.
 * @see https://hl7.org/fhir/R4/search.html#number
 */
export const exactRange = (text: string): ExactRange | undefined => {
  const value = readDecimal(text);
  return value && { value, low: scaled(value, 10n, -5n), high: scaled(value, 10n, 5n) };
};

/** As `exactRange`, with 10 % on either side, and never less than its digits imply. https://hl7.org/fhir/R4/search.html#prefix */
export const approximateRange = (text: string): ExactRange | undefined => {
  const implied = exactRange(text);
  if (!implied) return undefined;
  const bounds = [implied.low, implied.high, scaled(implied.value, 9n, 0n), scaled(implied.value, 11n, 0n)];
  bounds.sort((a, b) => (a.digits < b.digits ? -1 : 1)); // all have one exponent
  const [low = implied.low, high = implied.high] = [bounds[0], bounds[3]];
  return { value: implied.value, low, high };
};

/** A tenth of the decimal's last place as unit: `factor` tenths of it and `more` of them. */
const scaled = ({ digits, exponent }: Decimal, factor: bigint, more: bigint): Decimal => ({
  digits: digits * factor + more,
  exponent: exponent - 1,
});

/** The bounds as doubles, each rounded once. */
export const inDoubles = ({ value, low, high }: ExactRange): DecimalRange => ({
  value: toDouble(value),
  low: toDouble(low),
  high: toDouble(high),
});

// Through text, which is rounded once; multiplying by a power of ten would round twice: 5.4 - 0.05 is not 5.35.
const toDouble = ({ digits, exponent }: Decimal): number => Number(`${digits}e${exponent}`);

/** Whole digits and the power of ten that they are multiplied by, so that bounds come out exact. */
const readDecimal = (text: string): Decimal | undefined => {
  const parts = text.length > longestDecimal ? null : decimal.exec(text);
  if (!parts || !Number.isFinite(Number(text))) return undefined;
  const [, sign = '', whole = '', fraction = '', power] = parts;
  const shown = whole + fraction;
  const digits = BigInt(shown) * (sign === '-' ? -1n : 1n);
  const exponent = Number(power ?? 0) - fraction.length;
  const oneFigure = power !== undefined && shown.replace(/^0+/, '').length === 1;
  return oneFigure ? { digits: digits * 10n, exponent: exponent - 1 } : { digits, exponent };
};
