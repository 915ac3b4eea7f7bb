import { listInvariants } from '../fhir/generated/invariants/List.ts';
import { listSchema } from '../fhir/generated/schemas/List.ts';
import { listElements, listSearchTable } from '../fhir/generated/search-parameters/List.ts';
import { defineRecordType } from './define-record-type.ts';

/** Records put together for a purpose. https://hl7.org/fhir/R4/list.html */
export const list = defineRecordType({
  name: 'List',
  schema: listSchema,
  invariants: listInvariants,
  searchTable: listSearchTable,
  elements: listElements,
  date: 'date',
});
