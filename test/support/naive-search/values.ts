// How single values compare, written from https://hl7.org/fhir/R4/search.html with no regard to how shared/search does it.

/** An element, with the datatype that an evaluator of FHIRPath says it has. */
export interface Element {
  readonly type: string;
  readonly value: unknown;
}

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** From, inclusive, and until, exclusive, in milliseconds. */
type Span = readonly [from: number, until: number];

/** The time that a date stands for: all of it that its digits leave open. */
export const spanOf = (text: string): Span => {
  const [, year, month, day, time, second, fraction, zone] =
    /^(\d{4})(-\d\d)?(-\d\d)?(?:T(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const day0 = `${year}${month ?? '-01'}${day ?? '-01'}`;
  const from = new Date(`${day0}T${time ?? '00:00'}${second ?? ':00'}${fraction ?? '.0'}${zone ?? 'Z'}`);
  const until = new Date(from);
  if (month === undefined) until.setUTCFullYear(until.getUTCFullYear() + 1);
  else if (day === undefined) until.setUTCMonth(until.getUTCMonth() + 1);
  else if (time === undefined) until.setUTCDate(until.getUTCDate() + 1);
  else if (second === undefined) until.setTime(until.getTime() + 60_000);
  else until.setTime(until.getTime() + 10 ** Math.max(0, 4 - (fraction ?? '.').length));
  return [from.getTime(), until.getTime()];
};

const always: Span = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

const periodSpan = ({ start, end }: fhir4.Period): Span => [
  start === undefined ? always[0] : spanOf(start)[0],
  end === undefined ? always[1] : spanOf(end)[1],
];

/** The outer limits of an element of time. */
export const spanOfElement = ({ type, value }: Element): Span | undefined => {
  if (type === 'string') return undefined; // such as Immunization.occurrence, in words
  if (typeof value === 'string') return spanOf(value);
  if (type === 'Period') return periodSpan(value as fhir4.Period);
  if (type !== 'Timing') return undefined;
  const { event = [], repeat } = value as fhir4.Timing;
  const spans = [...event.map(spanOf), ...(repeat?.boundsPeriod ? [periodSpan(repeat.boundsPeriod)] : [])];
  if (spans.length === 0) return always;
  return [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, until]) => until))];
};

/** How far the bounds of `ap` may move while a search is followed to its end, in milliseconds: a tenth of ten minutes. */
const movedMeanwhile = 60_000;

/** Undefined for `ap` close to its bounds, which move as time goes by. */
export const dateHolds = (prefix: Prefix, text: string, element: Element, now: number): boolean | undefined => {
  const target = spanOfElement(element);
  if (!target) return false;
  const [from, until] = spanOf(text);
  switch (prefix) {
    case 'eq':
      return from <= target[0] && target[1] <= until;
    case 'ne':
      return !(from <= target[0] && target[1] <= until);
    case 'gt': // some of it lies after the value
      return target[1] > until;
    case 'lt':
      return target[0] < from;
    case 'ge':
      return target[1] > from;
    case 'le':
      return target[0] < until;
    case 'sa':
      return target[0] >= until;
    case 'eb':
      return target[1] <= from;
    case 'ap': {
      const tolerance = now < from ? (from - now) / 10 : now > until ? (now - until) / 10 : 0;
      const isWithin = (limit: number): boolean => target[0] < until + limit && from - limit < target[1];
      const verdict = isWithin(tolerance * 0.99 - movedMeanwhile);
      return verdict === isWithin(tolerance * 1.01 + movedMeanwhile) ? verdict : undefined;
    }
  }
};

/** A decimal as hundred-thousandths of hundred-thousandths …: 40 places, which no test needs more of. */
const places = 40;
const scaled = (text: string): bigint => {
  const [, sign, whole = '', fraction = '', power = '0'] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const shift = places + Number(power) - fraction.length;
  const digits = BigInt(whole + fraction);
  const size = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === '-' ? -size : size;
};

/** Half of what the last digit stands for; an exponent with one digit implies two. */
const halfOfLastPlace = (text: string): bigint => {
  const [, whole = '', fraction = '', power] = /^[+-]?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const figures = (whole + fraction).replace(/^0+/, '').length;
  const last = Number(power ?? 0) - fraction.length - (power !== undefined && figures === 1 ? 1 : 0);
  return (10n ** BigInt(places + last) * 5n) / 10n;
};

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

/** Whether a number of a record stands to the searched one as the prefix says. */
export const numberHolds = (prefix: Prefix, text: string, target: string): boolean => {
  const [searched, found] = [scaled(text), scaled(target)];
  const half = halfOfLastPlace(text);
  const isEqual = searched - half <= found && found < searched + half;
  switch (prefix) {
    case 'eq':
      return isEqual;
    case 'ne':
      return !isEqual;
    case 'gt':
    case 'sa':
      return found > searched;
    case 'lt':
    case 'eb':
      return found < searched;
    case 'ge':
      return found >= searched;
    case 'le':
      return found <= searched;
    case 'ap': {
      const tolerance = abs(searched) / 10n > half ? abs(searched) / 10n : half;
      return abs(found - searched) <= tolerance;
    }
  }
};

/** Closer to a bound than this part of it, doubles do not tell on which side a converted value lies. */
const rounding = 1e-9;

/** Whether a value in another unit stands to the searched one as the prefix says; undefined if it is too close to a bound to tell. */
export const convertedHolds = (prefix: Prefix, text: string, found: number): boolean | undefined => {
  const searched = Number(text);
  const half = Number(halfOfLastPlace(text)) / 10 ** places;
  const tolerance = Math.max(half, Math.abs(searched) / 10);
  const bounds = [searched, searched - half, searched + half, searched - tolerance, searched + tolerance];
  const size = Math.max(Math.abs(searched), Math.abs(found), half);
  if (bounds.some((bound) => Math.abs(found - bound) <= rounding * size)) return undefined;
  const isEqual = searched - half <= found && found < searched + half;
  switch (prefix) {
    case 'eq':
      return isEqual;
    case 'ne':
      return !isEqual;
    case 'gt':
    case 'sa':
    case 'ge':
      return found > searched;
    case 'lt':
    case 'eb':
    case 'le':
      return found < searched;
    case 'ap':
      return Math.abs(found - searched) <= tolerance;
  }
};

/** Without case, accents and punctuation; words one space apart. */
export const plain = (text: string): string =>
  [...text.normalize('NFD')]
    .filter((letter) => !/\p{M}/u.test(letter))
    .map((letter) => (/['’.]/.test(letter) ? '' : /[\p{P}\p{Z}\s]/u.test(letter) ? ' ' : letter.toLowerCase()))
    .join('')
    .split(' ')
    .filter((word) => word !== '')
    .join(' ');

/** The texts of an element of string, name or address. */
export const textsOf = ({ type, value }: Element): string[] => {
  if (typeof value === 'string') return [value];
  const parts = value as Record<string, string | readonly (string | null)[] | undefined>;
  const names =
    type === 'HumanName'
      ? ['text', 'family', 'given', 'prefix', 'suffix']
      : ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];
  return names.flatMap((name) => parts[name] ?? []).filter((text) => text !== null);
};
