import { keepUploaded } from '../content/uploaded.ts';
import { binaryInvariants } from '../fhir/generated/invariants/Binary.ts';
import { binarySchema } from '../fhir/generated/schemas/Binary.ts';
import { binaryElements, binarySearchTable } from '../fhir/generated/search-parameters/Binary.ts';
import { keepMarks, requireUnchanged } from '../signing/signature.ts';
import { defineRecordType } from './define-record-type.ts';

/** Content of any kind, as it is. https://hl7.org/fhir/R4/binary.html */
export const binary = defineRecordType({
  name: 'Binary',
  schema: binarySchema,
  invariants: binaryInvariants,
  searchTable: binarySearchTable,
  elements: binaryElements,
  // What a signed document shows is signed with it, and uploaded content stays with its Binary.
  keeps: (before, next) => keepUploaded(before, keepMarks(before, next)),
  requireChange: requireUnchanged,
});
