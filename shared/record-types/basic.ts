import { basicInvariants } from '../fhir/generated/invariants/Basic.ts';
import { basicSchema } from '../fhir/generated/schemas/Basic.ts';
import { basicElements, basicSearchTable } from '../fhir/generated/search-parameters/Basic.ts';
import { defineRecordType } from './define-record-type.ts';

/** What no other type fits. https://hl7.org/fhir/R4/basic.html */
export const basic = defineRecordType({
  name: 'Basic',
  schema: basicSchema,
  invariants: basicInvariants,
  searchTable: basicSearchTable,
  elements: basicElements,
  date: 'created',
});
