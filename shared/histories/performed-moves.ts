import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { legalMoves, reasonOf, withReason } from '../work/legal-moves.ts';

// What was done to a patient is over when it is done: who was wrong says that it was entered in error. Tables in docs/histories.md.

/** https://hl7.org/fhir/R4/valueset-immunization-status.html */
export const immunizationMoves = legalMoves<fhir4.Immunization['status']>('Immunization.status', {
  completed: [],
  'not-done': [],
  'entered-in-error': [],
});

/** https://hl7.org/fhir/R4/valueset-event-status.html */
export const procedureMoves = legalMoves<fhir4.Procedure['status']>('Procedure.status', {
  preparation: ['in-progress', 'on-hold', withReason('not-done'), 'completed', 'unknown'],
  'in-progress': ['on-hold', withReason('stopped'), 'completed', 'unknown'],
  'on-hold': ['preparation', 'in-progress', withReason('not-done'), withReason('stopped'), 'completed', 'unknown'],
  'not-done': [],
  stopped: [],
  completed: [],
  unknown: ['preparation', 'in-progress', 'on-hold', withReason('not-done'), withReason('stopped'), 'completed'],
  'entered-in-error': [],
});

/** What is known of a relative grows, and is doubted. https://hl7.org/fhir/R4/valueset-history-status.html */
export const familyHistoryMoves = legalMoves<fhir4.FamilyMemberHistory['status']>('FamilyMemberHistory.status', {
  partial: ['completed', 'health-unknown'],
  completed: ['partial', 'health-unknown'],
  'health-unknown': ['partial', 'completed'],
  'entered-in-error': [],
});

/**
 * Requires that what was not done, or was stopped, says why from its first version on. What others have kept is stored as they have it.
 *
 * @throws RecordError `business-rule`
 */
export const requireReasonFromTheFirst = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  const status = next?.['status'];
  if (!next || (before && before['status'] === status && reasonOf(before) === '')) return;
  if (roles.includes('system') || (status !== 'not-done' && status !== 'stopped') || reasonOf(next) !== '') return;
  throw new RecordError('business-rule', `What is ${status} says why`, {
    reason: 'move-needs-reason',
    expression: `${next.resourceType}.statusReason`,
  });
};
