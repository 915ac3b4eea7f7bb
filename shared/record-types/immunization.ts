import { immunizationInvariants } from '../fhir/generated/invariants/Immunization.ts';
import { immunizationSchema } from '../fhir/generated/schemas/Immunization.ts';
import { immunizationElements, immunizationSearchTable } from '../fhir/generated/search-parameters/Immunization.ts';
import { checkOfTimes, requirePossibleTimes, withTimesFlagged } from '../histories/impossible-times.ts';
import { immunizationMoves, requireReasonFromTheFirst } from '../histories/performed-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** A vaccine given, or why it was not. https://hl7.org/fhir/R4/immunization.html */
export const immunization = defineRecordType({
  name: 'Immunization',
  schema: immunizationSchema,
  invariants: immunizationInvariants,
  searchTable: immunizationSearchTable,
  elements: immunizationElements,
  date: 'date',
  requireChange: (...change) => {
    requireLegalMove(immunizationMoves, ...change);
    requireReasonFromTheFirst(...change);
    requirePossibleTimes(...change);
  },
  keeps: (before, next, now) => withTimesFlagged(before, withMovesFlagged(immunizationMoves, before, next), now),
  raises: (change) => [...checkOfState(change), ...checkOfTimes(change)],
});
