import { medicationDispenseInvariants } from '../fhir/generated/invariants/MedicationDispense.ts';
import { medicationDispenseSchema } from '../fhir/generated/schemas/MedicationDispense.ts';
import {
  medicationDispenseElements,
  medicationDispenseSearchTable,
} from '../fhir/generated/search-parameters/MedicationDispense.ts';
import { dispenseMoves } from '../prescriptions/dispense-moves.ts';
import { checkOfAhead, requireHappened } from '../prescriptions/happened.ts';
import { dispenseCallsForCheck } from '../prescriptions/order-use.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { pharmacists } from '../work/pools.ts';
import { defineRecordType } from './define-record-type.ts';

/** A medicine handed over. https://hl7.org/fhir/R4/medicationdispense.html */
export const medicationDispense = defineRecordType({
  name: 'MedicationDispense',
  schema: medicationDispenseSchema,
  invariants: medicationDispenseInvariants,
  searchTable: medicationDispenseSearchTable,
  elements: medicationDispenseElements,
  date: 'whenhandedover',
  requireChange: (...change) => requireLegalMove(dispenseMoves, ...change),
  keeps: (before, next, now, caller) =>
    withMovesFlagged(dispenseMoves, before, requireHappened(before, next, now, caller)),
  raises: (change) => [...checkOfState(change), ...checkOfAhead(pharmacists)(change)],
  callsForCheck: dispenseCallsForCheck,
});
