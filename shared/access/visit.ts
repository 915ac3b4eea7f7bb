import { dateInterval } from '../search/date-range.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Visit } from './door.ts';

const present: ReadonlySet<string> = new Set(['arrived', 'triaged', 'in-progress', 'onleave']);

/** That the patient of a visit has come. A visit ends when it is said to, and not later than that is written. https://hl7.org/fhir/R4/encounter.html */
export const visitInEncounter = ({ custodian, resource, updated }: StoredRecord): Visit | undefined => {
  const { status = '', period } = (resource ?? {}) as Partial<fhir4.Encounter>;
  if (present.has(status)) return { kind: 'visit', custodian, seen: updated };
  if (status !== 'finished') return undefined;
  const end = period?.end === undefined ? undefined : dateInterval(period.end)?.end;
  return { kind: 'visit', custodian, seen: updated, ended: Math.min(end ?? updated, updated) };
};

const kept: ReadonlySet<string> = new Set(['arrived', 'checked-in', 'fulfilled']);

/** That the patient has come to an appointment. https://hl7.org/fhir/R4/appointment.html */
export const visitInAppointment = ({ custodian, resource, updated }: StoredRecord): Visit | undefined =>
  kept.has((resource as Partial<fhir4.Appointment> | undefined)?.status ?? '')
    ? { kind: 'visit', custodian, seen: updated, ended: updated }
    : undefined;
