import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { InvariantsByType } from '../fhir/invariant.ts';
import type { Resource } from '../fhir/resource.ts';
import { withFlag } from '../work/flags.ts';
import { irregularMove } from '../work/legal-moves.ts';
import { hasCode } from './concepts.ts';

// What a patient lives with, what a visit was about, and what somebody worries about are records of their own. https://hl7.org/fhir/R4/condition.html#bnr

/** Categories that are kept apart; any other one may come and go. */
export const keptApart = ['problem-list-item', 'encounter-diagnosis', 'health-concern'] as const;

/** Which of the three a version is, in the order of the list. */
const kindsOf = ({ category }: Resource): readonly string[] => keptApart.filter((code) => hasCode(category, [code]));

/** What a version is of the three that it was not, or no more. What was none of them may become one. */
const changesKind = (before: Resource | undefined, next: Resource): boolean => {
  const was = before ? kindsOf(before) : [];
  return was.length > 0 && was.join() !== kindsOf(next).join();
};

const isDiagnosisOfVisit = (resource: Resource): boolean => kindsOf(resource).includes('encounter-diagnosis');

/** `Encounter/id`, of whatever address. */
const visitIn = ({ encounter }: Resource): string | undefined =>
  (encounter as fhir4.Reference | undefined)?.reference?.split('/').slice(-2).join('/');

const changesVisit = (before: Resource | undefined, next: Resource): boolean =>
  before !== undefined &&
  isDiagnosisOfVisit(before) &&
  visitIn(before) !== undefined &&
  visitIn(before) !== visitIn(next);

/**
 * Requires that a record stays what it is: a diagnosis of its visit, an item of the problem list, a concern. What was diagnosed and is to stand on the list is written there as a record of its own,
 * so that no edit of the list changes what a visit was about, nor the other way round.
 *
 * @throws RecordError `business-rule`
 */
export const requireKeptApart = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (!next || roles.includes('system')) return;
  const isBoth = isDiagnosisOfVisit(next) && kindsOf(next).length > 1;
  if (changesKind(before, next) || (isBoth && !(before && isDiagnosisOfVisit(before))))
    throw refused('A diagnosis of a visit, a problem on the list and a concern are records of their own', 'category');
  if (changesVisit(before, next)) throw refused('A diagnosis stays with the visit at which it was made', 'encounter');
};

const refused = (what: string, element: string): RecordError =>
  new RecordError('business-rule', `${what}: write another one`, {
    reason: 'kept-apart',
    expression: `Condition.${element}`,
  });

/** A version with a flag if an interface has made something else of it. */
export const withKindFlagged = (before: Resource | undefined, next: Resource): Resource =>
  withFlag(irregularMove, { before, next, earned: changesKind(before, next) || changesVisit(before, next) });

/** Rules of Concord that only warn, beside those of R4. */
export const conditionAdvice: InvariantsByType[string] = [
  {
    key: 'concord-visit',
    severity: 'warning',
    path: 'Condition',
    human: 'A diagnosis of a visit names it in `encounter`',
    holds: (condition: Resource) => !isDiagnosisOfVisit(condition) || condition['encounter'] !== undefined,
  },
  {
    key: 'concord-refuted',
    severity: 'warning',
    path: 'Condition',
    human: 'What was ruled out is not active',
    holds: ({ clinicalStatus, verificationStatus }: Resource) =>
      !hasCode(verificationStatus, ['refuted']) || !hasCode(clinicalStatus, ['active', 'recurrence', 'relapse']),
  },
];
