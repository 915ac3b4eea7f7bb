import { communicationInvariants } from '../fhir/generated/invariants/Communication.ts';
import { communicationSchema } from '../fhir/generated/schemas/Communication.ts';
import { communicationElements, communicationSearchTable } from '../fhir/generated/search-parameters/Communication.ts';
import { urgentMessage } from '../work/urgent-message.ts';
import { worklistsOf } from '../work/worklists.ts';
import { defineRecordType } from './define-record-type.ts';

/** A message that was sent. https://hl7.org/fhir/R4/communication.html */
export const communication = defineRecordType({
  name: 'Communication',
  schema: communicationSchema,
  invariants: communicationInvariants,
  searchTable: communicationSearchTable,
  elements: communicationElements,
  date: 'sent',
  raises: urgentMessage,
  worklists: worklistsOf,
});
