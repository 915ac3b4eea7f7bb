import { clinicalImpressionInvariants } from '../fhir/generated/invariants/ClinicalImpression.ts';
import { clinicalImpressionSchema } from '../fhir/generated/schemas/ClinicalImpression.ts';
import {
  clinicalImpressionElements,
  clinicalImpressionSearchTable,
} from '../fhir/generated/search-parameters/ClinicalImpression.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a clinician makes of the findings. https://hl7.org/fhir/R4/clinicalimpression.html */
export const clinicalImpression = defineRecordType({
  name: 'ClinicalImpression',
  schema: clinicalImpressionSchema,
  invariants: clinicalImpressionInvariants,
  searchTable: clinicalImpressionSearchTable,
  elements: clinicalImpressionElements,
  date: 'date',
});
