import { questionnaireInvariants } from '../fhir/generated/invariants/Questionnaire.ts';
import { questionnaireSchema } from '../fhir/generated/schemas/Questionnaire.ts';
import { questionnaireElements, questionnaireSearchTable } from '../fhir/generated/search-parameters/Questionnaire.ts';
import { defineRecordType } from './define-record-type.ts';

/** Questions to be asked. https://hl7.org/fhir/R4/questionnaire.html */
export const questionnaire = defineRecordType({
  name: 'Questionnaire',
  schema: questionnaireSchema,
  invariants: questionnaireInvariants,
  searchTable: questionnaireSearchTable,
  elements: questionnaireElements,
  date: 'date',
});
