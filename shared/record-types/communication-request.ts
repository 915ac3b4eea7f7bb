import { communicationRequestInvariants } from '../fhir/generated/invariants/CommunicationRequest.ts';
import { communicationRequestSchema } from '../fhir/generated/schemas/CommunicationRequest.ts';
import {
  communicationRequestElements,
  communicationRequestSearchTable,
} from '../fhir/generated/search-parameters/CommunicationRequest.ts';
import { defineRecordType } from './define-record-type.ts';

/** A message that should be sent. https://hl7.org/fhir/R4/communicationrequest.html */
export const communicationRequest = defineRecordType({
  name: 'CommunicationRequest',
  schema: communicationRequestSchema,
  invariants: communicationRequestInvariants,
  searchTable: communicationRequestSearchTable,
  elements: communicationRequestElements,
  date: 'authored',
});
