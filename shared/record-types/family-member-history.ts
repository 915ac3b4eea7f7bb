import { familyMemberHistoryInvariants } from '../fhir/generated/invariants/FamilyMemberHistory.ts';
import { familyMemberHistorySchema } from '../fhir/generated/schemas/FamilyMemberHistory.ts';
import {
  familyMemberHistoryElements,
  familyMemberHistorySearchTable,
} from '../fhir/generated/search-parameters/FamilyMemberHistory.ts';
import { checkOfTimes, requirePossibleTimes, withTimesFlagged } from '../histories/impossible-times.ts';
import { familyHistoryMoves } from '../histories/performed-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** What runs in the family. https://hl7.org/fhir/R4/familymemberhistory.html */
export const familyMemberHistory = defineRecordType({
  name: 'FamilyMemberHistory',
  schema: familyMemberHistorySchema,
  invariants: familyMemberHistoryInvariants,
  searchTable: familyMemberHistorySearchTable,
  elements: familyMemberHistoryElements,
  date: 'date',
  requireChange: (...change) => {
    requireLegalMove(familyHistoryMoves, ...change);
    requirePossibleTimes(...change);
  },
  keeps: (before, next, now) => withTimesFlagged(before, withMovesFlagged(familyHistoryMoves, before, next), now),
  raises: (change) => [...checkOfState(change), ...checkOfTimes(change)],
});
