import { immunizationInvariants } from '../fhir/generated/invariants/Immunization.ts';
import { immunizationSchema } from '../fhir/generated/schemas/Immunization.ts';
import { immunizationElements, immunizationSearchTable } from '../fhir/generated/search-parameters/Immunization.ts';
import { defineRecordType } from './define-record-type.ts';

/** A vaccine given, or why it was not. https://hl7.org/fhir/R4/immunization.html */
export const immunization = defineRecordType({
  name: 'Immunization',
  schema: immunizationSchema,
  invariants: immunizationInvariants,
  searchTable: immunizationSearchTable,
  elements: immunizationElements,
  date: 'date',
});
