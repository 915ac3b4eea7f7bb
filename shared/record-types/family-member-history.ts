import { familyMemberHistoryInvariants } from '../fhir/generated/invariants/FamilyMemberHistory.ts';
import { familyMemberHistorySchema } from '../fhir/generated/schemas/FamilyMemberHistory.ts';
import {
  familyMemberHistoryElements,
  familyMemberHistorySearchParameters,
} from '../fhir/generated/search-parameters/FamilyMemberHistory.ts';
import { defineRecordType } from './define-record-type.ts';

/** What runs in the family. https://hl7.org/fhir/R4/familymemberhistory.html */
export const familyMemberHistory = defineRecordType({
  name: 'FamilyMemberHistory',
  schema: familyMemberHistorySchema,
  invariants: familyMemberHistoryInvariants,
  searchParameters: familyMemberHistorySearchParameters,
  elements: familyMemberHistoryElements,
  date: 'date',
});
