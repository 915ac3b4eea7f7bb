import { practitionerInvariants } from '../fhir/generated/invariants/Practitioner.ts';
import { practitionerSchema } from '../fhir/generated/schemas/Practitioner.ts';
import { practitionerElements, practitionerSearchTable } from '../fhir/generated/search-parameters/Practitioner.ts';
import { defineRecordType } from './define-record-type.ts';

/** A person who provides care. https://hl7.org/fhir/R4/practitioner.html */
export const practitioner = defineRecordType({
  name: 'Practitioner',
  schema: practitionerSchema,
  invariants: practitionerInvariants,
  searchTable: practitionerSearchTable,
  elements: practitionerElements,
});
