import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { signaturesOf } from '../signing/signature.ts';
import { checkTask } from '../work/check-state.ts';
import { isOpen } from '../work/worklists.ts';
import { cosignOrder, isOrderTask } from './order-tasks.ts';
import { awaitsCosignature } from './orders.ts';

/**
 * An order that was taken down and will never be signed, since it is over or was denied, ends the Task that asks for it. One that was denied is looked at besides: something may have been given by it.
 */
export const endCosignature = (change: RecordChange): readonly Raised[] => {
  const { name, before, next } = change;
  if (!(before && awaitsCosignature(before)) || (next && (awaitsCosignature(next) || signaturesOf(next).length > 0)))
    return [];
  const denied = next?.['status'] === 'entered-in-error';
  const { statusReason } = (next ?? {}) as { statusReason?: fhir4.CodeableConcept };
  const ended = (task: Resource): Resource | undefined =>
    isOrderTask(task, cosignOrder) &&
    (task['focus'] as fhir4.Reference | undefined)?.reference === name &&
    isOpen(task as unknown as fhir4.Task)
      ? { ...task, status: denied ? 'rejected' : 'cancelled', ...(statusReason ? { statusReason } : {}) }
      : undefined;
  return [
    { of: 'Task', changes: ended },
    ...(next && denied
      ? [checkTask(change, next, 'An order that was taken down was denied. Look at what was given by it')]
      : []),
  ];
};
