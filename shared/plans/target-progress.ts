import type { Resource } from '../fhir/resource.ts';
import { writtenValue } from '../fhir/written-value.ts';
import { isSameUnit, valueIn } from '../laboratory/in-unit.ts';
import { exactRange, inDoubles } from '../search/decimal-range.ts';
import type { Units } from '../search/units.ts';

/** What is measured, and of which substance: an Observation, or one of its components. */
export type Measured = Pick<
  fhir4.Observation,
  'valueQuantity' | 'valueRange' | 'valueCodeableConcept' | 'valueInteger' | 'valueBoolean' | 'valueString'
>;

/** A result that a target is about. */
export interface Result {
  readonly value: Measured;
  /** The Observation, which tells the substance of a mass that is compared with an amount. */
  readonly observation: Resource;
  /** When it was measured, in milliseconds since 1970. */
  readonly at: number;
}

/** How a target stands. Stable: the answer tells it. */
export type TargetState = 'met' | 'not-met' | 'no-result' | 'not-comparable';
export type Trend = 'improving' | 'worsening' | 'unchanged';

export interface TargetProgress {
  readonly state: TargetState;
  /** Why it cannot be compared. */
  readonly because?: string;
  /** From the baseline to the latest result, where both can be compared and are not the same. */
  readonly trend?: Trend;
}

type Detail = Pick<
  fhir4.GoalTarget,
  'detailQuantity' | 'detailRange' | 'detailCodeableConcept' | 'detailInteger' | 'detailBoolean' | 'detailString'
>;

/** Numbers from one to another; open where the limit itself is none of them. */
interface Span {
  readonly low: number;
  readonly high: number;
  readonly lowOpen: boolean;
  readonly highOpen: boolean;
}

/** What is wanted, in one unit. */
interface Wanted {
  readonly span: Span;
  readonly unit: fhir4.Quantity;
  /** The number alone is named, and not whether more or less is wanted. */
  readonly point: boolean;
}

const notComparable = (because: string): TargetProgress => ({ state: 'not-comparable', because });

/**
 * How far a target is reached. Nothing is guessed: what cannot be compared says why. Pure.
 *
 * @param latest - the newest result; undefined if there is none.
 * @param baseline - the result that the goal began with; undefined if that is not known.
 * @see https://hl7.org/fhir/R4/goal-definitions.html#Goal.target
 */
export const targetProgress = (
  target: Detail,
  { latest, baseline }: { readonly latest?: Result | undefined; readonly baseline?: Result | undefined },
  units: Units,
): TargetProgress => {
  if (!latest) return { state: 'no-result' };
  const { detailCodeableConcept, detailBoolean, detailString } = target;
  if (detailCodeableConcept) return ofConcept(detailCodeableConcept, latest.value.valueCodeableConcept);
  if (detailBoolean !== undefined) return ofEqual(detailBoolean, latest.value.valueBoolean);
  if (detailString !== undefined) {
    const same = latest.value.valueString?.trim() === detailString.trim();
    return same ? { state: 'met' } : notComparable('The target is in words');
  }
  const wanted = wantedIn(target);
  if (!wanted) return notComparable('The target names no value that can be compared');
  return ofNumbers(wanted, { latest, baseline }, units);
};

const ofEqual = (wanted: boolean, found: boolean | undefined): TargetProgress =>
  found === undefined
    ? notComparable('The result is of another kind')
    : { state: found === wanted ? 'met' : 'not-met' };

/** Codes are the same, or differ within one system: what codes of two systems have in common is not known. */
const ofConcept = (
  { coding = [] }: fhir4.CodeableConcept,
  found: fhir4.CodeableConcept | undefined,
): TargetProgress => {
  const codes = (found?.coding ?? []).filter(({ code, system }) => code !== undefined && system !== undefined);
  const alike = codes.filter(({ system }) => coding.some((each) => each.system === system && each.code !== undefined));
  if (alike.length === 0) return notComparable('Target and result have no code of the same system');
  const met = alike.some(({ system, code }) => coding.some((each) => each.system === system && each.code === code));
  return { state: met ? 'met' : 'not-met' };
};

const everything: Span = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  lowOpen: false,
  highOpen: false,
};

/** The numbers that a quantity stands for: one, or all on one side of it. */
const spanOf = ({ value = Number.NaN, comparator }: fhir4.Quantity): Span => {
  switch (comparator) {
    case '<':
    case '<=':
      return { ...everything, high: value, highOpen: comparator === '<' };
    case '>':
    case '>=':
      return { ...everything, low: value, lowOpen: comparator === '>' };
    default:
      return { low: value, high: value, lowOpen: false, highOpen: false };
  }
};

/** A number that is written as `7.0` is met from 6.95 to just below 7.05. https://hl7.org/fhir/R4/search.html#number */
const asWritten = (quantity: fhir4.Quantity): Span | undefined => {
  const text = writtenValue(quantity);
  const range = text === undefined ? undefined : exactRange(text);
  if (!range) return undefined;
  const { low, high } = inDoubles(range);
  return { low, high, lowOpen: false, highOpen: true };
};

