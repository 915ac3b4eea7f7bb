import { addCoverage } from './billing.ts';
import { dayMs, minuteMs } from './calendar.ts';
import type { Chart, ChartOrganization, ChartStaff } from './chart.ts';
import { drawVisitCount } from './chart-distribution.ts';
import { inventLife } from './life.ts';
import { addPatient, inventOrganization, inventPractitioner } from './people.ts';
import { addAppointment, type Booking, endOf } from './plans.ts';
import { Random } from './random.ts';
import { addVisits } from './visit-history.ts';
import { type PlannedVisit, planVisits } from './visits.ts';

export interface SyntheticChartOptions {
  /** How long the chart is, compared with one of ordinary length from the same seed; 1 if absent. */
  readonly scale?: number;
  /** Who keeps the chart; one of its own, in the bundle, if absent. */
  readonly organization?: ChartOrganization;
  /** Who works there; people of its own, in the bundle, if absent. */
  readonly practitioners?: ChartStaff;
  /** The present, in milliseconds since 1970; 1 July 2025 if absent. Nothing but appointments is later. */
  readonly now?: number;
  /**
   * Starts of the appointments, in milliseconds since 1970; one within the next three months if absent. One that is over has led to a
   * visit. A dead patient has none.
   */
  readonly appointments?: readonly number[];
}

const defaultNow = Date.UTC(2025, 6, 1);

/**
 * Invents the chart of a patient who never lived: a connected history with visits, what was found, measured, prescribed and
 * charged at them. Numbers, sizes and shares of types are those of `chart-distribution.ts`.
 *
 * @param seed - a whole number from 0 to 2^53 - 1. The same seed and options give the same bundle, byte by byte.
 * @returns a transaction of creates, whose entries refer to each other by `urn:uuid:`; the patient is its first entry.
 */
export const syntheticChart = (seed: number, options: SyntheticChartOptions = {}): fhir4.Bundle => {
  const now = options.now ?? defaultNow;
  const random = new Random(seed);
  const uuids = new Random(seed, 1);
  const entry: fhir4.BundleEntry[] = [];
  const newReference = () => `urn:uuid:${uuids.uuid()}`;
  const add: Chart['add'] = (resource, fullUrl = newReference()) => {
    entry.push({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } });
    return fullUrl;
  };

  const life = inventLife(random, now);
  const count = drawVisitCount(random, options.scale ?? 1);
  const subject = { reference: newReference(), display: `${life.given} ${life.family}` };
  const own: [reference: string, resource: fhir4.FhirResource][] = [];
  const keep = <T extends { readonly reference: string }>([party, resource]: readonly [T, fhir4.FhirResource]): T => {
    own.push([party.reference, resource]);
    return party;
  };
  const organization = options.organization ?? keep(inventOrganization(random, newReference()));
  const staff = options.practitioners ?? {
    physician: keep(inventPractitioner(random, newReference(), organization.domain, 'Dr. ')),
    nurse: keep(inventPractitioner(random, newReference(), organization.domain, '')),
    laboratory: organization,
  };
  const chart: Chart = { random, life, subject, organization, staff, newReference, add };

  addPatient(chart, seed);
  for (const [reference, resource] of own) add(resource, reference);
  const { appointments = [now + random.whole(1, 90) * dayMs + random.whole(0, 31) * 15 * minuteMs] } = options;
  const booked = life.death === undefined ? appointments.map((start) => ({ start, reference: newReference() })) : [];
  const visits = [...planVisits(random, life, count), ...booked.filter((one) => endOf(one) <= now).map(keptVisit)];
  const treated = addVisits(chart, visits, addCoverage(chart, visits[0]?.start ?? life.end));
  for (const booking of booked) addAppointment(chart, booking, now, treated[0]);
  return { resourceType: 'Bundle', type: 'transaction', entry };
};

/** The visit for which an appointment was made. */
const keptVisit = (booking: Booking): PlannedVisit => ({
  start: booking.start,
  before: endOf(booking),
  isCheckUp: false,
  appointment: booking.reference,
});
