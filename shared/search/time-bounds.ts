import type { Interval } from './date-range.ts';
import type { Criterion, DateValue } from './search-query.ts';

/**
 * Between which times a record begins if it is to meet what a search asks of one of its dates: from `start` to `end`, both included, infinite where
 * nothing is asked.
 *
 * @param longest - milliseconds that an element's time lasts at most: what has begun before a date may last until then.
 */
export const beginsWithin = (criteria: readonly Criterion[], code: string, longest: number): Interval => {
  let [start, end] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { parameter, modifier, values } of criteria) {
    if (parameter.code !== code || modifier !== undefined) continue;
    const bounds = values.map((value) => (value.type === 'date' ? boundsOf(value, longest) : anyTime));
    start = Math.max(start, Math.min(...bounds.map((each) => each.start)));
    end = Math.min(end, Math.max(...bounds.map((each) => each.end)));
  }
  return { start, end };
};

const anyTime: Interval = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/** What compareInterval accepts begins within these. */
const boundsOf = ({ prefix, start, end }: DateValue, longest: number): Interval => {
  switch (prefix) {
    case 'eq':
      return { start, end };
    case 'ap':
      return { start: start - longest, end };
    case 'ge':
      return { ...anyTime, start: start - longest };
    case 'gt':
      return { ...anyTime, start: end - longest };
    case 'sa':
      return { ...anyTime, start: end };
    case 'le':
      return { ...anyTime, end };
    case 'lt':
    case 'eb':
      return { ...anyTime, end: start };
    case 'ne':
      return anyTime;
  }
};
