import { legalMoves, withReason } from '../work/legal-moves.ts';

/**
 * What may become of an appointment. Who comes has been booked; who comes after all has not been a no-show. What was cancelled has given its time back, and is proposed anew.
 * https://hl7.org/fhir/R4/valueset-appointmentstatus.html
 */
export const appointmentMoves = legalMoves<fhir4.Appointment['status']>('Appointment.status', {
  proposed: ['pending', 'waitlist', 'booked', 'cancelled'],
  pending: ['proposed', 'waitlist', 'booked', 'cancelled'],
  waitlist: ['proposed', 'pending', 'booked', 'cancelled'],
  booked: ['proposed', 'pending', 'waitlist', 'arrived', 'checked-in', 'fulfilled', 'noshow', 'cancelled'],
  arrived: ['checked-in', 'fulfilled', 'cancelled', withReason('booked')],
  'checked-in': ['fulfilled', 'cancelled', withReason('booked')],
  fulfilled: [withReason('checked-in'), withReason('noshow')],
  noshow: ['arrived', 'checked-in', 'cancelled', withReason('booked'), withReason('fulfilled')],
  cancelled: ['proposed', 'waitlist', withReason('booked')],
  'entered-in-error': [],
});
