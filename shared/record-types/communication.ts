import { communicationInvariants } from '../fhir/generated/invariants/Communication.ts';
import { communicationSchema } from '../fhir/generated/schemas/Communication.ts';
import { communicationElements, communicationSearchTable } from '../fhir/generated/search-parameters/Communication.ts';
import { checkOfChannel, keepChannelFlag } from '../work/by-channel.ts';
import { checkOfState } from '../work/check-state.ts';
import { communicationMoves } from '../work/communication-moves.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { messageListsOf } from '../work/message-lists.ts';
import { keepMarks } from '../work/message-marks.ts';
import { messageTasks } from '../work/message-tasks.ts';
import { checkOfWords, requireSentWords, withRewritingFlagged } from '../work/sent-words.ts';
import { defineRecordType } from './define-record-type.ts';

/** A message that was sent. https://hl7.org/fhir/R4/communication.html */
export const communication = defineRecordType({
  name: 'Communication',
  schema: communicationSchema,
  invariants: communicationInvariants,
  searchTable: communicationSearchTable,
  elements: communicationElements,
  date: 'sent',
  requireChange: (...change) => {
    requireLegalMove(communicationMoves, ...change);
    requireSentWords(...change);
  },
  keeps: (before, next, _now, caller) => {
    const moved = withMovesFlagged(communicationMoves, before, keepMarks(before, next, caller));
    return keepChannelFlag(before, withRewritingFlagged(before, moved));
  },
  raises: (change) => [
    ...messageTasks(change),
    ...checkOfState(change),
    ...checkOfWords(change),
    ...checkOfChannel(change),
  ],
  worklists: messageListsOf,
});
