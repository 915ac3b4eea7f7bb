import type { Resource } from '../../fhir/resource.ts';
import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { DecimalRange } from '../decimal-range.ts';
import type { QuantityValue } from '../search-query.ts';
import { type Units, ucum } from '../units.ts';
import { compareNumber, type NumberInterval } from './number.ts';

const currencies = 'urn:iso:std:iso:4217';

/**
 * Whether an element is such a quantity. A unit of UCUM also matches those that convert into it, a mass an amount where the resource's code
 * tells the substance. https://hl7.org/fhir/R4/search.html#quantity
 *
 * @param ucumUnits - by which units convert; needed where the quantity has one of UCUM.
 */
export const matchesQuantity = (
  quantity: QuantityValue,
  target: SearchValue,
  resource: Resource,
  ucumUnits: Units | undefined,
): boolean => {
  const found = quantityOf(target);
  if (found === undefined) return false;
  const { interval, units } = found;
  const ranges = units.map((unit) => rangeIn(quantity, unit, { value: target.value, resource, ucumUnits }));
  const [range] = ranges;
  // both limits of a Range have one unit, else they could not be compared
  return (
    range !== undefined && ranges.every((each) => each === range) && compareNumber(quantity.prefix, range, interval)
  );
};

interface FoundQuantity {
  readonly interval: NumberInterval;
  readonly units: readonly fhir4.Quantity[];
}

interface Measured {
  readonly value: unknown;
  readonly resource: Resource;
  readonly ucumUnits: Units | undefined;
}

/** The searched range in the unit of an element; undefined if it has none that compares. */
const rangeIn = (
  quantity: QuantityValue,
  unit: fhir4.Quantity,
  { value, resource, ucumUnits }: Measured,
): DecimalRange | undefined => {
  if (hasUnit(quantity, unit)) return quantity;
  const { system, code, exact } = quantity;
  if (system !== ucum || unit.system !== ucum || code === undefined || unit.code === undefined) return undefined;
  if (!ucumUnits) throw new Error('Units are compared, and were not loaded');
  return ucumUnits.convertedRange(exact, code, unit.code, () => ucumUnits.molarMassFor(value, resource));
};

const hasUnit = ({ system, code }: QuantityValue, unit: fhir4.Quantity): boolean => {
  if (system !== undefined) return unit.system === system && (code === undefined || unit.code === code);
  return code === undefined || unit.code === code || unit.unit === code;
};

/** The range that an element of quantity stands for, and the units of its limits. */
export const quantityOf = ({ type, value }: SearchValue): FoundQuantity | undefined => {
  switch (type) {
    case 'Quantity':
    case 'Age':
    case 'Count':
    case 'Distance':
    case 'Duration':
    case 'MoneyQuantity':
      return ofQuantity(value as fhir4.Quantity);
    case 'Money':
      return ofMoney(value as fhir4.Money);
    case 'Range':
      return ofRange(value as fhir4.Range);
    case 'SampledData':
      return ofSampledData(value as fhir4.SampledData);
    default:
      return undefined;
  }
};

/** A comparator makes a range of the value: `< 5` is anything below 5. https://hl7.org/fhir/R4/datatypes.html#quantity */
const ofQuantity = (quantity: fhir4.Quantity): FoundQuantity | undefined => {
  const { value, comparator } = quantity;
  if (value === undefined) return undefined;
  const below = comparator === '<' || comparator === '<=';
  const above = comparator === '>' || comparator === '>=';
  const interval = {
    low: below ? Number.NEGATIVE_INFINITY : value,
    high: above ? Number.POSITIVE_INFINITY : value,
    lowOpen: comparator === '>',
    highOpen: comparator === '<',
  };
  return { interval, units: [quantity] };
};

const ofMoney = ({ value, currency }: fhir4.Money): FoundQuantity | undefined => {
  if (value === undefined) return undefined;
  const unit = currency === undefined ? {} : { system: currencies, code: currency };
  return { interval: { low: value, high: value }, units: [unit] };
};

const ofRange = ({ low, high }: fhir4.Range): FoundQuantity | undefined => {
  if (low?.value === undefined && high?.value === undefined) return undefined;
  const interval = { low: low?.value ?? Number.NEGATIVE_INFINITY, high: high?.value ?? Number.POSITIVE_INFINITY };
  return { interval, units: [low, high].filter((limit) => limit?.value !== undefined) as fhir4.Quantity[] };
};

/** From the least to the greatest sample. https://hl7.org/fhir/R4/datatypes.html#SampledData */
const ofSampledData = ({ origin, factor = 1, data }: fhir4.SampledData): FoundQuantity | undefined => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const sample of (data ?? '').split(' ')) {
    const value = /\d/.test(sample) ? (origin.value ?? 0) + Number(sample) * factor : Number.NaN; // E, U and L are no numbers
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? undefined : { interval: { low, high }, units: [origin] };
};
