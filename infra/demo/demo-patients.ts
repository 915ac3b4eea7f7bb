import { directoryOf } from '../local/directory.ts';
import type { OrganizationId } from '../local/users.ts';
import { dayMs, minuteMs } from './calendar.ts';
import type { ChartOrganization, ChartParty } from './chart.ts';
import { atPlace, dayOpensAt, ownClocks, shownAt } from './local-time.ts';
import { patientNumber, patientNumberSystem } from './people.ts';
import { appointmentMinutes } from './plans.ts';
import { syntheticChart } from './synthetic-chart.ts';

/** One patient of the demo, before it is written. */
export interface DemoPatient {
  /** As in searches: `system|value`. */
  readonly identifier: string;
  readonly isAlive: boolean;
  /** A transaction. */
  readonly chart: fhir4.Bundle;
}

/** Seeds of the patients of each organisation: people of all ages, of whom one has died. */
const seeds: Readonly<Record<OrganizationId, readonly number[]>> = {
  northside: [58, 17, 55, 21, 11, 15, 3, 50, 5, 30, 61, 73],
  lakeside: [64, 27, 46, 53, 10, 2, 38, 33],
};

/** Charts of a third of the ordinary length: enough to look around in, and written within seconds. */
const scale = 0.35;

/** From the beginning of one appointment to that of the next. */
const everyMinutes = appointmentMinutes + 10;

/**
 * The demo patients of an organisation, treated by its seeded staff. Each who is alive has one appointment: two of three today, the
 * others tomorrow, none at the same time as another. Those of today that are over have become visits.
 *
 * @param now - milliseconds since 1970.
 * @param clocks - of the place where they live; all times are in its hours.
 */
export const demoPatients = (organization: OrganizationId, now: number, clocks = ownClocks): DemoPatient[] => {
  const keeper = organizationParty(organization);
  const staff = {
    physician: practitionerParty(organization, 'physician'),
    nurse: practitionerParty(organization, 'nurse'),
    laboratory: practitionerParty(organization, 'lab'),
  };
  const shown = shownAt(now, clocks);
  const today = Math.floor(shown / dayMs) * dayMs;
  const booked = seeds[organization].map((seed, index) => ({ seed, isToday: index % 3 !== 2 }));
  return booked.map(({ seed, isToday }, index) => {
    const sameDay = booked.filter((other) => other.isToday === isToday);
    const midnight = isToday ? today : today + dayMs;
    const opens = dayOpensAt(midnight, clocks, sameDay.length * everyMinutes);
    const before = booked.slice(0, index).filter((other) => other.isToday === isToday).length;
    const appointment = midnight + (opens + before * everyMinutes) * minuteMs;
    const options = { scale, organization: keeper, practitioners: staff, now: shown, appointments: [appointment] };
    const chart = atPlace(syntheticChart(seed, options), clocks);
    const patient = chart.entry?.[0]?.resource as fhir4.Patient;
    return {
      identifier: `${patientNumberSystem(keeper.domain)}|${patientNumber(seed)}`,
      isAlive: patient.deceasedDateTime === undefined,
      chart,
    };
  });
};

const organizationParty = (organization: OrganizationId): ChartOrganization => {
  const location = seeded(organization, 'Location', `${organization}-main`);
  return {
    ...party('Organization', organization, seeded(organization, 'Organization', organization).name),
    domain: `${organization}.example`,
    location: party('Location', `${organization}-main`, location.name),
  };
};

const practitionerParty = (organization: OrganizationId, role: 'physician' | 'nurse' | 'lab'): ChartParty => {
  const id = `${organization}-${role}`;
  const name = seeded(organization, 'Practitioner', id).name?.[0];
  return party(
    'Practitioner',
    id,
    [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family].filter(Boolean).join(' '),
  );
};

const party = (type: string, id: string, display = ''): ChartParty => ({ reference: `${type}/${id}`, display });

interface Seeded {
  readonly Organization: fhir4.Organization;
  readonly Location: fhir4.Location;
  readonly Practitioner: fhir4.Practitioner;
}

/** A record of the seeded directory. Throws Error if it is not there. */
const seeded = <T extends keyof Seeded>(organization: OrganizationId, type: T, id: string): Seeded[T] => {
  const found = directoryOf(organization).find((record) => record.resourceType === type && record.id === id);
  if (found === undefined) throw new Error(`The directory has no ${type}/${id}`);
  return found as fhir4.FhirResource as Seeded[T];
};
