import { coverageInvariants } from '../fhir/generated/invariants/Coverage.ts';
import { coverageSchema } from '../fhir/generated/schemas/Coverage.ts';
import { coverageElements, coverageSearchTable } from '../fhir/generated/search-parameters/Coverage.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who pays for a patient. https://hl7.org/fhir/R4/coverage.html */
export const coverage = defineRecordType({
  name: 'Coverage',
  schema: coverageSchema,
  invariants: coverageInvariants,
  searchTable: coverageSearchTable,
  elements: coverageElements,
});
