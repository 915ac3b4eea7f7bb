import type { Decimal } from '../decimal-range.ts';

/** A fraction without loss; the denominator is positive. */
export interface Ratio {
  readonly over: bigint;
  readonly under: bigint;
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));

/** A fraction in its lowest terms. */
export const ratio = (over: bigint, under = 1n): Ratio => {
  const divisor = gcd(over, under) * (under < 0n ? -1n : 1n);
  return { over: over / divisor, under: under / divisor };
};

export const one: Ratio = { over: 1n, under: 1n };

export const times = (a: Ratio, b: Ratio): Ratio => ratio(a.over * b.over, a.under * b.under);

export const dividedBy = (a: Ratio, b: Ratio): Ratio => ratio(a.over * b.under, a.under * b.over);

export const plus = (a: Ratio, b: Ratio): Ratio => ratio(a.over * b.under + b.over * a.under, a.under * b.under);

export const minus = (a: Ratio, b: Ratio): Ratio => plus(a, { over: -b.over, under: b.under });

export const power = (a: Ratio, exponent: number): Ratio => {
  const size = BigInt(Math.abs(exponent));
  return exponent < 0 ? ratio(a.under ** size, a.over ** size) : ratio(a.over ** size, a.under ** size);
};

export const ratioOf = ({ digits, exponent }: Decimal): Ratio =>
  exponent < 0 ? ratio(digits, 10n ** BigInt(-exponent)) : ratio(digits * 10n ** BigInt(exponent));

/** Digits that a division is carried to; a double holds 17. */
const figures = 40;

/** The double that is next to a fraction. */
export const toDouble = ({ over, under }: Ratio): number => {
  const shift = Math.max(0, figures + `${under}`.length - `${over}`.length);
  return Number(`${(over * 10n ** BigInt(shift)) / under}e${-shift}`);
};
