import { addressOf } from '../fhir/addresses.ts';
import { dateInterval } from '../search/date-range.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Visit } from './door.ts';

const present: ReadonlySet<string> = new Set(['arrived', 'triaged', 'in-progress', 'onleave']);

/** When it began and what it was for, as far as a record says so. */
const told = (
  start: string | undefined,
  basedOn: readonly fhir4.Reference[] = [],
): Pick<Visit, 'began' | 'basedOn'> => {
  const began = start === undefined ? undefined : dateInterval(start)?.start;
  const names = basedOn.flatMap(
    ({ reference }) => (reference === undefined ? undefined : addressOf(reference)?.name) ?? [],
  );
  return { ...(began === undefined ? {} : { began }), ...(names.length === 0 ? {} : { basedOn: names }) };
};

/** That the patient of a visit has come. A visit ends when it is said to, and not later than that is written. https://hl7.org/fhir/R4/encounter.html */
export const visitInEncounter = ({ custodian, resource, updated }: StoredRecord): Visit | undefined => {
  const { status = '', period, basedOn } = (resource ?? {}) as Partial<fhir4.Encounter>;
  const said = told(period?.start, basedOn);
  if (present.has(status)) return { kind: 'visit', custodian, seen: updated, ...said };
  if (status !== 'finished') return undefined;
  const end = period?.end === undefined ? undefined : dateInterval(period.end)?.end;
  return { kind: 'visit', custodian, seen: updated, ended: Math.min(end ?? updated, updated), ...said };
};

const kept: ReadonlySet<string> = new Set(['arrived', 'checked-in', 'fulfilled']);

/** That the patient has come to an appointment. https://hl7.org/fhir/R4/appointment.html */
export const visitInAppointment = ({ custodian, resource, updated }: StoredRecord): Visit | undefined => {
  const { status = '', start, basedOn } = (resource ?? {}) as Partial<fhir4.Appointment>;
  return kept.has(status)
    ? { kind: 'visit', custodian, seen: updated, ended: updated, ...told(start, basedOn) }
    : undefined;
};
