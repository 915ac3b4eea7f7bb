import type { Decimal, DecimalRange, ExactRange } from '../decimal-range.ts';
import { dividedBy, minus, plus, type Ratio, ratio, ratioOf, times, toDouble } from './ratio.ts';
import { parseUnit, type Unit } from './unit.ts';

/** Turns values of one unit into values of another: `factor` times the value, plus `offset`. */
export interface Conversion {
  readonly factor: Ratio;
  readonly offset: Ratio;
  /** 0; or how many times a value is divided by the mass of a mole, as a mass that becomes an amount is once. */
  readonly perMole: -1 | 0 | 1;
}

const none = ratio(0n);

/**
 * How values of one unit become values of another.
 *
 * @returns undefined if either is no unit that converts by a factor, or they measure different things.
 */
export const conversion = (from: string, to: string): Conversion | undefined => {
  const [source, target] = [parseUnit(from), parseUnit(to)];
  if (!source || !target) return undefined;
  const perMole = molesPerMass(source, target);
  if (perMole === undefined) return undefined;
  return {
    factor: dividedBy(source.factor, target.factor),
    offset: dividedBy(minus(source.zero ?? none, target.zero ?? none), target.factor),
    perMole,
  };
};

/** 0 if two units measure the same, 1 or -1 if they would, were the mass of the one an amount; undefined otherwise. */
const molesPerMass = (source: Unit, target: Unit): -1 | 0 | 1 | undefined => {
  let [mass, amount] = [0, 0];
  for (const base of new Set([...source.dimension.keys(), ...target.dimension.keys()])) {
    const difference = (source.dimension.get(base) ?? 0) - (target.dimension.get(base) ?? 0);
    if (base === 'g') mass = difference;
    else if (base === 'mol') amount = difference;
    else if (difference !== 0) return undefined;
  }
  if (mass !== -amount) return undefined;
  return mass === 0 || mass === 1 || mass === -1 ? mass : undefined;
};

/**
 * A range in another unit, its bounds rounded once.
 *
 * @param gramsPerMole - the base unit of mass is the gram.
 */
export const convertRange = (
  { value, low, high }: ExactRange,
  { factor, offset, perMole }: Conversion,
  gramsPerMole = '1',
): DecimalRange => {
  const [whole = '', fraction = ''] = gramsPerMole.split('.');
  const mass = ratioOf({ digits: BigInt(whole + fraction), exponent: -fraction.length });
  const inUnit = perMole > 0 ? dividedBy(factor, mass) : perMole < 0 ? times(factor, mass) : factor;
  const convert = (bound: Decimal): number => toDouble(plus(times(ratioOf(bound), inUnit), offset));
  return { value: convert(value), low: convert(low), high: convert(high) };
};

/** What a range becomes in one unit, by the mass of a mole where that matters. */
interface Converted {
  readonly way: Conversion | undefined;
  readonly ranges: Map<string, DecimalRange>;
}

/** By range and unit: a search compares one range with many records, whose units are few. */
const converted = new WeakMap<ExactRange, Map<string, Converted>>();

/**
 * A range in another unit.
 *
 * @param gramsPerMole - of the substance, for a mass that is asked of an amount or the other way about.
 * @returns undefined if the units do not convert, or need a mass that is not known.
 */
export const convertedRange = (
  range: ExactRange,
  from: string,
  to: string,
  gramsPerMole: () => string | undefined,
): DecimalRange | undefined => {
  const byUnit = converted.get(range) ?? new Map<string, Converted>();
  converted.set(range, byUnit);
  const { way, ranges } = byUnit.get(to) ?? { way: conversion(from, to), ranges: new Map<string, DecimalRange>() };
  byUnit.set(to, { way, ranges });
  if (!way) return undefined;
  const mass = way.perMole === 0 ? '1' : gramsPerMole();
  if (mass === undefined) return undefined;
  const found = ranges.get(mass) ?? convertRange(range, way, mass);
  ranges.set(mass, found);
  return found;
};

/** What can be compared: a value in base units, and which those are. */
export interface CanonicalQuantity {
  readonly dimension: string;
  readonly value: number;
}

/** A quantity in base units; undefined if its unit does not convert by a factor. */
export const canonicalQuantity = (value: number, code: string): CanonicalQuantity | undefined => {
  const unit = parseUnit(code);
  if (!unit) return undefined;
  const exponents = [...unit.dimension].sort(([a], [b]) => (a < b ? -1 : 1));
  const zero = unit.zero ? toDouble(unit.zero) : 0;
  return {
    dimension: exponents.map(([base, exponent]) => `${base}${exponent}`).join('.'),
    value: value * toDouble(unit.factor) + zero,
  };
};
