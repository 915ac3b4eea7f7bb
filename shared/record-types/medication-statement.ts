import { medicationStatementInvariants } from '../fhir/generated/invariants/MedicationStatement.ts';
import { medicationStatementSchema } from '../fhir/generated/schemas/MedicationStatement.ts';
import {
  medicationStatementElements,
  medicationStatementSearchTable,
} from '../fhir/generated/search-parameters/MedicationStatement.ts';
import { statementCallsForCheck } from '../order-checks/calls-for-check.ts';
import { statementMoves } from '../prescriptions/statement-moves.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a patient is said to take. https://hl7.org/fhir/R4/medicationstatement.html */
export const medicationStatement = defineRecordType({
  name: 'MedicationStatement',
  schema: medicationStatementSchema,
  invariants: medicationStatementInvariants,
  searchTable: medicationStatementSearchTable,
  elements: medicationStatementElements,
  date: 'effective',
  requireChange: (...change) => requireLegalMove(statementMoves, ...change),
  keeps: (before, next) => withMovesFlagged(statementMoves, before, next),
  raises: checkOfState,
  callsForCheck: statementCallsForCheck,
});
