import { observationInvariants } from '../fhir/generated/invariants/Observation.ts';
import { observationSchema } from '../fhir/generated/schemas/Observation.ts';
import { observationElements, observationSearchTable } from '../fhir/generated/search-parameters/Observation.ts';
import { reviewResults } from '../laboratory/critical.ts';
import { keepFiledMark } from '../laboratory/filed-mark.ts';
import { observationMoves } from '../laboratory/states.ts';
import { observationCallsForCheck } from '../order-checks/tells-of-state.ts';
import { checkOfReport } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** A measurement, a result, a finding. https://hl7.org/fhir/R4/observation.html */
export const observation = defineRecordType({
  name: 'Observation',
  schema: observationSchema,
  invariants: observationInvariants,
  searchTable: observationSearchTable,
  elements: observationElements,
  date: 'date',
  requireChange: (...change) => requireLegalMove(observationMoves, ...change),
  keeps: (before, next) => withMovesFlagged(observationMoves, before, keepFiledMark(before, next)),
  callsForCheck: observationCallsForCheck,
  raises: (change) => [...checkOfReport(change), ...reviewResults(change)],
});
