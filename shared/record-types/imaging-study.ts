import { imagingStudyInvariants } from '../fhir/generated/invariants/ImagingStudy.ts';
import { imagingStudySchema } from '../fhir/generated/schemas/ImagingStudy.ts';
import { imagingStudyElements, imagingStudySearchTable } from '../fhir/generated/search-parameters/ImagingStudy.ts';
import { defineRecordType } from './define-record-type.ts';

/** A set of images. https://hl7.org/fhir/R4/imagingstudy.html */
export const imagingStudy = defineRecordType({
  name: 'ImagingStudy',
  schema: imagingStudySchema,
  invariants: imagingStudyInvariants,
  searchTable: imagingStudySearchTable,
  elements: imagingStudyElements,
  date: 'started',
});
