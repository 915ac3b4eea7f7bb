// When somebody is there and can be had, asked minute by minute of what a clock on the wall shows. Shares no code with shared/scheduling.

const base = 'https://concord.example/fhir/StructureDefinition';
const minute = 60_000;
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-03-29 01:30`, as the clock of a zone shows it. */
const shown = (zone: string, instant: number): string => {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' });
  formats.set(zone, format);
  return format.format(instant);
};

const dayOf = (date: string): string => days[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? '';
const dayBefore = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
const mondayOf = (date: string): string => (dayOf(date) === 'mon' ? date : mondayOf(dayBefore(date)));

/** Weeks from one Monday to a later one. */
const weeksFrom = (first: string, later: string): number => {
  let weeks = 0;
  for (let monday = later; monday > first; weeks++) for (let n = 0; n < 7; n++) monday = dayBefore(monday);
  return weeks;
};

const partOf = ({ extension = [] }: fhir4.Extension, url: string) => extension.filter((part) => part.url === url);

const isWithin = ({ start, end }: fhir4.Period, instant: number, date: string): boolean =>
  (start === undefined || (start.includes('T') ? Date.parse(start) <= instant : start <= date)) &&
  (end === undefined || (end.includes('T') ? instant < Date.parse(end) : date <= end));

const isHour = (hours: fhir4.Extension, date: string, time: string): boolean => {
  const named = partOf(hours, 'daysOfWeek').map(({ valueCode }) => valueCode);
  const from = partOf(hours, 'availableStartTime')[0]?.valueTime?.slice(0, 5) ?? '00:00';
  const to = partOf(hours, 'availableEndTime')[0]?.valueTime?.slice(0, 5) ?? '00:00';
  const { start, end } = partOf(hours, 'period')[0]?.valuePeriod ?? {};
  const every = partOf(hours, 'everyWeeks')[0]?.valuePositiveInt ?? 1;
  const begunOn = (day: string): boolean =>
    (named.length === 0 || named.includes(dayOf(day) as 'mon')) &&
    (start === undefined || (start <= day && weeksFrom(mondayOf(start), mondayOf(day)) % every === 0)) &&
    (end === undefined || day <= end);
  if (from < to) return from <= time && time < to && begunOn(date);
  return (from <= time && begunOn(date)) || (time < to && begunOn(dayBefore(date)));
};

/** Whether a Schedule says that its actor is there in the minute that begins then. */
export const isThere = ({ extension = [], planningHorizon = {} }: fhir4.Schedule, instant: number): boolean => {
  const zone =
    extension.find(({ url }) => url === 'http://hl7.org/fhir/StructureDefinition/timezone')?.valueCode ?? 'UTC';
  const [date = '', time = ''] = shown(zone, instant).split(' ');
  const during = (name: string) =>
    extension
      .filter(({ url }) => url === `${base}/${name}`)
      .some((each) => isWithin(partOf(each, 'during')[0]?.valuePeriod ?? {}, instant, date));
  const weekly = extension.filter(({ url }) => url === `${base}/schedule-hours`);
  return (
    isWithin(planningHorizon, instant, date) &&
    !during('schedule-not-available') &&
    (weekly.length === 0 || weekly.some((hours) => isHour(hours, date, time)) || during('schedule-extra-hours'))
  );
};

/** Somebody who is to come. Times in minutes since 1970. */
export interface NaiveActor {
  readonly schedule: fhir4.Schedule;
  readonly taken: readonly (readonly [from: number, to: number])[];
  readonly most: number;
  readonly before: number;
  readonly after: number;
}

/** Starts, in milliseconds, at which all can be had for some minutes, each minute asked for itself. */
export const naiveStarts = (
  actors: readonly NaiveActor[],
  { from, to, minutes, grain, zone }: { from: number; to: number; minutes: number; grain: number; zone: string },
): number[] => {
  const there = actors.map(({ schedule }) => {
    const known = new Map<number, boolean>();
    return (at: number): boolean => {
      const answer = known.get(at) ?? isThere(schedule, at * minute);
      known.set(at, answer);
      return answer;
    };
  });
  const starts: number[] = [];
  for (let start = from; start + minutes <= to; start++) {
    const time = shown(zone, start * minute).split(' ')[1] ?? '';
    if ((Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) % grain !== 0) continue;
    const free = actors.every(({ taken, most, before, after }, index) => {
      for (let at = start; at < start + minutes; at++) if (!there[index]?.(at)) return false;
      for (let at = start - before; at < start + minutes + after; at++)
        if (taken.filter((span) => span[0] <= at && at < span[1]).length >= most) return false;
      return true;
    });
    if (free) starts.push(start * minute);
  }
  return starts;
};
