import { legalMoves, withReason } from '../work/legal-moves.ts';

/** States of a dispense. https://hl7.org/fhir/R4/valueset-medicationdispense-status.html */
export type DispenseState = fhir4.MedicationDispense['status'];

/** What may become of a dispense. What was handed over, or never will be, stays so: what is filled after that is another dispense. Table in docs/dispensing.md. */
export const dispenseMoves = legalMoves<DispenseState>('MedicationDispense.status', {
  preparation: [
    'in-progress',
    withReason('on-hold'),
    'completed',
    withReason('cancelled'),
    withReason('stopped'),
    withReason('declined'),
    'unknown',
  ],
  'in-progress': [
    'preparation',
    withReason('on-hold'),
    'completed',
    withReason('cancelled'),
    withReason('stopped'),
    withReason('declined'),
    'unknown',
  ],
  'on-hold': [
    'preparation',
    'in-progress',
    'completed',
    withReason('cancelled'),
    withReason('stopped'),
    withReason('declined'),
    'unknown',
  ],
  completed: [],
  cancelled: [],
  stopped: [],
  declined: [],
  unknown: ['preparation', 'in-progress', 'on-hold', 'completed', 'cancelled', 'stopped', 'declined'],
  'entered-in-error': [],
});
