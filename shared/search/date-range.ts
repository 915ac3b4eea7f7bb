/** A span of time in milliseconds since 1970, UTC: from `start` to just before `end`. An open end is infinite. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

const dateTime = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

const minuteMs = 60_000;
const hourMs = 3_600_000;

/**
 * The time that a FHIR date, dateTime, instant or part of one may mean: `2024` is the whole year, `2024-02-29T10:15` one minute. Without a
 * zone it is UTC. A leap second counts as the second that follows it.
 *
 * @returns undefined if the text is no such date, as `2023-02-29` is not.
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export const dateInterval = (text: string): Interval | undefined => {
  const parts = dateTime.exec(text);
  if (!parts) return undefined;
  const [, yearText, monthText, dayText, hourText, minuteText, secondText, fraction, zone] = parts;
  const year = Number(yearText);
  if (year === 0) return undefined;
  if (monthText === undefined) return { start: dayStart(year, 1, 1), end: dayStart(year + 1, 1, 1) };
  const month = Number(monthText);
  if (month < 1 || month > 12) return undefined;
  if (dayText === undefined) return { start: dayStart(year, month, 1), end: dayStart(year, month + 1, 1) };
  const day = Number(dayText);
  if (day < 1 || dayStart(year, month, day) >= dayStart(year, month + 1, 1)) return undefined;
  if (hourText === undefined) return { start: dayStart(year, month, day), end: dayStart(year, month, day + 1) };
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText ?? 0)];
  const offset = offsetMs(zone);
  if (hour > 23 || minute > 59 || second > 60 || offset === undefined) return undefined;
  const start =
    dayStart(year, month, day) + hour * hourMs + minute * minuteMs + second * 1_000 + milliseconds(fraction) - offset;
  return { start, end: start + precisionMs(secondText, fraction) };
};

/** Midnight, UTC. Not `Date.UTC`, which takes the year 99 for 1999. */
const dayStart = (year: number, month: number, day: number): number => new Date(0).setUTCFullYear(year, month - 1, day);

const milliseconds = (fraction = ''): number => Number(fraction.slice(0, 3).padEnd(3, '0'));

const precisionMs = (second: string | undefined, fraction: string | undefined): number => {
  if (second === undefined) return minuteMs;
  return 10 ** Math.max(0, 3 - (fraction?.length ?? 0));
};

/** How far a zone is ahead of UTC, at most 14 hours. https://hl7.org/fhir/R4/datatypes.html#dateTime */
const offsetMs = (zone = 'Z'): number | undefined => {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  const size = hours * hourMs + minutes * minuteMs;
  if (minutes > 59 || size > 14 * hourMs) return undefined;
  return zone.startsWith('-') ? -size : size;
};
