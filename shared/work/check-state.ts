import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { isNewly, type RecordFlag } from './flags.ts';
import { irregularMove } from './legal-moves.ts';
import { nurses } from './pools.ts';

/** What was told of elsewhere and does not follow from what was known is looked at by somebody: a Task comes with it. */
export const checkOf =
  (flag: RecordFlag, description: string) =>
  ({ name, before, next, now }: RecordChange): readonly Raised[] => {
    if (!next || !isNewly(flag, before, next)) return [];
    const { subject } = next as { subject?: fhir4.Reference };
    const task: fhir4.Task = {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      description,
      focus: { reference: name },
      ...(subject?.reference === undefined ? {} : { for: { reference: subject.reference } }),
      authoredOn: new Date(now).toISOString(),
      performerType: [nurses],
    };
    return [{ opens: task as unknown as Resource }];
  };

/** A state that does not follow from the one before. */
export const checkOfState = checkOf(
  irregularMove,
  'The state of this record does not follow from the one before. Check it, then take its flag off',
);
