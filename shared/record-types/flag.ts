import { flagInvariants } from '../fhir/generated/invariants/Flag.ts';
import { flagSchema } from '../fhir/generated/schemas/Flag.ts';
import { flagElements, flagSearchTable } from '../fhir/generated/search-parameters/Flag.ts';
import { defineRecordType } from './define-record-type.ts';

/** A warning to whoever meets the patient. https://hl7.org/fhir/R4/flag.html */
export const flag = defineRecordType({
  name: 'Flag',
  schema: flagSchema,
  invariants: flagInvariants,
  searchTable: flagSearchTable,
  elements: flagElements,
  date: 'date',
});
