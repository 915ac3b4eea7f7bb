import type { Resource } from '../fhir/resource.ts';
import { servicesOf } from '../scheduling/services.ts';
import { dateInterval } from '../search/date-range.ts';
import type { HeldTime } from './define-record-type.ts';

/**
 * How a Slot with one of these states holds time: for the bookings that name it, or from everybody.
 * https://hl7.org/fhir/R4/valueset-slotstatus.html
 */
const holding: Readonly<Partial<Record<fhir4.Slot['status'], 'slot' | 'closed'>>> = {
  busy: 'slot',
  'busy-tentative': 'slot',
  'busy-unavailable': 'closed',
};

/** Whose time a Slot holds: that of all actors of its Schedule, from start to end. */
export const slotTime = (resource: Resource): HeldTime[] => {
  const { status, start, end, schedule, serviceType } = resource as unknown as fhir4.Slot;
  const as = holding[status];
  const actor = schedule?.reference;
  const [from, to] = [start, end].map((text) => dateInterval(text)?.start);
  if (as === undefined || actor === undefined || from === undefined || to === undefined || from >= to) return [];
  return [{ actor, from, to, expression: 'Slot.schedule', services: servicesOf(serviceType), as }];
};
