import type { Resource } from '../fhir/resource.ts';
import { type Bounds, type Hours, type WeeklyHours, weekdays } from './hours.ts';
import { boundsOf } from './moments.ts';
import { zoneOf } from './schedule.ts';
import { endMinute, minuteOf } from './time-of-day.ts';

/**
 * When somebody or something is there that has no Schedule, by its own elements: `availableTime` and `notAvailable` of a PractitionerRole or
 * HealthcareService, `hoursOfOperation` of a Location. A PractitionerRole is so within its `period`.
 *
 * @param zone - whose clock they are by, where the record does not say: R4 has no element for that.
 * @returns undefined if it says nothing of it, and may be there at any time.
 * @throws RecordError `invalid` for a zone that there is not.
 * @see https://hl7.org/fhir/R4/practitionerrole.html https://hl7.org/fhir/R4/location.html
 */
export const openingHours = (resource: Resource, zone: string): Hours | undefined => {
  const own = { zone: zoneOf(resource as unknown as fhir4.Location, resource.resourceType) ?? zone, extra: [] };
  if (resource.resourceType === 'Location') {
    const { hoursOfOperation } = resource as unknown as fhir4.Location;
    const weekly = hoursOfOperation?.map(({ daysOfWeek, allDay, openingTime, closingTime }) =>
      weeklyHours(daysOfWeek, allDay, openingTime, closingTime),
    );
    return weekly && { ...own, weekly, closed: [], within: {} };
  }
  if (resource.resourceType !== 'PractitionerRole' && resource.resourceType !== 'HealthcareService') return undefined;
  const { availableTime, notAvailable, period } = resource as unknown as fhir4.PractitionerRole;
  if (!availableTime && !notAvailable && !period) return undefined;
  return {
    ...own,
    weekly: availableTime?.map(({ daysOfWeek, allDay, availableStartTime, availableEndTime }) =>
      weeklyHours(daysOfWeek, allDay, availableStartTime, availableEndTime),
    ),
    closed: (notAvailable ?? []).flatMap(({ during }): Bounds[] => (during ? [boundsOf(during)] : [])),
    within: boundsOf(period),
  };
};

const weeklyHours = (days: readonly string[] = weekdays, allDay = false, start?: string, end?: string): WeeklyHours => {
  const from = allDay ? 0 : Math.floor(minuteOf(start) ?? 0);
  return {
    days: weekdays.filter((day) => days.includes(day)),
    from,
    to: endMinute(from, allDay ? undefined : end),
    everyWeeks: 1,
  };
};
