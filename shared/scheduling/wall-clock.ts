import type { Span } from './span.ts';

// What a clock on the wall shows is written as the milliseconds since 1970 at which it shows the same in UTC. A zone's clock is put forward
// and back; between two such moments it is a fixed time from UTC, so that all arithmetic is done there, piece by piece. An hour that
// the clock leaves out lies in no piece; one that it shows twice lies in two.

/** Time in which a zone's clock stays as far ahead of UTC. */
export interface ClockSpan extends Span {
  /** Milliseconds that the clock on the wall is ahead of UTC. */
  readonly ahead: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError if there is no such zone. */
const formatFor = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formats.size >= mostFormats) formats.clear();
  formats.set(zone, format);
  return format;
};
/** There are some 600 zones; each of these takes some 20 KB. */
const mostFormats = 50;

/** Whether this is the name of a zone (`Europe/London`, `UTC`). An offset such as `+01:00` is none: it knows no summer. */
export const isZone = (zone: string): boolean => {
  if (!/^[A-Za-z][\w+\-/]*$/.test(zone)) return false;
  try {
    formatFor(zone);
    return true;
  } catch {
    return false;
  }
};

const secondMs = 1_000;

/** How far a zone's clock is ahead of UTC at an instant, in milliseconds. */
export const aheadAt = (zone: string, instant: number): number => {
  const second = Math.floor(instant / secondMs) * secondMs;
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatFor(zone).formatToParts(second)) parts[type] = Number(value);
  const { year = 0, month = 1, day, hour, minute, second: seconds } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
};

/** No zone changes its clock twice in so short a time. */
const strideMs = 12 * 3_600_000;

/** Time as a zone's clock goes through it: spans behind one another that are together the whole. */
export const clockSpans = (zone: string, { from, to }: Span): ClockSpan[] => {
  const spans: ClockSpan[] = [];
  let start = from;
  let ahead = aheadAt(zone, from);
  for (let at = from; at < to; at = Math.min(at + strideMs, to)) {
    const next = Math.min(at + strideMs, to);
    const then = aheadAt(zone, next);
    if (then !== ahead) {
      const changed = changeBetween(zone, at, next, ahead);
      spans.push({ from: start, to: changed, ahead });
      [start, ahead] = [changed, then];
    }
  }
  return start < to ? [...spans, { from: start, to, ahead }] : spans;
};

/** The first instant at which the clock is no longer as far ahead as it was. */
const changeBetween = (zone: string, from: number, to: number, ahead: number): number => {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (aheadAt(zone, middle) === ahead) before = middle;
    else after = middle;
  }
  return after;
};

/** When the clock on the wall shows something from `from` to just before `to`: not at all, once, or twice. */
export const whenShown = (wall: Span, clock: readonly ClockSpan[]): Span[] =>
  clock.flatMap(({ from, to, ahead }) => {
    const span = { from: Math.max(from, wall.from - ahead), to: Math.min(to, wall.to - ahead) };
    return span.from < span.to ? [span] : [];
  });
