import type { SearchValue } from '../../fhir/search-parameter.ts';
import { dateInterval, type Interval } from '../date-range.ts';
import type { DateValue, Prefix } from '../search-query.ts';

/** Whether an element's time stands to the date as its prefix says. https://hl7.org/fhir/R4/search.html#date */
export const matchesDate = (date: DateValue, target: SearchValue): boolean => {
  const interval = timeOf(target);
  return interval !== undefined && compareInterval(date.prefix, date, interval);
};

/**
 * Whether the range of an element's value stands to the searched one as the prefix says. What lies above a value begins with it, so a stay
 * that ends during the day of `ge` matches. https://hl7.org/fhir/R4/search.html#prefix
 */
export const compareInterval = (prefix: Prefix, searched: Interval, target: Interval): boolean => {
  switch (prefix) {
    case 'eq':
      return searched.start <= target.start && target.end <= searched.end;
    case 'ne':
      return !compareInterval('eq', searched, target);
    case 'gt':
      return target.end > searched.end;
    case 'lt':
      return target.start < searched.start;
    case 'ge':
      return target.end > searched.start;
    case 'le':
      return target.start < searched.end;
    case 'sa':
      return target.start >= searched.end;
    case 'eb':
      return target.end <= searched.start;
    case 'ap':
      return target.start < searched.end && searched.start < target.end;
  }
};

/** The time that an element spans; a Period or Timing without a limit is open there. Undefined for what is no time. */
export const timeOf = ({ type, value }: SearchValue): Interval | undefined => {
  switch (type) {
    case 'date':
    case 'dateTime':
    case 'instant':
      return dateInterval(value as string);
    case 'Period':
      return periodInterval(value as fhir4.Period);
    case 'Timing':
      return timingInterval(value as fhir4.Timing);
    default:
      return undefined;
  }
};

const periodInterval = ({ start, end }: fhir4.Period): Interval => ({
  start: (start === undefined ? undefined : dateInterval(start)?.start) ?? Number.NEGATIVE_INFINITY,
  end: (end === undefined ? undefined : dateInterval(end)?.end) ?? Number.POSITIVE_INFINITY,
});

/** Only the outer limits of a schedule matter. https://hl7.org/fhir/R4/search.html#date */
const timingInterval = ({ event, repeat }: fhir4.Timing): Interval => {
  const events = (event ?? []).flatMap((text: string | null) => (text === null ? [] : (dateInterval(text) ?? [])));
  const bounds = repeat?.boundsPeriod === undefined ? [] : [periodInterval(repeat.boundsPeriod)];
  const limits = [...events, ...bounds];
  const [first = periodInterval({}), ...others] = limits;
  return others.reduce(
    (outer, { start, end }) => ({ start: Math.min(outer.start, start), end: Math.max(outer.end, end) }),
    first,
  );
};
