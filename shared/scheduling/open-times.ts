import { type Hours, timeWithin } from './hours.ts';
import type { ReadSchedule } from './schedule.ts';
import { serves } from './services.ts';
import { type Span, shared, united } from './span.ts';

/** A Schedule as it was read, with its Slots. */
export interface OfferedSchedule extends ReadSchedule {
  /** What Slots leave open, where it is open by them; undefined where it is not. */
  readonly slots?: readonly Span[] | undefined;
}

/**
 * When an actor is there for what is wanted: by the Schedules for that service, each with its own exceptions. A Schedule that names no hours is open in its free Slots; without Slots, it is for
 * the actor's own hours. Who has no Schedule in use is there at the own hours, or at any time.
 *
 * @param own - hours that the actor's record tells itself (`openingHours`).
 * @param services - as `servicesOf` names them; whatever it is, if empty.
 */
export const openTimes = (
  schedules: readonly OfferedSchedule[],
  own: Hours | undefined,
  services: readonly string[],
  range: Span,
): Span[] => {
  const ownTime = own ? timeWithin(own, range) : united([range]);
  const inUse = schedules.filter(({ active }) => active);
  if (inUse.length === 0) return ownTime;
  return united(
    inUse
      .filter((schedule) => serves(schedule.services, services))
      .flatMap(({ hours, slots }) =>
        hours.weekly
          ? timeWithin(hours, range)
          : [
              ...shared(timeWithin({ ...hours, extra: [] }, range), slots ? united(slots) : ownTime),
              ...timeWithin({ ...hours, weekly: [] }, range),
            ],
      ),
  );
};

/** The only moments at which something may begin with an actor who is there by Slots alone: where one begins. Undefined where hours say it as well. */
export const startsBySlots = (
  schedules: readonly OfferedSchedule[],
  services: readonly string[],
): ReadonlySet<number> | undefined => {
  const serving = schedules.filter((schedule) => schedule.active && serves(schedule.services, services));
  const bySlots = serving.flatMap(({ hours, slots }) =>
    slots && !hours.weekly && hours.extra.length === 0 ? [slots] : [],
  );
  if (bySlots.length === 0 || bySlots.length < serving.length) return undefined;
  return new Set(bySlots.flat().map(({ from }) => from));
};
