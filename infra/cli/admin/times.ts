import { Misunderstood } from './verb.ts';

export const dayMs = 86_400_000;

/** A span of time, in milliseconds since 1970; `to` is the first moment behind it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A moment as it is typed: `2026-11-27T08:00Z`, or a day, which begins at midnight UTC. */
const typed = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A moment that an option names, in milliseconds since 1970.
 *
 * @throws Misunderstood for anything else, such as a time without a zone.
 */
export const momentOf = (value: string, option: string): number => {
  const at = typed.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at))
    throw new Misunderstood(`--${option} is a day or a time with its zone, such as 2026-11-27T08:00Z`);
  return at;
};

/**
 * The time between two options. A day as the end is part of it.
 *
 * @param usual - where it begins if nothing says so, in milliseconds since 1970.
 * @throws Misunderstood.
 */
export const spanOf = (from: string | undefined, to: string | undefined, usual: number, now: number): Span => {
  const begin = from === undefined ? usual : momentOf(from, 'from');
  const end = to === undefined ? now + 1 : momentOf(to, 'to') + (to.length === 10 ? dayMs : 0);
  if (end <= begin) throw new Misunderstood('--to is before --from');
  return { from: begin, to: end };
};

/** A day of UTC, such as `2026-11-27`. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** The days of UTC that a span touches, newest first. */
export const daysIn = ({ from, to }: Span): string[] => {
  const days: string[] = [];
  for (let at = Date.parse(dayOf(to - 1)); at > from - dayMs; at -= dayMs) days.push(dayOf(at));
  return days;
};
