import { documentReferenceInvariants } from '../fhir/generated/invariants/DocumentReference.ts';
import { documentReferenceSchema } from '../fhir/generated/schemas/DocumentReference.ts';
import {
  documentReferenceElements,
  documentReferenceSearchTable,
} from '../fhir/generated/search-parameters/DocumentReference.ts';
import { signable } from '../signing/signable.ts';
import { defineRecordType } from './define-record-type.ts';

/** A document about a patient, and where it is. https://hl7.org/fhir/R4/documentreference.html */
export const documentReference = defineRecordType({
  name: 'DocumentReference',
  schema: documentReferenceSchema,
  invariants: documentReferenceInvariants,
  searchTable: documentReferenceSearchTable,
  elements: documentReferenceElements,
  date: 'date',
  ...signable,
});
