import { medicationInvariants } from '../fhir/generated/invariants/Medication.ts';
import { medicationSchema } from '../fhir/generated/schemas/Medication.ts';
import { medicationElements, medicationSearchTable } from '../fhir/generated/search-parameters/Medication.ts';
import { defineRecordType } from './define-record-type.ts';

/** A medicine as a product; what it is, not who takes it. https://hl7.org/fhir/R4/medication.html */
export const medication = defineRecordType({
  name: 'Medication',
  schema: medicationSchema,
  invariants: medicationInvariants,
  searchTable: medicationSearchTable,
  elements: medicationElements,
});
