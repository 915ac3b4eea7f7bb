import { familyMemberHistoryInvariants } from '../fhir/generated/invariants/FamilyMemberHistory.ts';
import { familyMemberHistorySchema } from '../fhir/generated/schemas/FamilyMemberHistory.ts';
import {
  familyMemberHistoryElements,
  familyMemberHistorySearchTable,
} from '../fhir/generated/search-parameters/FamilyMemberHistory.ts';
import { defineRecordType } from './define-record-type.ts';

/** What runs in the family. https://hl7.org/fhir/R4/familymemberhistory.html */
export const familyMemberHistory = defineRecordType({
  name: 'FamilyMemberHistory',
  schema: familyMemberHistorySchema,
  invariants: familyMemberHistoryInvariants,
  searchTable: familyMemberHistorySearchTable,
  elements: familyMemberHistoryElements,
  date: 'date',
});
