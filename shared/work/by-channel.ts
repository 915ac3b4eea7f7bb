import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { checkTask } from './check-state.ts';
import { isFlagged, type RecordFlag, withFlag } from './flags.ts';

/** A version says itself that it did not go the way that its patient has asked for. */
export const otherChannel: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'other-channel',
  display: 'It went another way than the patient has asked for',
};

/** A version with the flag of an earlier one, until somebody takes it off. */
export const keepChannelFlag = (before: Resource | undefined, next: Resource): Resource =>
  withFlag(otherChannel, { before, next, earned: false });

/** What went another way is looked at by somebody: who may have seen it, and who has to be told. First versions too: they tell what was done. */
export const checkOfChannel = (change: RecordChange): readonly Raised[] =>
  change.next && isFlagged(otherChannel, change.next) && !isFlagged(otherChannel, change.before)
    ? [
        checkTask(
          change,
          change.next,
          'This went another way than the patient has asked for. Find out who may have seen it, tell the privacy officer, then take its flag off',
        ),
      ]
    : [];

/** Whether a message is still to be sent, was sent, or neither. */
export const stageOf = ({
  resourceType,
  status,
}: Resource & { readonly status?: unknown }): 'ahead' | 'sent' | undefined => {
  const state = String(status);
  if (resourceType === 'CommunicationRequest')
    return ['draft', 'active', 'on-hold'].includes(state) ? 'ahead' : undefined;
  if (['preparation', 'in-progress', 'on-hold'].includes(state)) return 'ahead';
  return ['completed', 'stopped', 'unknown'].includes(state) ? 'sent' : undefined;
};
