import type { BookingRules } from '../scheduling/limits.ts';
import { actorScheduleKey, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';

/** What one Schedule says of bookings of one of its actors. The Schedule's own transaction writes it. */
export interface ActorScheduleRow extends RowKey {
  readonly layout: number;
  /** JSON. */
  readonly rules: string;
}

/** A Schedule in use, as far as bookings of its actors depend on it. */
export interface ActorSchedule extends BookingRules {
  /** Of the Schedule. */
  readonly id: string;
}

export const actorScheduleLayouts = /* @__PURE__ */ new Layouts<(row: ActorScheduleRow) => ActorSchedule>('schedule', {
  1: ({ sk, rules }) => ({ id: sk, ...(JSON.parse(rules) as BookingRules) }),
});

/** @param actor - `Type/id`. */
export const actorScheduleRow = (actor: string, schedule: string, rules: BookingRules): ActorScheduleRow => ({
  ...actorScheduleKey(actor, schedule),
  layout: 1,
  rules: JSON.stringify(rules),
});
