import { provenanceInvariants } from '../fhir/generated/invariants/Provenance.ts';
import { provenanceSchema } from '../fhir/generated/schemas/Provenance.ts';
import { provenanceElements, provenanceSearchTable } from '../fhir/generated/search-parameters/Provenance.ts';
import { defineRecordType } from './define-record-type.ts';

/** Where a record comes from. https://hl7.org/fhir/R4/provenance.html */
export const provenance = defineRecordType({
  name: 'Provenance',
  schema: provenanceSchema,
  invariants: provenanceInvariants,
  searchTable: provenanceSearchTable,
  elements: provenanceElements,
  date: 'recorded',
});
