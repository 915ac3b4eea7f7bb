import { mediaInvariants } from '../fhir/generated/invariants/Media.ts';
import { mediaSchema } from '../fhir/generated/schemas/Media.ts';
import { mediaElements, mediaSearchTable } from '../fhir/generated/search-parameters/Media.ts';
import { defineRecordType } from './define-record-type.ts';

/** A photograph, a video, a recording. https://hl7.org/fhir/R4/media.html */
export const media = defineRecordType({
  name: 'Media',
  schema: mediaSchema,
  invariants: mediaInvariants,
  searchTable: mediaSearchTable,
  elements: mediaElements,
  date: 'created',
});
