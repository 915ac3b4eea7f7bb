import { medicationRequestInvariants } from '../fhir/generated/invariants/MedicationRequest.ts';
import { medicationRequestSchema } from '../fhir/generated/schemas/MedicationRequest.ts';
import {
  medicationRequestElements,
  medicationRequestSearchTable,
} from '../fhir/generated/search-parameters/MedicationRequest.ts';
import { isNewlyUnsigned, keptOfOrder, requireOrderChange, withUnsignedFlag } from '../prescriptions/orders.ts';
import { endCosignature } from '../prescriptions/taken-orders.ts';
import { checkOfState } from '../work/check-state.ts';
import { defineRecordType } from './define-record-type.ts';

/** A prescription. https://hl7.org/fhir/R4/medicationrequest.html */
export const medicationRequest = defineRecordType({
  name: 'MedicationRequest',
  schema: medicationRequestSchema,
  invariants: medicationRequestInvariants,
  searchTable: medicationRequestSearchTable,
  elements: medicationRequestElements,
  date: 'authoredon',
  requireChange: requireOrderChange,
  keeps: keptOfOrder,
  tags: withUnsignedFlag,
  raises: (change) => [...checkOfState(change), ...endCosignature(change)],
  callsForCheck: isNewlyUnsigned,
});
