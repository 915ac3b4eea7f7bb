import { specimenInvariants } from '../fhir/generated/invariants/Specimen.ts';
import { specimenSchema } from '../fhir/generated/schemas/Specimen.ts';
import { specimenElements, specimenSearchTable } from '../fhir/generated/search-parameters/Specimen.ts';
import { defineRecordType } from './define-record-type.ts';

/** What is sent to a laboratory. https://hl7.org/fhir/R4/specimen.html */
export const specimen = defineRecordType({
  name: 'Specimen',
  schema: specimenSchema,
  invariants: specimenInvariants,
  searchTable: specimenSearchTable,
  elements: specimenElements,
  date: 'collected',
});
