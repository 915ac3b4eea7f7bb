import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { isNewReason } from '../work/legal-moves.ts';

const system = 'https://concord.example/fhir/CodeSystem/work';

/** To sign an order that somebody took down. */
export const cosignOrder = 'cosign-order';
/** To renew an order: whoever writes Tasks asks for it. */
export const renewOrder = 'renew-order';

/** A Task's code. */
export const orderTask = (code: string, display: string): fhir4.CodeableConcept => ({
  coding: [{ system, code, display }],
});

/** Whether a Task bears such a code. */
export const isOrderTask = (task: Resource | undefined, code: string): boolean =>
  ((task?.['code'] ?? {}) as fhir4.CodeableConcept).coding?.some(
    (each) => each.system === system && each.code === code,
  ) ?? false;

const open: ReadonlySet<unknown> = new Set(['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold']);

const refused = (message: string, reason: 'answered-by-order' | 'move-needs-reason' = 'answered-by-order') =>
  new RecordError('business-rule', message, { reason, expression: 'Task.status' });

/**
 * Requires that a request for a renewal is answered by who prescribes, and that a Task to sign an order comes with that, and ends with what becomes of it: else an order that nobody has answered for
 * would be forgotten. Who has it, and whether somebody is at it, is theirs to say.
 *
 * @throws RecordError `business-rule`; `forbidden`.
 */
export const requireOrderAnswered = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (roles.includes('system')) return;
  const isOpen = open.has(before?.['status']);
  if (isOpen && before && isOrderTask(before, renewOrder)) requireRenewalAnswered(before, next, roles);
  const was = isOpen && isOrderTask(before, cosignOrder);
  const is = open.has(next?.['status']) && isOrderTask(next, cosignOrder);
  const isOther = (element: string): boolean => JSON.stringify(before?.[element]) !== JSON.stringify(next?.[element]);
  if (was === is && !(was && (isOther('focus') || isOther('for')))) return;
  throw refused('This Task comes with an order, and ends when that is signed, denied or over');
};

/** A prescriber who denies a renewal says why; one who approves it does so by the order. */
const requireRenewalAnswered = (before: Resource, next: Resource | undefined, roles: Caller['roles']): void => {
  const status = next?.['status'];
  if (!next || !isOrderTask(next, renewOrder) || status === 'completed' || status === 'failed')
    throw refused('A renewal is approved by MedicationRequest/{id}/$renew, or the request rejected for a reason');
  if (status !== 'rejected') return;
  if (!roles.includes('physician'))
    throw new RecordError('forbidden', 'Who prescribes denies a renewal', {
      reason: 'forbidden-role',
      expression: 'Task.status',
    });
  if (!isNewReason(before, next)) throw refused('Who denies a renewal says why, in statusReason', 'move-needs-reason');
};
