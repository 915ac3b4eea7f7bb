import { legalMoves, withReason } from '../work/legal-moves.ts';

/** States of an administration. https://hl7.org/fhir/R4/valueset-medication-admin-status.html */
export type AdministrationState = fhir4.MedicationAdministration['status'];

/** What may become of an administration. A dose that was given was given: the next one is another administration. Table in docs/dispensing.md. */
export const administrationMoves = legalMoves<AdministrationState>('MedicationAdministration.status', {
  'in-progress': [withReason('on-hold'), 'completed', withReason('stopped'), withReason('not-done'), 'unknown'],
  'on-hold': ['in-progress', 'completed', withReason('stopped'), withReason('not-done'), 'unknown'],
  completed: [],
  'not-done': [],
  stopped: [],
  unknown: ['in-progress', 'on-hold', 'completed', 'not-done', 'stopped'],
  'entered-in-error': [],
});
