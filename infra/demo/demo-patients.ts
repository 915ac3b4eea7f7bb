import { directoryOf } from '../local/directory.ts';
import type { OrganizationId } from '../local/users.ts';
import { dayMs, minuteMs } from './calendar.ts';
import type { ChartOrganization, ChartParty } from './chart.ts';
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

/** Seeds of the patients of each organisation. */
const seeds: Readonly<Record<OrganizationId, { readonly first: number; readonly count: number }>> = {
  northside: { first: 1, count: 12 },
  lakeside: { first: 101, count: 8 },
};

/** Charts of a third of the ordinary length: enough to look around in, and written within seconds. */
const scale = 0.35;

/** When the day begins, in minutes after midnight UTC, and how many minutes lie between two appointments. */
const opensAtMinute = 9 * 60;
const everyMinutes = appointmentMinutes + 10;

/**
 * The demo patients of an organisation, treated by its seeded staff. Each who is alive has one appointment: two of three today, the
 * others tomorrow, none at the same time as another.
 *
 * @param now - milliseconds since 1970.
 */
export const demoPatients = (organization: OrganizationId, now: number): DemoPatient[] => {
  const { first, count } = seeds[organization];
  const keeper = organizationParty(organization);
  const staff = {
    physician: practitionerParty(organization, 'physician'),
    nurse: practitionerParty(organization, 'nurse'),
    laboratory: practitionerParty(organization, 'lab'),
  };
  const midnight = Math.floor(now / dayMs) * dayMs;
  return Array.from({ length: count }, (_, index) => {
    const seed = first + index;
    const day = index % 3 === 2 ? 1 : 0;
    const appointment = midnight + day * dayMs + (opensAtMinute + index * everyMinutes) * minuteMs;
    const options = { scale, organization: keeper, practitioners: staff, now, appointments: [appointment] };
    const chart = syntheticChart(seed, options);
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
