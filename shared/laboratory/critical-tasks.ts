import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { isOpen } from '../work/worklists.ts';

/** Code of a Task by which a critical result is acknowledged. */
export const criticalCode = 'critical-result';

/** Whether a Task has this code of our own. */
export const isTaskFor = (resource: Resource | undefined, own: string): boolean =>
  (resource as fhir4.Task | undefined)?.code?.coding?.some(({ code }) => code === own) ?? false;

/**
 * Requires that a critical result is acknowledged, with what was read back (`$acknowledge`): until then its Task is neither closed nor dropped, nor made to ask for something else, and what was acknowledged stays so. A
 * correction cancels it. An organisation's own system tells what others have kept.
 *
 * @throws RecordError `business-rule`.
 */
export const requireAcknowledged = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (!isTaskFor(before, criticalCode) || roles.includes('system')) return;
  const [was, is] = [before, next] as unknown as [fhir4.Task, fhir4.Task | undefined];
  const isSame = is && isTaskFor(next, criticalCode) && is.focus?.reference === was.focus?.reference;
  if (isSame && (isOpen(was) ? isOpen(is) : is.status === was.status)) return;
  throw new RecordError('business-rule', 'A critical result is acknowledged by $acknowledge, and not dropped', {
    reason: 'critical-stays',
    expression: 'Task.status',
  });
};
