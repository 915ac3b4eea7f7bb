import { medicationAdministrationInvariants } from '../fhir/generated/invariants/MedicationAdministration.ts';
import { medicationAdministrationSchema } from '../fhir/generated/schemas/MedicationAdministration.ts';
import {
  medicationAdministrationElements,
  medicationAdministrationSearchTable,
} from '../fhir/generated/search-parameters/MedicationAdministration.ts';
import { administrationMoves } from '../prescriptions/administration-moves.ts';
import { checkOfAhead, requireHappened } from '../prescriptions/happened.ts';
import { administrationCallsForCheck } from '../prescriptions/order-use.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** A dose given. https://hl7.org/fhir/R4/medicationadministration.html */
export const medicationAdministration = defineRecordType({
  name: 'MedicationAdministration',
  schema: medicationAdministrationSchema,
  invariants: medicationAdministrationInvariants,
  searchTable: medicationAdministrationSearchTable,
  elements: medicationAdministrationElements,
  date: 'effective-time',
  requireChange: (...change) => requireLegalMove(administrationMoves, ...change),
  keeps: (before, next, now, caller) =>
    withMovesFlagged(administrationMoves, before, requireHappened(before, next, now, caller)),
  raises: (change) => [...checkOfState(change), ...checkOfAhead()(change)],
  callsForCheck: administrationCallsForCheck,
});
