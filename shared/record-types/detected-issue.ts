import { detectedIssueInvariants } from '../fhir/generated/invariants/DetectedIssue.ts';
import { detectedIssueSchema } from '../fhir/generated/schemas/DetectedIssue.ts';
import { detectedIssueElements, detectedIssueSearchTable } from '../fhir/generated/search-parameters/DetectedIssue.ts';
import { defineRecordType } from './define-record-type.ts';

/** A problem between what is planned and what is known, such as an interaction. https://hl7.org/fhir/R4/detectedissue.html */
export const detectedIssue = defineRecordType({
  name: 'DetectedIssue',
  schema: detectedIssueSchema,
  invariants: detectedIssueInvariants,
  searchTable: detectedIssueSearchTable,
  elements: detectedIssueElements,
  date: 'identified',
});
