import { type Hours, timeWithin } from './hours.ts';
import type { ReadSchedule } from './schedule.ts';
import { serves } from './services.ts';
import { type Span, shared, united } from './span.ts';

/**
 * When an actor is there for what is wanted: by the Schedules for that service, each with its own exceptions. A Schedule that names no hours is for
 * the actor's own ones. Who has no Schedule in use is there at the own hours, or at any time.
 *
 * @param own - hours that the actor's record tells itself (`openingHours`).
 * @param services - as `servicesOf` names them; whatever it is, if empty.
 */
export const openTimes = (
  schedules: readonly ReadSchedule[],
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
      .flatMap(({ hours }) =>
        hours.weekly
          ? timeWithin(hours, range)
          : [
              ...shared(timeWithin({ ...hours, extra: [] }, range), ownTime),
              ...timeWithin({ ...hours, weekly: [] }, range),
            ],
      ),
  );
};
