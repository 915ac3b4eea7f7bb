import { dateInterval } from '../search/date-range.ts';
import type { Bounds, Moment } from './hours.ts';

/** The beginning of a date or dateTime: a date is one on the wall, a time has its offset and is an instant. */
export const beginningOf = (text: string | undefined): Moment | undefined => momentOf(text, 'start');

/** Its end: of a day, month or year the last of it, of a time that time. https://hl7.org/fhir/R4/datatypes.html#Period */
export const endOf = (text: string | undefined): Moment | undefined => momentOf(text, 'end');

const momentOf = (text: string | undefined, edge: 'start' | 'end'): Moment | undefined => {
  const interval = text === undefined ? undefined : dateInterval(text);
  if (!interval || text === undefined) return undefined;
  return text.includes('T') ? { instant: interval.start } : { wall: interval[edge] };
};

/** What a Period bounds. */
export const boundsOf = (period: fhir4.Period = {}): Bounds => ({
  from: beginningOf(period.start),
  to: endOf(period.end),
});
