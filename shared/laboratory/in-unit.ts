import type { Resource } from '../fhir/resource.ts';
import { writtenValue } from '../fhir/written-value.ts';
import { exactRange } from '../search/decimal-range.ts';
import { type Units, ucum } from '../search/units.ts';

/** Whether two quantities are in one unit: by system and code, or by what is written where neither has a code. */
export const isSameUnit = (one: fhir4.Quantity, other: fhir4.Quantity): boolean =>
  one.code !== undefined || other.code !== undefined
    ? one.code === other.code && one.system === other.system
    : one.unit === other.unit;

/**
 * The number of a quantity in another unit, by UCUM; undefined where they do not convert, or it has no number.
 *
 * @param unit - a quantity in that unit.
 * @param observation - what it is a result of, which tells the substance of a mass that is asked of an amount.
 */
export const valueIn = (
  unit: fhir4.Quantity,
  quantity: fhir4.Quantity,
  observation: Resource,
  units: Units,
): number | undefined => {
  if (isSameUnit(unit, quantity)) return quantity.value;
  const text = writtenValue(quantity);
  const range = text === undefined ? undefined : exactRange(text);
  const isUcum = unit.system === ucum && quantity.system === ucum;
  if (!isUcum || unit.code === undefined || quantity.code === undefined || !range) return undefined;
  const mass = () => units.molarMassFor(quantity, observation);
  return units.convertedRange(range, quantity.code, unit.code, mass)?.value;
};
