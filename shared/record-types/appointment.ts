import { visitInAppointment } from '../access/visit.ts';
import { appointmentInvariants } from '../fhir/generated/invariants/Appointment.ts';
import { appointmentSchema } from '../fhir/generated/schemas/Appointment.ts';
import { appointmentElements, appointmentSearchTable } from '../fhir/generated/search-parameters/Appointment.ts';
import { appointmentMoves } from '../scheduling/appointment-moves.ts';
import { keptOfAppointment } from '../scheduling/kept-of-appointment.ts';
import { taskOfOffer, waitingLists, withCreated } from '../scheduling/waiting.ts';
import { checkOfBooking } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { appointmentTime } from './appointment-time.ts';
import { defineRecordType } from './define-record-type.ts';
import { requireMayOverbook } from './overbooking.ts';
import { visitsOf } from './visit-rows.ts';

/** A time at which people and places meet. https://hl7.org/fhir/R4/appointment.html */
export const appointment = defineRecordType({
  name: 'Appointment',
  schema: appointmentSchema,
  invariants: appointmentInvariants,
  searchTable: appointmentSearchTable,
  elements: appointmentElements,
  date: 'date',
  heldTime: appointmentTime,
  requireChange: (...change) => {
    requireMayOverbook(...change);
    requireLegalMove(appointmentMoves, ...change);
  },
  keeps: (before, next, ...when) =>
    withMovesFlagged(appointmentMoves, before, keptOfAppointment(before, withCreated(next, when[0]), ...when)),
  raises: (change) => [...checkOfBooking(change), ...taskOfOffer(change)],
  worklists: waitingLists,
  ...visitsOf(visitInAppointment),
});
