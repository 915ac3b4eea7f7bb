import { dayMs, minuteMs } from './calendar.ts';

/** How far the clocks of a place are ahead of UTC, in minutes, when they show a time: that time is given as if it were in UTC. */
export type ClocksAhead = (shown: number) => number;

/** The clocks of this machine. */
export const ownClocks: ClocksAhead = (shown) => {
  const utc = new Date(shown);
  const [year, month, day] = [utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate()];
  return -new Date(year, month, day, utc.getUTCHours(), utc.getUTCMinutes()).getTimezoneOffset();
};

/** What the clocks of a place show at an instant, as if it were in UTC. Milliseconds since 1970. */
export const shownAt = (instant: number, clocks: ClocksAhead): number => {
  const guess = instant + clocks(instant) * minuteMs;
  return instant + clocks(guess) * minuteMs; // the two differ only about the hour in which clocks are put forward or back
};

/** A chart whose times were written as if its place had UTC, with the times of the place's own clocks: the same hours, and where they are. */
export const atPlace = (chart: fhir4.Bundle, clocks: ClocksAhead): fhir4.Bundle =>
  JSON.parse(
    JSON.stringify(chart).replaceAll(
      /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"/g,
      (_text, shown: string) => `"${shown}${offsetText(clocks(Date.parse(`${shown}Z`)))}"`,
    ),
  ) as fhir4.Bundle;

const offsetText = (minutes: number): string => {
  if (minutes === 0) return 'Z';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.round(Math.abs(minutes) % 60)];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
};

const hours = { opens: 9 * 60, closes: 18 * 60 };

/**
 * When the appointments of a day may begin, in minutes after its midnight: in working hours, and so that the day is the same one in UTC,
 * in which a search for a date without a zone is read.
 *
 * @param midnight - what the place's clocks show then, as if it were in UTC.
 * @param lengthMinutes - from the beginning of the first appointment to the end of the last one.
 */
export const dayOpensAt = (midnight: number, clocks: ClocksAhead, lengthMinutes: number): number => {
  const ahead = clocks(midnight + dayMs / 2);
  const earliest = Math.max(hours.opens, ahead);
  const latest = Math.min(hours.closes, 24 * 60 + ahead) - lengthMinutes;
  return Math.min(earliest, latest);
};
