/** A number, and the range that its digits imply: from `low` to just below `high`. */
export interface DecimalRange {
  readonly value: number;
  readonly low: number;
  readonly high: number;
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
export const decimalRange = (text: string): DecimalRange | undefined => {
  const read = readDecimal(text);
  return (
    read && {
      value: read.value,
      low: scaled(read.digits * 10n - 5n, read.exponent - 1),
      high: scaled(read.digits * 10n + 5n, read.exponent - 1),
    }
  );
};

/** As `decimalRange`, with 10 % on either side, and never less than its digits imply. https://hl7.org/fhir/R4/search.html#prefix */
export const approximateRange = (text: string): DecimalRange | undefined => {
  const [read, implied] = [readDecimal(text), decimalRange(text)];
  if (!read || !implied) return undefined;
  const bounds = [scaled(read.digits * 9n, read.exponent - 1), scaled(read.digits * 11n, read.exponent - 1)];
  return { value: read.value, low: Math.min(implied.low, ...bounds), high: Math.max(implied.high, ...bounds) };
};

/** Whole digits and the power of ten that they are multiplied by, so that bounds come out exact. */
const readDecimal = (text: string): { value: number; digits: bigint; exponent: number } | undefined => {
  const parts = text.length > longestDecimal ? null : decimal.exec(text);
  if (!parts) return undefined;
  const [, sign = '', whole = '', fraction = '', power] = parts;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const shown = whole + fraction;
  const digits = BigInt(shown) * (sign === '-' ? -1n : 1n);
  const exponent = Number(power ?? 0) - fraction.length;
  const oneFigure = power !== undefined && shown.replace(/^0+/, '').length === 1;
  return oneFigure ? { value, digits: digits * 10n, exponent: exponent - 1 } : { value, digits, exponent };
};

// Through text, which is rounded once; multiplying by a power of ten would round twice: 5.4 - 0.05 is not 5.35.
const scaled = (digits: bigint, exponent: number): number => Number(`${digits}e${exponent}`);
