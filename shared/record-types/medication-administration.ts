import { medicationAdministrationInvariants } from '../fhir/generated/invariants/MedicationAdministration.ts';
import { medicationAdministrationSchema } from '../fhir/generated/schemas/MedicationAdministration.ts';
import {
  medicationAdministrationElements,
  medicationAdministrationSearchTable,
} from '../fhir/generated/search-parameters/MedicationAdministration.ts';
import { defineRecordType } from './define-record-type.ts';

/** A dose given. https://hl7.org/fhir/R4/medicationadministration.html */
export const medicationAdministration = defineRecordType({
  name: 'MedicationAdministration',
  schema: medicationAdministrationSchema,
  invariants: medicationAdministrationInvariants,
  searchTable: medicationAdministrationSearchTable,
  elements: medicationAdministrationElements,
  date: 'effective-time',
});
