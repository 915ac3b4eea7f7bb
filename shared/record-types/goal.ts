import { goalInvariants } from '../fhir/generated/invariants/Goal.ts';
import { goalSchema } from '../fhir/generated/schemas/Goal.ts';
import { goalElements, goalSearchTable } from '../fhir/generated/search-parameters/Goal.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a patient and their carers want to reach. https://hl7.org/fhir/R4/goal.html */
export const goal = defineRecordType({
  name: 'Goal',
  schema: goalSchema,
  invariants: goalInvariants,
  searchTable: goalSearchTable,
  elements: goalElements,
  date: 'start-date',
});
