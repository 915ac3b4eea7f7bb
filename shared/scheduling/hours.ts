import { type Span, shared, united, without } from './span.ts';
import { type ClockSpan, clockSpans, whenShown } from './wall-clock.ts';

/** Days of the week as FHIR names them, Sunday first, as dates count them. https://hl7.org/fhir/R4/valueset-days-of-week.html */
export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof weekdays)[number];

/** A moment that a clock on the wall shows, or an instant. Milliseconds since 1970, or as a clock in UTC would show them. */
export type Moment = { readonly wall: number } | { readonly instant: number };

/** A period; open where it says nothing. */
export interface Bounds {
  readonly from?: Moment | undefined;
  readonly to?: Moment | undefined;
}

/** Hours that come back each week, or each second, third … week. */
export interface WeeklyHours {
  readonly days: readonly Weekday[];
  /** Minutes since midnight on the wall. */
  readonly from: number;
  /** The same; beyond 1,440 where they end on the next day. */
  readonly to: number;
  /** 1 for each week. */
  readonly everyWeeks: number;
  /** The first day on which they may be and from whose week weeks are counted, as the clock shows its midnight. */
  readonly firstDay?: number | undefined;
  /** The last day on which they may begin. */
  readonly lastDay?: number | undefined;
}

/** When somebody or something is there to be booked. */
export interface Hours {
  /** Name of the zone whose clock they are by. */
  readonly zone: string;
  /** Undefined for any time. */
  readonly weekly: readonly WeeklyHours[] | undefined;
  /** Hours beside the weekly ones. */
  readonly extra: readonly Bounds[];
  /** Time in which nobody is there, whatever else is said. */
  readonly closed: readonly Bounds[];
  /** Time of which they tell at all. */
  readonly within: Bounds;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Time of a range that is within hours: in order, none touching the next. */
export const timeWithin = (hours: Hours, range: Span): Span[] => {
  if (range.from >= range.to) return [];
  const clock = clockSpans(hours.zone, range);
  const spansOf = (bounds: readonly Bounds[]) => united(bounds.flatMap((each) => timeBetween(each, range, clock)));
  const weekly = hours.weekly?.flatMap((each) => timesOf(each, clock)) ?? [range];
  const open = united([...weekly, ...spansOf(hours.extra)]);
  return without(shared(open, spansOf([hours.within])), spansOf(hours.closed));
};

/** Bounds as instants: the first at which a clock shows their beginning or more, and the one before which it shows their end last. */
export const edgesOf = ({ from, to }: Bounds, zone: string): { from?: number; to?: number } => {
  const [first, last] = [instantOf(from, zone), instantOf(to, zone)];
  return { ...(first === undefined ? {} : { from: first }), ...(last === undefined ? {} : { to: last }) };
};

/** No clock is further from UTC, and none is put forward or back by more. */
const furthestMs = 36 * 60 * minuteMs;

const instantOf = (moment: Moment | undefined, zone: string): number | undefined => {
  if (!moment || 'instant' in moment) return moment?.instant;
  const around = { from: moment.wall - furthestMs, to: moment.wall + furthestMs };
  return whenShown({ from: moment.wall, to: Number.POSITIVE_INFINITY }, clockSpans(zone, around))[0]?.from;
};

const timesOf = ({ days, from, to, everyWeeks, firstDay, lastDay }: WeeklyHours, clock: readonly ClockSpan[]): Span[] =>
  daysShown(clock).flatMap((midnight) => {
    const isThen =
      days.includes(weekdayOf(midnight)) &&
      (firstDay === undefined || (firstDay <= midnight && (weekOf(midnight) - weekOf(firstDay)) % everyWeeks === 0)) &&
      (lastDay === undefined || midnight <= lastDay);
    return isThen ? whenShown({ from: midnight + from * minuteMs, to: midnight + to * minuteMs }, clock) : [];
  });

/** Midnights of the days that a clock shows, and of the day before, whose hours may end on the first of them. */
const daysShown = (clock: readonly ClockSpan[]): number[] => {
  const first = Math.min(...clock.map(({ from, ahead }) => from + ahead));
  const last = Math.max(...clock.map(({ to, ahead }) => to + ahead));
  const days = [];
  for (let day = Math.floor(first / dayMs) * dayMs - dayMs; day < last; day += dayMs) days.push(day);
  return days;
};

const weekdayOf = (midnight: number): Weekday => weekdays[new Date(midnight).getUTCDay()] as Weekday;

/** Number of the week in which a day is; weeks begin on Monday. 1970 began on a Thursday. https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10 */
const weekOf = (midnight: number): number => Math.floor((midnight / dayMs + 3) / 7);

const timeBetween = ({ from, to }: Bounds, range: Span, clock: readonly ClockSpan[]): Span[] =>
  shared(united(timeSince(from, range, clock)), united(timeUntil(to, range, clock)));

const timeSince = (moment: Moment | undefined, { from, to }: Span, clock: readonly ClockSpan[]): Span[] => {
  if (!moment) return [{ from, to }];
  if ('instant' in moment) return [{ from: Math.max(from, moment.instant), to }];
  return whenShown({ from: moment.wall, to: Number.POSITIVE_INFINITY }, clock);
};

const timeUntil = (moment: Moment | undefined, { from, to }: Span, clock: readonly ClockSpan[]): Span[] => {
  if (!moment) return [{ from, to }];
  if ('instant' in moment) return [{ from, to: Math.min(to, moment.instant) }];
  return whenShown({ from: Number.NEGATIVE_INFINITY, to: moment.wall }, clock);
};
