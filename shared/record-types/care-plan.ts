import { carePlanInvariants } from '../fhir/generated/invariants/CarePlan.ts';
import { carePlanSchema } from '../fhir/generated/schemas/CarePlan.ts';
import { carePlanElements, carePlanSearchTable } from '../fhir/generated/search-parameters/CarePlan.ts';
import { carePlanMoves } from '../plans/care-plan-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** What is intended for a patient, and by whom. https://hl7.org/fhir/R4/careplan.html */
export const carePlan = defineRecordType({
  name: 'CarePlan',
  schema: carePlanSchema,
  invariants: carePlanInvariants,
  searchTable: carePlanSearchTable,
  elements: carePlanElements,
  date: 'date',
  requireChange: (...change) => requireLegalMove(carePlanMoves, ...change),
  keeps: (before, next) => withMovesFlagged(carePlanMoves, before, next),
  raises: checkOfState,
});
