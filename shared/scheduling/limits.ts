import { serves } from './services.ts';

/** How many may have an actor at once. */
export interface Allowance {
  readonly capacity: number;
  /** By how many more whoever books may go beyond it. */
  readonly overbook: number;
}

/** What a Schedule says of one kind of service. */
export interface ServiceRule {
  /** As `servicesOf` names them; of all that have no rule of their own, if empty. */
  readonly services: readonly string[];
  /** How long it usually takes. */
  readonly minutes?: number | undefined;
  /** Minutes from one start to the next, counted from midnight. */
  readonly grain?: number | undefined;
  /** Minutes that are held with a booking, before it and behind it. */
  readonly before: number;
  readonly after: number;
}

/** What a Schedule says of bookings of its actors. It lies beside each actor's calendar, and is read with it. */
export interface BookingRules {
  /** Time of which it tells: milliseconds since 1970; open where undefined. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** What it is for; anything, if empty. */
  readonly services: readonly string[];
  readonly rules: readonly ServiceRule[];
  readonly allowance?: Allowance | undefined;
}

/** A booking, as far as its limits depend on it. Milliseconds since 1970. */
export interface Wanted {
  readonly from: number;
  readonly to: number;
  /** What it is for, as `servicesOf` names it. */
  readonly services: readonly string[];
}

/** What a booking of an actor has to keep to. */
export interface Limits {
  /** How many may have the actor then, this one among them. */
  readonly most: number;
  /** Milliseconds that are held before and behind it. */
  readonly before: number;
  readonly after: number;
}

const minuteMs = 60_000;
/** Minutes that a buffer has at most, so that it reaches one day of a calendar further at most. */
export const mostBuffer = 120;
export const longestBufferMs = mostBuffer * minuteMs;

/**
 * What a booking of an actor has to keep to, by all Schedules that the actor has at that time. How many may have an actor is the actor's, whatever
 * they come for: of those that say it the smallest number counts, so that nobody is booked more often than each of them allows. Without a word
 * of it, it is one. Buffers are the longest that a Schedule for this service names.
 */
export const limitsOf = (schedules: readonly BookingRules[], wanted: Wanted): Limits => {
  const then = schedules.filter(({ from = -Infinity, to = Infinity }) => from < wanted.to && wanted.from < to);
  const most = then.flatMap(({ allowance }) => (allowance ? [allowance.capacity + allowance.overbook] : []));
  const rules = then.flatMap((schedule) =>
    serves(schedule.services, wanted.services) ? (ruleFor(schedule.rules, wanted.services) ?? []) : [],
  );
  return {
    most: most.length === 0 ? 1 : Math.min(...most),
    before: Math.max(0, ...rules.map(({ before }) => before)) * minuteMs,
    after: Math.max(0, ...rules.map(({ after }) => after)) * minuteMs,
  };
};

/** The rule of a service: the first that names it, else the first that names none. */
export const ruleFor = (rules: readonly ServiceRule[], services: readonly string[]): ServiceRule | undefined =>
  rules.find((rule) => rule.services.some((service) => services.includes(service))) ??
  rules.find((rule) => rule.services.length === 0);
