import { medicationInvariants } from '../fhir/generated/invariants/Medication.ts';
import { medicationSchema } from '../fhir/generated/schemas/Medication.ts';
import { medicationElements, medicationSearchParameters } from '../fhir/generated/search-parameters/Medication.ts';
import { defineRecordType } from './define-record-type.ts';

/** A medicine as a product; what it is, not who takes it. https://hl7.org/fhir/R4/medication.html */
export const medication = defineRecordType({
  name: 'Medication',
  schema: medicationSchema,
  invariants: medicationInvariants,
  searchParameters: medicationSearchParameters,
  elements: medicationElements,
  registry: [{ parameter: 'identifier' }, { parameter: 'code' }],
});
