import { patientInvariants } from '../fhir/generated/invariants/Patient.ts';
import { patientSchema } from '../fhir/generated/schemas/Patient.ts';
import { patientElements, patientSearchParameters } from '../fhir/generated/search-parameters/Patient.ts';
import { defineRecordType } from './define-record-type.ts';

/** A person who receives care. Heads a chart: everything about the patient lies under one partition key. https://hl7.org/fhir/R4/patient.html */
export const patient = defineRecordType({
  name: 'Patient',
  schema: patientSchema,
  invariants: patientInvariants,
  searchParameters: patientSearchParameters,
  elements: patientElements,
  date: 'birthdate',
  registry: [
    { parameter: 'name', serves: ['family', 'given'] },
    { parameter: 'identifier' },
    { parameter: 'birthdate' },
    { parameter: 'telecom', serves: ['phone', 'email'] },
  ],
});
