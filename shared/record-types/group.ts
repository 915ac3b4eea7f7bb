import { groupInvariants } from '../fhir/generated/invariants/Group.ts';
import { groupSchema } from '../fhir/generated/schemas/Group.ts';
import { groupElements, groupSearchTable } from '../fhir/generated/search-parameters/Group.ts';
import { defineRecordType } from './define-record-type.ts';

/** Several people or things seen as one. https://hl7.org/fhir/R4/group.html */
export const group = defineRecordType({
  name: 'Group',
  schema: groupSchema,
  invariants: groupInvariants,
  searchTable: groupSearchTable,
  elements: groupElements,
});
