import type { Caller } from '../access/caller.ts';
import type { Resource } from '../fhir/resource.ts';
import { type LegalMoves, legalMoves, requireLegalMove, withMovesFlagged, withReason } from '../work/legal-moves.ts';
import { hasCode } from './concepts.ts';

// What a condition or an allergy is said to be, in two elements: how it goes, and how sure it is. Tables in docs/histories.md.

/** How a condition goes is a judgement that follows the patient. What is resolved recurs; it does not relapse. https://hl7.org/fhir/R4/valueset-condition-clinical.html */
export const conditionMoves = legalMoves('Condition.clinicalStatus', {
  active: ['recurrence', 'relapse', 'inactive', 'remission', 'resolved'],
  recurrence: ['active', 'relapse', 'inactive', 'remission', 'resolved'],
  relapse: ['active', 'recurrence', 'inactive', 'remission', 'resolved'],
  inactive: ['active', 'recurrence', 'relapse', 'remission', 'resolved'],
  remission: ['active', 'recurrence', 'relapse', 'inactive', 'resolved'],
  resolved: ['active', 'recurrence', 'inactive', 'remission'],
});

/** Doubt about what was confirmed, and what comes back after it was ruled out, have a reason. https://hl7.org/fhir/R4/valueset-condition-ver-status.html */
export const conditionVerificationMoves = legalMoves('Condition.verificationStatus', {
  unconfirmed: ['provisional', 'differential', 'confirmed', 'refuted'],
  provisional: ['unconfirmed', 'differential', 'confirmed', 'refuted'],
  differential: ['unconfirmed', 'provisional', 'confirmed', 'refuted'],
  confirmed: [withReason('unconfirmed'), withReason('provisional'), withReason('differential'), 'refuted'],
  refuted: [withReason('unconfirmed'), withReason('provisional'), withReason('differential'), withReason('confirmed')],
  'entered-in-error': [],
});

/** https://hl7.org/fhir/R4/valueset-allergyintolerance-clinical.html */
export const allergyMoves = legalMoves('AllergyIntolerance.clinicalStatus', {
  active: ['inactive', 'resolved'],
  inactive: ['active', 'resolved'],
  resolved: ['active', 'inactive'],
});

/** An allergy that is suspected or found again is never hindered; only doubt about a confirmed one has a reason. https://hl7.org/fhir/R4/valueset-allergyintolerance-verification.html */
export const allergyVerificationMoves = legalMoves('AllergyIntolerance.verificationStatus', {
  unconfirmed: ['confirmed', 'refuted'],
  confirmed: [withReason('unconfirmed'), 'refuted'],
  refuted: ['unconfirmed', 'confirmed'],
  'entered-in-error': [],
});

/** Both elements of a type that has two. */
interface Statuses {
  readonly clinical: LegalMoves;
  readonly verification: LegalMoves;
}

export const conditionStatuses: Statuses = { clinical: conditionMoves, verification: conditionVerificationMoves };
export const allergyStatuses: Statuses = { clinical: allergyMoves, verification: allergyVerificationMoves };

/** Whether a version says that it should not be there. How it goes is not told then (con-5, ait-2). */
export const isEnteredInError = ({ verificationStatus, status }: Resource): boolean =>
  status === 'entered-in-error' || hasCode(verificationStatus, ['entered-in-error']);

/**
 * Requires that both elements follow from what they were.
 *
 * @throws RecordError `business-rule`
 */
export const requireStatuses = (
  { clinical, verification }: Statuses,
  before: Resource | undefined,
  next: Resource | undefined,
  caller: Pick<Caller, 'roles'>,
): void => {
  requireLegalMove(verification, before, next, caller);
  if (next && !isEnteredInError(next)) requireLegalMove(clinical, before, next, caller);
};

/** A version with a flag if one of the two does not follow: facts are stored all the same. */
export const withStatusesFlagged = (
  { clinical, verification }: Statuses,
  before: Resource | undefined,
  next: Resource,
): Resource => {
  const flagged = withMovesFlagged(verification, before, next);
  return isEnteredInError(next) ? flagged : withMovesFlagged(clinical, before, flagged);
};
