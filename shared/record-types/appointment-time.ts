import type { Resource } from '../fhir/resource.ts';
import { holdUntilUrl, overbookingReasonUrl } from '../scheduling/extensions.ts';
import { servicesOf } from '../scheduling/services.ts';
import { dateInterval } from '../search/date-range.ts';
import type { HeldTime } from './define-record-type.ts';

/** While an appointment has one of these states its time is nobody else's. https://hl7.org/fhir/R4/valueset-appointmentstatus.html */
const holding: ReadonlySet<string> = new Set(['pending', 'booked', 'arrived', 'checked-in']);

/**
 * Actors who can be in one place only. Patients and those who come with them may have several appointments at once, and say so themselves;
 * a HealthcareService is what is offered, by as many people and rooms as it has. https://hl7.org/fhir/R4/appointment.html
 */
export const holdable: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Location', 'Device']);

/**
 * Whose time an appointment holds: of each participant who has not declined and is meant to be there, from start to end, or as long
 * as the participant's own period says.
 */
export const appointmentTime = (resource: Resource): HeldTime[] => {
  const { status, start, end, participant, serviceType, slot } = resource as unknown as fhir4.Appointment;
  if (!holding.has(status)) return [];
  const booking = {
    services: servicesOf(serviceType),
    slots: (slot ?? []).flatMap(({ reference }) => reference ?? []),
    beyondLimits: overbookingReason(resource) !== undefined,
    ...lapsing(resource as unknown as fhir4.Appointment),
  };
  return participant.flatMap(({ actor, status: answer, required, period }, index): HeldTime[] => {
    const reference = actor?.reference;
    const [, type = ''] = /([A-Z][A-Za-z]+)\/[^/]+(?:\/_history\/[^/]+)?$/.exec(reference ?? '') ?? [];
    if (reference === undefined || !holdable.has(type)) return [];
    if (answer === 'declined' || required === 'information-only') return [];
    const from = beginning(period?.start ?? start);
    const to = ending(period?.end ?? end);
    return from < to
      ? [{ actor: reference, from, to, expression: `Appointment.participant[${index}].actor`, ...booking }]
      : [];
  });
};

/** Why an appointment goes beyond the limits of its actors, if it says so. */
export const overbookingReason = (resource: Resource | undefined): string | undefined => {
  const { extension = [] } = (resource ?? {}) as Partial<fhir4.Appointment>;
  return extension.find(({ url }) => url === overbookingReasonUrl)?.valueString;
};

/** A hold lapses by itself; once it is booked, it is none. */
const lapsing = ({ status, extension = [] }: fhir4.Appointment): Pick<HeldTime, 'until'> => {
  const until = extension.find(({ url }) => url === holdUntilUrl)?.valueInstant;
  return status === 'pending' && until !== undefined ? { until: Date.parse(until) } : {};
};

const beginning = (text = ''): number => dateInterval(text)?.start ?? Number.NaN;

/** A day that ends something is part of it, an instant is not. https://hl7.org/fhir/R4/datatypes.html#Period */
const ending = (text = ''): number => (text.includes('T') ? beginning(text) : (dateInterval(text)?.end ?? Number.NaN));
