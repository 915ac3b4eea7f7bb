import { goalInvariants } from '../fhir/generated/invariants/Goal.ts';
import { goalSchema } from '../fhir/generated/schemas/Goal.ts';
import { goalElements, goalSearchTable } from '../fhir/generated/search-parameters/Goal.ts';
import { achievementMoves, goalMoves } from '../plans/goal-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a patient and their carers want to reach. https://hl7.org/fhir/R4/goal.html */
export const goal = defineRecordType({
  name: 'Goal',
  schema: goalSchema,
  invariants: goalInvariants,
  searchTable: goalSearchTable,
  elements: goalElements,
  date: 'start-date',
  requireChange: (...change) => {
    requireLegalMove(goalMoves, ...change);
    requireLegalMove(achievementMoves, ...change);
  },
  keeps: (before, next) => withMovesFlagged(achievementMoves, before, withMovesFlagged(goalMoves, before, next)),
  raises: checkOfState,
});
