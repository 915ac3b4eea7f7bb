import { dateInterval, type Interval } from '../date-range.ts';
import { approximateRange, type ExactRange, exactRange, inDoubles } from '../decimal-range.ts';
import { splitValue } from '../escape.ts';
import { invalidParameter } from '../refusal.ts';
import type { DateValue, NumberValue, Prefix, QuantityValue } from '../search-query.ts';
import { parseText } from './text.ts';

const prefixes: ReadonlySet<string> = new Set<Prefix>(['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']);

const isPrefix = (text: string): text is Prefix => prefixes.has(text);

/** Takes off the prefix. https://hl7.org/fhir/R4/search.html#prefix */
const parsePrefix = (name: string, text: string): { prefix: Prefix; rest: string } => {
  const letters = /^[A-Za-z]+/.exec(text)?.[0];
  if (letters === undefined) return { prefix: 'eq', rest: text };
  if (!isPrefix(letters)) throw invalidParameter(name, 'A prefix is one of eq, ne, gt, lt, ge, le, sa, eb and ap');
  return { prefix: letters, rest: text.slice(letters.length) };
};

/**
 * Reads a date with its prefix.
 *
 * @param now - milliseconds since 1970: `ap` reaches 10 % of the time between now and the date on either side.
 * @throws RecordError `invalid` for an unknown prefix or no date.
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export const parseDate = (name: string, text: string, now: number): DateValue => {
  const { prefix, rest } = parsePrefix(name, parseText(name, text));
  const date = rest.replace(/ (?=\d\d:\d\d$)/, '+'); // a plus sign that the client did not percent-encode arrives as a space
  const interval = dateInterval(date);
  if (!interval)
    throw invalidParameter(
      name,
      'A date is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset, and exists',
    );
  return { type: 'date', prefix, text: date, ...(prefix === 'ap' ? near(interval, now) : interval) };
};

const near = ({ start, end }: Interval, now: number): Interval => {
  const gap = Math.max(0, start - now, now - end);
  return { start: start - gap / 10, end: end + gap / 10 };
};

/**
 * Reads a number with its prefix. https://hl7.org/fhir/R4/search.html#number
 *
 * @throws RecordError `invalid` for an unknown prefix or no decimal.
 */
export const parseNumber = (name: string, text: string): NumberValue => {
  const { prefix, rest } = parsePrefix(name, parseText(name, text));
  return { type: 'number', prefix, ...inDoubles(parseRange(name, prefix, rest)) };
};

/**
 * Reads `[prefix]number`, or the same with `|system|code`. https://hl7.org/fhir/R4/search.html#quantity
 *
 * @throws RecordError `invalid` for an unknown prefix, no decimal or another number of bars.
 */
export const parseQuantity = (name: string, text: string): QuantityValue => {
  const [number = '', system, code, ...further] = splitValue(text, '|').map((part) => parseText(name, part));
  if (further.length > 0 || (system !== undefined && code === undefined)) {
    throw invalidParameter(name, 'A quantity is number, number|system|code or number||unit');
  }
  const { prefix, rest } = parsePrefix(name, number);
  const exact = parseRange(name, prefix, rest);
  return {
    type: 'quantity',
    prefix,
    ...inDoubles(exact),
    system: system === '' ? undefined : system,
    code: code === '' ? undefined : code,
    exact,
  };
};

const parseRange = (name: string, prefix: Prefix, text: string): ExactRange => {
  const range = prefix === 'ap' ? approximateRange(text) : exactRange(text);
  if (!range) throw invalidParameter(name, 'A number is a decimal such as 5.4, -3 or 1.20e-3');
  return range;
};
