import { relatedPersonInvariants } from '../fhir/generated/invariants/RelatedPerson.ts';
import { relatedPersonSchema } from '../fhir/generated/schemas/RelatedPerson.ts';
import { relatedPersonElements, relatedPersonSearchTable } from '../fhir/generated/search-parameters/RelatedPerson.ts';
import { defineRecordType } from './define-record-type.ts';

/** Somebody who belongs to a patient: a parent, a partner, a carer. https://hl7.org/fhir/R4/relatedperson.html */
export const relatedPerson = defineRecordType({
  name: 'RelatedPerson',
  schema: relatedPersonSchema,
  invariants: relatedPersonInvariants,
  searchTable: relatedPersonSearchTable,
  elements: relatedPersonElements,
});
