import { referralIn } from '../access/referral.ts';
import { serviceRequestInvariants } from '../fhir/generated/invariants/ServiceRequest.ts';
import { serviceRequestSchema } from '../fhir/generated/schemas/ServiceRequest.ts';
import {
  serviceRequestElements,
  serviceRequestSearchTable,
} from '../fhir/generated/search-parameters/ServiceRequest.ts';
import { keepAnswers } from '../work/answered-request.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { serviceRequestMoves } from '../work/service-request-moves.ts';
import { defineRecordType } from './define-record-type.ts';
import { referralRows } from './referral-rows.ts';

/** An order for an examination, a treatment or a referral. https://hl7.org/fhir/R4/servicerequest.html */
export const serviceRequest = defineRecordType({
  name: 'ServiceRequest',
  schema: serviceRequestSchema,
  invariants: serviceRequestInvariants,
  searchTable: serviceRequestSearchTable,
  elements: serviceRequestElements,
  date: 'authored',
  accessRows: referralRows(referralIn),
  requireChange: (...change) => requireLegalMove(serviceRequestMoves, ...change),
  keeps: (before, next, _now, caller) =>
    withMovesFlagged(serviceRequestMoves, before, keepAnswers(before, next, caller)),
  raises: checkOfState,
});