const wantedIn = ({ detailQuantity, detailRange, detailInteger }: Detail): Wanted | undefined => {
  if (detailInteger !== undefined) {
    const span = asWritten({ value: detailInteger });
    return span && { span, unit: {}, point: true };
  }
  if (detailQuantity?.value !== undefined) {
    const point = detailQuantity.comparator === undefined;
    const span = point ? asWritten(detailQuantity) : spanOf(detailQuantity);
    return span && { span, unit: detailQuantity, point };
  }
  const { low, high } = detailRange ?? {};
  const unit = low ?? high;
  // Both limits have one unit, else they are not a range.
  if (!unit || (low && high && !isSameUnit(low, high))) return undefined;
  if (low?.value === undefined && high?.value === undefined) return undefined;
  return {
    span: { ...everything, ...(low?.value === undefined ? {} : { low: low.value }), ...highOf(high) },
    unit,
    point: false,
  };
};

const highOf = (high: fhir4.Quantity | undefined): Partial<Span> =>
  high?.value === undefined ? {} : { high: high.value };

/** What a result comes to in the unit of a target; undefined if that is not known. */
const spanIn = (unit: fhir4.Quantity, { value, observation }: Result, units: Units): Span | undefined => {
  const { valueQuantity, valueInteger, valueRange } = value;
  if (valueInteger !== undefined) return isSameUnit(unit, {}) ? spanOf({ value: valueInteger }) : undefined;
  if (valueRange) {
    const [low, high] = [valueRange.low, valueRange.high].map(
      (limit) => limit && spanIn(unit, { value: { valueQuantity: limit }, observation, at: 0 }, units),
    );
    if ((valueRange.low && !low) || (valueRange.high && !high) || !(low || high)) return undefined;
    return { ...everything, ...(low ? { low: low.low } : {}), ...(high ? { high: high.high } : {}) };
  }
  if (valueQuantity?.value === undefined) return undefined;
  const span = spanOf(valueQuantity);
  if (isSameUnit(unit, valueQuantity)) return span;
  const converted = valueIn(unit, valueQuantity, observation, units);
  if (converted === undefined) return undefined;
  return {
    ...span,
    ...(Number.isFinite(span.low) ? { low: converted } : {}),
    ...(Number.isFinite(span.high) ? { high: converted } : {}),
  };
};

const isWithin = (span: Span, wanted: Span): boolean =>
  (span.low > wanted.low || (span.low === wanted.low && (!wanted.lowOpen || span.lowOpen))) &&
  (span.high < wanted.high || (span.high === wanted.high && (!wanted.highOpen || span.highOpen)));

/** -1 if all of it is lower than what is wanted, 1 if all is higher, 0 otherwise. */
const sideOf = (span: Span, wanted: Span): -1 | 0 | 1 => {
  if (span.high < wanted.low || (span.high === wanted.low && (span.highOpen || wanted.lowOpen))) return -1;
  if (span.low > wanted.high || (span.low === wanted.high && (span.lowOpen || wanted.highOpen))) return 1;
  return 0;
};

/** How far one number is from what is wanted; undefined for more than one. */
const distanceOf = (span: Span, wanted: Span): number | undefined => {
  if (span.low !== span.high) return undefined;
  return Math.max(wanted.low - span.low, span.low - wanted.high, 0);
};

const ofNumbers = (
  { span: wanted, unit, point }: Wanted,
  { latest, baseline }: { readonly latest: Result; readonly baseline?: Result | undefined },
  units: Units,
): TargetProgress => {
  const span = spanIn(unit, latest, units);
  if (!span) return notComparable('The units of target and result are not known to convert into one another');
  const isFirst = baseline?.observation === latest.observation;
  const began = isFirst ? span : baseline && spanIn(unit, baseline, units);
  const trend = isFirst || !began ? undefined : trendOf(distanceOf(began, wanted), distanceOf(span, wanted));
  const state = stateOf(span, wanted, point ? began : 'told');
  return { ...state, ...(trend && state.state !== 'not-comparable' ? { trend } : {}) };
};

const trendOf = (before: number | undefined, after: number | undefined): Trend | undefined => {
  if (before === undefined || after === undefined) return undefined;
  if (after === before) return 'unchanged';
  return after < before ? 'improving' : 'worsening';
};

/** @param from - where a goal began that names a number alone, so that the way to it is known; `told` where it says itself what is wanted. */
const stateOf = (span: Span, wanted: Span, from: Span | 'told' | undefined): TargetProgress => {
  if (isWithin(span, wanted)) return { state: 'met' };
  const side = sideOf(span, wanted);
  if (side === 0) return notComparable('The result is a limit or a range that the target lies in');
  if (from === 'told') return { state: 'not-met' };
  const began = from && sideOf(from, wanted);
  if (began === side) return { state: 'not-met' };
  return notComparable('The target names a number, and not whether more or less than that is wanted');
};
