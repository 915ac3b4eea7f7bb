import { specimenInvariants } from '../fhir/generated/invariants/Specimen.ts';
import { specimenSchema } from '../fhir/generated/schemas/Specimen.ts';
import { specimenElements, specimenSearchTable } from '../fhir/generated/search-parameters/Specimen.ts';
import { keepFiledMark } from '../laboratory/filed-mark.ts';
import { recollect } from '../laboratory/recollection.ts';
import { specimenMoves } from '../laboratory/states.ts';
import { checkOfReport } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** What is sent to a laboratory. https://hl7.org/fhir/R4/specimen.html */
export const specimen = defineRecordType({
  name: 'Specimen',
  schema: specimenSchema,
  invariants: specimenInvariants,
  searchTable: specimenSearchTable,
  elements: specimenElements,
  date: 'collected',
  requireChange: (...change) => requireLegalMove(specimenMoves, ...change),
  keeps: (before, next) => withMovesFlagged(specimenMoves, before, keepFiledMark(before, next)),
  raises: (change) => [...recollect(change), ...checkOfReport(change)],
});
