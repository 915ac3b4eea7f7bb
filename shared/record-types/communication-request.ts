import { communicationRequestInvariants } from '../fhir/generated/invariants/CommunicationRequest.ts';
import { communicationRequestSchema } from '../fhir/generated/schemas/CommunicationRequest.ts';
import {
  communicationRequestElements,
  communicationRequestSearchTable,
} from '../fhir/generated/search-parameters/CommunicationRequest.ts';
import { checkOfChannel, keepChannelFlag } from '../work/by-channel.ts';
import { checkOfState } from '../work/check-state.ts';
import { communicationRequestMoves } from '../work/communication-request-moves.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** A message that should be sent. https://hl7.org/fhir/R4/communicationrequest.html */
export const communicationRequest = defineRecordType({
  name: 'CommunicationRequest',
  schema: communicationRequestSchema,
  invariants: communicationRequestInvariants,
  searchTable: communicationRequestSearchTable,
  elements: communicationRequestElements,
  date: 'authored',
  requireChange: (...change) => requireLegalMove(communicationRequestMoves, ...change),
  keeps: (before, next) => keepChannelFlag(before, withMovesFlagged(communicationRequestMoves, before, next)),
  raises: (change) => [...checkOfState(change), ...checkOfChannel(change)],
});
