import type { Resource } from '../fhir/resource.ts';
import { extensionsIn, extensionUrls, type FoundExtension, onlyExtension, Parts, valueOf } from './extensions.ts';
import { type Bounds, type Hours, type WeeklyHours, weekdays } from './hours.ts';
import { type Allowance, mostBuffer, type ServiceRule } from './limits.ts';
import { boundsOf } from './moments.ts';
import { servicesOf } from './services.ts';
import { endMinute, minuteOf } from './time-of-day.ts';
import { isZone } from './wall-clock.ts';

/** What a Schedule says of when, for what and how often at once its actors can be booked. */
export interface ReadSchedule {
  /** Whether it is in use. */
  readonly active: boolean;
  /** `weekly` is undefined where it names no hours: then those of its actors hold, if they have any. */
  readonly hours: Hours;
  /** What it is for, as `servicesOf` names it; anything, if empty. */
  readonly services: readonly string[];
  readonly rules: readonly ServiceRule[];
  /** Undefined where it says nothing of it. */
  readonly allowance: Allowance | undefined;
}

/** Schedules without a zone are by the clock of UTC, as searches are. */
const defaultZone = 'UTC';
const mostWeeks = 52;
/** A working day. */
const mostMinutes = 24 * 60;
const mostAtOnce = 1_000;
const root = 'Schedule';

/**
 * Reads a Schedule with its extensions.
 *
 * @throws RecordError `invalid` for an extension that is not understood: to guess would offer time that nobody has.
 * @see https://hl7.org/fhir/R4/schedule.html
 */
export const readSchedule = (resource: Resource): ReadSchedule => {
  const schedule = resource as unknown as fhir4.Schedule;
  const each = (url: string) => extensionsIn(schedule, root, url);
  const weekly = each(extensionUrls.hours).map(weeklyHours);
  return {
    active: schedule.active !== false,
    hours: {
      zone: zoneOf(schedule, root) ?? defaultZone,
      weekly: weekly.length > 0 ? weekly : undefined,
      extra: each(extensionUrls.extraHours).map(exception),
      closed: each(extensionUrls.notAvailable).map(exception),
      within: boundsOf(schedule.planningHorizon),
    },
    services: servicesOf(schedule.serviceType),
    rules: each(extensionUrls.service).map(serviceRule),
    allowance: allowanceOf(onlyExtension(schedule, root, extensionUrls.capacity)),
  };
};

/** The zone whose clock something is by, if it says so. @throws RecordError `invalid`. */
export const zoneOf = (
  element: { readonly extension?: readonly fhir4.Extension[] | undefined },
  expression: string,
): string | undefined => {
  const found = onlyExtension(element, expression, extensionUrls.timeZone);
  if (!found) return undefined;
  const zone = valueOf<string>(found, 'valueCode');
  if (!isZone(zone)) throw new Parts(found, []).refused('This is no time zone of the IANA database');
  return zone;
};

const weeklyHours = (found: FoundExtension): WeeklyHours => {
  const names = ['daysOfWeek', 'allDay', 'availableStartTime', 'availableEndTime', 'everyWeeks', 'period'];
  const parts = new Parts(found, names, ['daysOfWeek']);
  const named = parts.all<string>('daysOfWeek', 'valueCode');
  const days = weekdays.filter((day) => named.includes(day));
  if (days.length < new Set(named).size) throw parts.refused(`Days of the week are ${weekdays.join(', ')}`);
  const allDay = parts.one<boolean>('allDay', 'valueBoolean') ?? false;
  const start = parts.one<string>('availableStartTime', 'valueTime');
  const end = parts.one<string>('availableEndTime', 'valueTime');
  if (allDay ? start !== undefined || end !== undefined : start === undefined || end === undefined)
    throw parts.refused('Hours are all day, or from availableStartTime to availableEndTime');
  if ([start, end].some((time) => time !== undefined && !/^\d\d:\d\d:00(?:\.0+)?$/.test(time)))
    throw parts.refused('Hours begin and end at a minute');
  const period = parts.one<fhir4.Period>('period', 'valuePeriod') ?? {};
  const { from, to } = boundsOf(period);
  const isDay = (text: string | undefined) => text === undefined || /^\d{4}-\d\d-\d\d$/.test(text);
  if (!isDay(period.start) || !isDay(period.end)) throw parts.refused('Weekly hours hold from a day to a day');
  const everyWeeks = parts.number('everyWeeks', 'valuePositiveInt', mostWeeks) ?? 1;
  if (everyWeeks > 1 && !from) throw parts.refused('Weeks are counted from that of period.start');
  const begin = minuteOf(start) ?? 0;
  return {
    days: days.length > 0 ? days : weekdays,
    from: begin,
    to: endMinute(begin, end),
    everyWeeks,
    firstDay: from && 'wall' in from ? from.wall : undefined,
    // The end of a day is the midnight after it.
    lastDay: to && 'wall' in to ? to.wall - 1 : undefined,
  };
};

const exception = (found: FoundExtension): Bounds => {
  const parts = new Parts(found, ['during', 'description']);
  const during = parts.one<fhir4.Period>('during', 'valuePeriod');
  if (during?.start === undefined || during.end === undefined)
    throw parts.refused('An exception has a Period during which it holds, with start and end');
  return boundsOf(during);
};

const serviceRule = (found: FoundExtension): ServiceRule => {
  const parts = new Parts(found, ['serviceType', 'minutes', 'grain', 'bufferBefore', 'bufferAfter'], ['serviceType']);
  const concepts = parts.all<fhir4.CodeableConcept>('serviceType', 'valueCodeableConcept');
  const services = servicesOf(concepts);
  if (concepts.length > 0 && services.length === 0) throw parts.refused('A service has a code, or a text');
  const grain = parts.number('grain', 'valuePositiveInt', mostMinutes);
  if (grain !== undefined && mostMinutes % grain !== 0) throw parts.refused('A grain divides the day');
  return {
    services,
    minutes: parts.number('minutes', 'valuePositiveInt', mostMinutes),
    grain,
    before: parts.number('bufferBefore', 'valueUnsignedInt', mostBuffer) ?? 0,
    after: parts.number('bufferAfter', 'valueUnsignedInt', mostBuffer) ?? 0,
  };
};

const allowanceOf = (found: FoundExtension | undefined): Allowance | undefined => {
  if (!found) return undefined;
  const parts = new Parts(found, ['capacity', 'overbook', 'number']);
  const overbook = parts.one<boolean>('overbook', 'valueBoolean') ?? false;
  const number = parts.number('number', 'valuePositiveInt', mostAtOnce);
  if (overbook && number === undefined) throw parts.refused('An allowance says by what number');
  return {
    capacity: parts.number('capacity', 'valuePositiveInt', mostAtOnce) ?? 1,
    overbook: overbook ? (number ?? 0) : 0,
  };
};
