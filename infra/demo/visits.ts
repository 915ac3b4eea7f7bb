import { dayMs, minuteMs, yearMs } from './calendar.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

/** When a patient was seen. Instants are milliseconds since 1970. */
export interface PlannedVisit {
  readonly start: number;
  /** The next one may begin here. */
  readonly before: number;
  /** Whether it was arranged to see how the patient is, and not because of a complaint. */
  readonly isCheckUp: boolean;
  /** Reference to the appointment that was kept by it. */
  readonly appointment?: string;
}

/** Share of visits that are check-ups, and how many of those there are a year. */
const checkUpShare = 0.45;
const checkUpsAYear = 1;

/** Ages at which a small child is seen besides, in months: https://www.aap.org/periodicityschedule */
const wellChildMonths = [2, 4, 6, 9, 12, 15, 18];

/**
 * Spreads so many visits over the last years of a life, none overlapping another and the last one ten days before the end. A small child
 * is seen more often.
 *
 * @param count - at least 1.
 */
export const planVisits = (random: Random, { birth, end }: Life, count: number): PlannedVisit[] => {
  const to = end - 10 * dayMs;
  const from = Math.max(birth + 2 * dayMs, to - ((count * checkUpShare) / checkUpsAYear + 0.5) * yearMs);
  const places = Math.max(count, Math.floor((to - from) / (7 * dayMs)));
  const length = (to - from) / places;
  const isRoomy = length > 5 * dayMs;
  const officeHour = () => (8 * 60 + random.whole(0, 34) * 15) * minuteMs;
  const visits = draw(random, places, count).map((place, index): PlannedVisit => {
    const opens = from + place * length;
    const hour = officeHour();
    // Office hours where the place holds a working day; visits crowd more closely than that only in a chart made large on purpose.
    const start = isRoomy
      ? workingDay(Math.ceil(opens / dayMs)) * dayMs + hour
      : Math.ceil(opens / minuteMs) * minuteMs;
    return {
      start,
      before: opens + length,
      isCheckUp: Math.floor((index + 1) * checkUpShare) > Math.floor(index * checkUpShare),
    };
  });
  const wellChild = isRoomy
    ? wellChildMonths
        .map((months) => workingDay(Math.ceil((birth + (months / 12) * yearMs) / dayMs) + 3) * dayMs + officeHour())
        .filter((start) => start > from && start < to && visits.every((visit) => isApart(visit, start)))
        .map((start): PlannedVisit => ({ start, before: start + dayMs, isCheckUp: true }))
    : [];
  return [...visits, ...wellChild].sort((a, b) => a.start - b.start);
};

/** Whether a visit is at least a week away, and a check-up four. */
const isApart = ({ start, isCheckUp }: PlannedVisit, other: number): boolean =>
  Math.abs(start - other) > (isCheckUp ? 28 : 7) * dayMs;

/** The day itself or the Monday after it, in days since 1970, which began on a Thursday. */
const workingDay = (day: number): number => {
  const weekday = (day + 3) % 7; // 0 for Monday
  return weekday < 5 ? day : day + 7 - weekday;
};

/** So many of the numbers from 0 to `places - 1`, in ascending order, each as likely as any other. */
const draw = (random: Random, places: number, count: number): number[] => {
  const drawn: number[] = [];
  for (let place = 0; drawn.length < count; place += 1) {
    if (random.chance((count - drawn.length) / (places - place))) drawn.push(place);
  }
  return drawn;
};
