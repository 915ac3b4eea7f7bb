import { questionnaireResponseInvariants } from '../fhir/generated/invariants/QuestionnaireResponse.ts';
import { questionnaireResponseSchema } from '../fhir/generated/schemas/QuestionnaireResponse.ts';
import {
  questionnaireResponseElements,
  questionnaireResponseSearchTable,
} from '../fhir/generated/search-parameters/QuestionnaireResponse.ts';
import { defineRecordType } from './define-record-type.ts';

/** The answers to a questionnaire. https://hl7.org/fhir/R4/questionnaireresponse.html */
export const questionnaireResponse = defineRecordType({
  name: 'QuestionnaireResponse',
  schema: questionnaireResponseSchema,
  invariants: questionnaireResponseInvariants,
  searchTable: questionnaireResponseSearchTable,
  elements: questionnaireResponseElements,
  date: 'authored',
});
