import { patientInvariants } from '../fhir/generated/invariants/Patient.ts';
import { patientSchema } from '../fhir/generated/schemas/Patient.ts';
import { patientElements, patientSearchTable } from '../fhir/generated/search-parameters/Patient.ts';
import { deathOfPatient } from '../people/death.ts';
import { keepMerged } from '../people/links.ts';
import { defineRecordType } from './define-record-type.ts';

/** A person who receives care. Heads a chart: everything about the patient lies under one partition key. https://hl7.org/fhir/R4/patient.html */
export const patient = defineRecordType({
  name: 'Patient',
  schema: patientSchema,
  invariants: patientInvariants,
  searchTable: patientSearchTable,
  elements: patientElements,
  date: 'birthdate',
  keeps: keepMerged,
  raises: deathOfPatient,
});
