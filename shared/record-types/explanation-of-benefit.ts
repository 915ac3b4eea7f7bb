import { explanationOfBenefitInvariants } from '../fhir/generated/invariants/ExplanationOfBenefit.ts';
import { explanationOfBenefitSchema } from '../fhir/generated/schemas/ExplanationOfBenefit.ts';
import {
  explanationOfBenefitElements,
  explanationOfBenefitSearchTable,
} from '../fhir/generated/search-parameters/ExplanationOfBenefit.ts';
import { defineRecordType } from './define-record-type.ts';

/** What became of a claim. https://hl7.org/fhir/R4/explanationofbenefit.html */
export const explanationOfBenefit = defineRecordType({
  name: 'ExplanationOfBenefit',
  schema: explanationOfBenefitSchema,
  invariants: explanationOfBenefitInvariants,
  searchTable: explanationOfBenefitSearchTable,
  elements: explanationOfBenefitElements,
  date: 'created',
});
