import { locationInvariants } from '../fhir/generated/invariants/Location.ts';
import { locationSchema } from '../fhir/generated/schemas/Location.ts';
import { locationElements, locationSearchTable } from '../fhir/generated/search-parameters/Location.ts';
import { defineRecordType } from './define-record-type.ts';
import { programmeRows } from './programme-rows.ts';

/** A place where care happens. https://hl7.org/fhir/R4/location.html */
export const location = defineRecordType({
  name: 'Location',
  schema: locationSchema,
  invariants: locationInvariants,
  searchTable: locationSearchTable,
  elements: locationElements,
  networkRows: programmeRows,
});
