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
}

/** Share of visits that are check-ups, and how many of those there are a year. */
const checkUpShare = 0.45;
const checkUpsAYear = 1;

/**
 * Spreads so many visits over the last years of a life, none overlapping another and the last one ten days before the end.
 *
 * @param count - at least 1.
 */
export const planVisits = (random: Random, { birth, end }: Life, count: number): PlannedVisit[] => {
  const to = end - 10 * dayMs;
  const from = Math.max(birth + 2 * dayMs, to - ((count * checkUpShare) / checkUpsAYear + 0.5) * yearMs);
  const places = Math.max(count, Math.floor((to - from) / (7 * dayMs)));
  const length = (to - from) / places;
  return draw(random, places, count).map((place, index) => {
    const opens = from + place * length;
    const hour = 8 * 60 + random.whole(0, 35) * 15;
    // Office hours where the place holds a whole day; visits crowd more closely than that only in a chart made large on purpose.
    const start =
      length > 2 * dayMs ? Math.ceil(opens / dayMs) * dayMs + hour * minuteMs : Math.ceil(opens / minuteMs) * minuteMs;
    return {
      start,
      before: opens + length,
      isCheckUp: Math.floor((index + 1) * checkUpShare) > Math.floor(index * checkUpShare),
    };
  });
};

/** So many of the numbers from 0 to `places - 1`, in ascending order, each as likely as any other. */
const draw = (random: Random, places: number, count: number): number[] => {
  const drawn: number[] = [];
  for (let place = 0; drawn.length < count; place += 1) {
    if (random.chance((count - drawn.length) / (places - place))) drawn.push(place);
  }
  return drawn;
};
