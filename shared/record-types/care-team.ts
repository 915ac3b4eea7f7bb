import { careTeamInvariants } from '../fhir/generated/invariants/CareTeam.ts';
import { careTeamSchema } from '../fhir/generated/schemas/CareTeam.ts';
import { careTeamElements, careTeamSearchTable } from '../fhir/generated/search-parameters/CareTeam.ts';
import { careTeamMoves } from '../plans/care-team-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who takes part in a patient's care. https://hl7.org/fhir/R4/careteam.html */
export const careTeam = defineRecordType({
  name: 'CareTeam',
  schema: careTeamSchema,
  invariants: careTeamInvariants,
  searchTable: careTeamSearchTable,
  elements: careTeamElements,
  date: 'date',
  requireChange: (...change) => requireLegalMove(careTeamMoves, ...change),
  keeps: (before, next) => withMovesFlagged(careTeamMoves, before, next),
  raises: checkOfState,
});
