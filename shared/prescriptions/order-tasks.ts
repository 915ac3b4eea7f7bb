import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';

const system = 'https://concord.example/fhir/CodeSystem/work';

/** To sign an order that somebody took down. */
export const cosignOrder = 'cosign-order';

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

/**
 * Requires that a Task to sign an order comes with that, and ends with what becomes of it: else an order that nobody has answered for would be forgotten. Who has it, and whether somebody is at it, is
 * theirs to say.
 *
 * @throws RecordError `business-rule`.
 */
export const requireOrderAnswered = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (roles.includes('system')) return;
  const [was, is] = [before, next].map((task) => isOrderTask(task, cosignOrder) && open.has(task?.['status']));
  const isOther = (element: string): boolean => JSON.stringify(before?.[element]) !== JSON.stringify(next?.[element]);
  if (was === is && !(was && (isOther('focus') || isOther('for')))) return;
  throw new RecordError(
    'business-rule',
    'This Task comes with an order, and ends when that is signed, denied or over',
    {
      reason: 'answered-by-order',
      expression: 'Task.status',
    },
  );
};
