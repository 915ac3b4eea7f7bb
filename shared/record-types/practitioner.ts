import { practitionerInvariants } from '../fhir/generated/invariants/Practitioner.ts';
import { practitionerSchema } from '../fhir/generated/schemas/Practitioner.ts';
import {
  practitionerElements,
  practitionerSearchParameters,
} from '../fhir/generated/search-parameters/Practitioner.ts';
import { defineRecordType } from './define-record-type.ts';

/** A person who provides care. https://hl7.org/fhir/R4/practitioner.html */
export const practitioner = defineRecordType({
  name: 'Practitioner',
  schema: practitionerSchema,
  invariants: practitionerInvariants,
  searchParameters: practitionerSearchParameters,
  elements: practitionerElements,
  registry: [{ parameter: 'name', serves: ['family', 'given'] }, { parameter: 'identifier' }],
});
