import { procedureInvariants } from '../fhir/generated/invariants/Procedure.ts';
import { procedureSchema } from '../fhir/generated/schemas/Procedure.ts';
import { procedureElements, procedureSearchTable } from '../fhir/generated/search-parameters/Procedure.ts';
import { answerRequests } from '../work/referral-answers.ts';
import { defineRecordType } from './define-record-type.ts';

/** What was done to or for a patient. https://hl7.org/fhir/R4/procedure.html */
export const procedure = defineRecordType({
  name: 'Procedure',
  schema: procedureSchema,
  invariants: procedureInvariants,
  searchTable: procedureSearchTable,
  elements: procedureElements,
  date: 'date',
  raises: answerRequests,
});
