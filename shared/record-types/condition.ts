import { conditionInvariants } from '../fhir/generated/invariants/Condition.ts';
import { conditionSchema } from '../fhir/generated/schemas/Condition.ts';
import { conditionElements, conditionSearchTable } from '../fhir/generated/search-parameters/Condition.ts';
import { conditionCallsForCheck } from '../order-checks/tells-of-pregnancy.ts';
import { defineRecordType } from './define-record-type.ts';

/** A diagnosis, a problem, a concern. https://hl7.org/fhir/R4/condition.html */
export const condition = defineRecordType({
  name: 'Condition',
  schema: conditionSchema,
  invariants: conditionInvariants,
  searchTable: conditionSearchTable,
  elements: conditionElements,
  date: 'onset-date',
  callsForCheck: conditionCallsForCheck,
});
