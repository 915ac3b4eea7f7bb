import { legalMoves, withReason } from '../work/legal-moves.ts';

/** States of what a patient is said to take. https://hl7.org/fhir/R4/valueset-medication-statement-status.html */
export type StatementState = fhir4.MedicationStatement['status'];

/** What may be said next of a medicine that a patient takes, or does not. Who takes it again says why. Table in docs/dispensing.md. */
export const statementMoves = legalMoves<StatementState>('MedicationStatement.status', {
  intended: ['active', 'on-hold', 'not-taken', 'stopped', 'unknown'],
  active: ['on-hold', 'completed', 'stopped', 'not-taken', 'unknown'],
  'on-hold': ['active', 'completed', 'stopped', 'not-taken', 'unknown'],
  completed: [withReason('active')],
  stopped: [withReason('active')],
  'not-taken': [withReason('active')],
  unknown: ['intended', 'active', 'on-hold', 'completed', 'stopped', 'not-taken'],
  'entered-in-error': [],
});
