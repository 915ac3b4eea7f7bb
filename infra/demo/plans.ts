import { dateTime, dayMs, minuteMs } from './calendar.ts';
import { type Chart, named, type Visit } from './chart.ts';
import { hl7, snomed } from './concepts.ts';
import type { Treated } from './visit-history.ts';

/** Length of an appointment, in minutes. */
export const appointmentMinutes = 20;

/** A visit that is arranged. Instants are milliseconds since 1970. */
export interface Booking {
  /** By which the visit refers to it. */
  readonly reference: string;
  readonly start: number;
}

export const endOf = ({ start }: Booking): number => start + appointmentMinutes * minuteMs;

/**
 * An appointment with the physician, in the organisation's rooms. One that is over has been kept; to one that has begun the patient has
 * come.
 *
 * @param reason - the illness because of which the patient comes, if there is one.
 * @see https://hl7.org/fhir/R4/appointment.html
 */
export const addAppointment = (chart: Chart, booking: Booking, now: number, reason: Treated | undefined): void => {
  const { start, reference } = booking;
  const end = endOf(booking);
  const { location } = chart.organization;
  const participants = [chart.subject, chart.staff.physician, ...(location === undefined ? [] : [location])];
  chart.add(
    {
      resourceType: 'Appointment',
      status: end <= now ? 'fulfilled' : start <= now ? 'arrived' : 'booked',
      serviceType: [hl7('service-type', '124', 'General Practice')],
      appointmentType:
        reason === undefined
          ? hl7('v2-0276', 'CHECKUP', 'A routine check-up, such as an annual physical')
          : hl7('v2-0276', 'FOLLOWUP', 'A follow up visit from a previous appointment'),
      ...(reason === undefined
        ? {}
        : { reasonReference: [{ reference: reason.condition, display: reason.illness.concept.text ?? '' }] }),
      description: reason === undefined ? 'Check-up' : `Follow-up of ${reason.illness.concept.text ?? ''}`,
      start: dateTime(start),
      end: dateTime(end),
      minutesDuration: appointmentMinutes,
      created: dateTime(Math.min(start, now) - chart.random.whole(1, 6) * dayMs),
      participant: participants.map((actor) => ({ actor: named(actor), required: 'required', status: 'accepted' })),
    },
    reference,
  );
};

/** Something that the nurse has yet to do for the patient. https://hl7.org/fhir/R4/task.html */
export const addTask = (chart: Chart, visit: Visit): void => {
  chart.add({
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'routine',
    code: { coding: snomed('306206005', 'Referral to service').coding ?? [], text: 'Follow up by telephone' },
    description: 'Call the patient and ask how the treatment is going.',
    for: named(chart.subject),
    encounter: visit.encounter,
    authoredOn: dateTime(visit.end),
    lastModified: dateTime(visit.end),
    requester: named(chart.staff.physician),
    owner: named(chart.staff.nurse),
  });
};
