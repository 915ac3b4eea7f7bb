import { riskAssessmentInvariants } from '../fhir/generated/invariants/RiskAssessment.ts';
import { riskAssessmentSchema } from '../fhir/generated/schemas/RiskAssessment.ts';
import {
  riskAssessmentElements,
  riskAssessmentSearchTable,
} from '../fhir/generated/search-parameters/RiskAssessment.ts';
import { defineRecordType } from './define-record-type.ts';

/** How likely something is to happen to a patient. https://hl7.org/fhir/R4/riskassessment.html */
export const riskAssessment = defineRecordType({
  name: 'RiskAssessment',
  schema: riskAssessmentSchema,
  invariants: riskAssessmentInvariants,
  searchTable: riskAssessmentSearchTable,
  elements: riskAssessmentElements,
  date: 'date',
});
