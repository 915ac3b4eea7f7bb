import { procedureInvariants } from '../fhir/generated/invariants/Procedure.ts';
import { procedureSchema } from '../fhir/generated/schemas/Procedure.ts';
import { procedureElements, procedureSearchTable } from '../fhir/generated/search-parameters/Procedure.ts';
import { checkOfTimes, requirePossibleTimes, withTimesFlagged } from '../histories/impossible-times.ts';
import { procedureMoves, requireReasonFromTheFirst } from '../histories/performed-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { answerRequests } from '../work/referral-answers.ts';
import { defineRecordType } from './define-record-type.ts';

/** What was done to or for a patient. https://hl7.org/fhir/R4/procedure.html */
export const procedure = defineRecordType({
  name: 'Procedure',
  schema: procedureSchema,
  invariants: procedureInvariants,
  searchTable: procedureSearchTable,
  elements: procedureElements,
  date: 'date',
  requireChange: (...change) => {
    requireLegalMove(procedureMoves, ...change);
    requireReasonFromTheFirst(...change);
    requirePossibleTimes(...change);
  },
  keeps: (before, next, now) => withTimesFlagged(before, withMovesFlagged(procedureMoves, before, next), now),
  raises: (change) => [...answerRequests(change), ...checkOfState(change), ...checkOfTimes(change)],
});
