import { explanationOfBenefitInvariants } from '../fhir/generated/invariants/ExplanationOfBenefit.ts';
import { explanationOfBenefitSchema } from '../fhir/generated/schemas/ExplanationOfBenefit.ts';
import {
  explanationOfBenefitElements,
  explanationOfBenefitSearchParameters,
} from '../fhir/generated/search-parameters/ExplanationOfBenefit.ts';
import { defineRecordType } from './define-record-type.ts';

/** What became of a claim. https://hl7.org/fhir/R4/explanationofbenefit.html */
export const explanationOfBenefit = defineRecordType({
  name: 'ExplanationOfBenefit',
  schema: explanationOfBenefitSchema,
  invariants: explanationOfBenefitInvariants,
  searchParameters: explanationOfBenefitSearchParameters,
  elements: explanationOfBenefitElements,
  date: 'created',
});
