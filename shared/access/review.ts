import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RefusalCode } from '../stable-codes.ts';
import type { Caller } from './caller.ts';
import { emergencySystem, reviewCode } from './emergency.ts';

/** What a review is about, and who asked for it. */
const fixed = [
  'intent',
  'code',
  'description',
  'for',
  'authoredOn',
  'requester',
  'owner',
  'reasonCode',
  'restriction',
  'input',
];

const steps: ReadonlySet<string> = new Set([
  'requested',
  'received',
  'accepted',
  'in-progress',
  'on-hold',
  'completed',
]);

const shortestStatement = 10;

/**
 * Requires that the review of an emergency access goes its way: privacy officers alone take it on and close it, with a statement of what came of it. It is neither dropped nor
 * changed in what it is about, and closed once. It comes with the access: the system role alone writes one by hand, which imports what was.
 *
 * @param before - undefined for a first version.
 * @param next - undefined for a deletion.
 * @throws RecordError `forbidden` to anybody else; `business-rule`.
 */
export const requireReviewed = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles, subject }: Caller,
): void => {
  if (!isReview(before)) {
    if (isReview(next) && (before || !roles.includes('system')))
      throw refused('review-asked', 'An emergency access asks for its review itself', 'Task.code');
    return;
  }
  const review = before as unknown as fhir4.Task;
  if (!roles.includes('privacy')) {
    throw new RecordError('forbidden', 'Privacy officers review emergency accesses', { reason: 'forbidden-role' });
  }
  if (review.requester?.identifier?.value === subject) {
    throw new RecordError('forbidden', 'Nobody reviews their own emergency access', { reason: 'forbidden-role' });
  }
  const changed = next as fhir4.Task | undefined;
  if (!changed || !steps.has(changed.status))
    throw refused(
      'review-stays',
      'A review is closed, with a statement of its outcome, and not dropped',
      'Task.status',
    );
  if (review.status === 'completed') throw refused('review-closed', 'This review is closed', 'Task.status');
  const other = fixed.find((element) => said(before, element) !== said(next, element));
  if (other) throw refused('review-changed', 'What a review is about does not change', `Task.${other}`);
  if (changed.status !== 'completed') return;
  const stated = [changed.statusReason?.text, ...(changed.output ?? []).map(({ valueString }) => valueString)];
  if (stated.some((text) => (text?.trim().length ?? 0) >= shortestStatement)) return;
  throw refused(
    'review-needs-outcome',
    'State what came of the review, in statusReason or output',
    'Task.statusReason',
  );
};

const isReview = (resource: Resource | undefined): boolean =>
  (resource as fhir4.Task | undefined)?.code?.coding?.some(
    ({ system, code }) => system === emergencySystem && code === reviewCode,
  ) ?? false;

const said = (resource: Resource | undefined, element: string): string =>
  stringifyJson(inOrder(resource?.[element] ?? null));

const refused = (reason: RefusalCode<'business-rule'>, message: string, expression: string) =>
  new RecordError('business-rule', message, { reason, expression });
