import { dayOf } from '../chain/chained-logs.ts';

const dayMs = 86_400_000;

/**
 * From the end of a day to its digest. Whoever has noted a log under the day puts the link within a minute, which is as long as the stream's consumer may run; the rest is for
 * clocks that differ.
 */
const settledAfterMs = 30 * 60_000;

/** When a day ends, in milliseconds since 1970. */
export const endOf = (day: string): number => Date.parse(day) + dayMs;

export const dayAfter = (day: string): string => dayOf(endOf(day));
export const dayBefore = (day: string): string => dayOf(Date.parse(day) - dayMs);

/** The last day of which there may be a digest. */
export const lastDay = (now: number): string => dayBefore(dayOf(now - settledAfterMs));

/** All days from one to another, both included. */
export const daysFrom = (first: string, last: string): string[] => {
  const days: string[] = [];
  for (let day = first; day <= last; day = dayAfter(day)) days.push(day);
  return days;
};
