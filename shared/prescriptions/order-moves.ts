import { legalMoves, withReason } from '../work/legal-moves.ts';

/** States of a prescription. https://hl7.org/fhir/R4/valueset-medicationrequest-status.html */
export type OrderState = NonNullable<fhir4.MedicationRequest['status']>;

/**
 * What may become of a prescription by hand. A draft becomes active by being signed, and in no other way; holding is reversible, stopping is not: what goes on
 * after that is a new order. Table in docs/prescriptions.md.
 */
export const orderMoves = legalMoves<OrderState>('MedicationRequest.status', {
  draft: ['cancelled'],
  active: [withReason('on-hold'), 'completed', withReason('stopped'), withReason('cancelled')],
  'on-hold': ['active', 'completed', withReason('stopped'), withReason('cancelled')],
  completed: [],
  stopped: [],
  cancelled: [],
  unknown: ['on-hold', 'completed', 'stopped', 'cancelled'],
  'entered-in-error': [],
});
