import { compositionInvariants } from '../fhir/generated/invariants/Composition.ts';
import { compositionSchema } from '../fhir/generated/schemas/Composition.ts';
import { compositionElements, compositionSearchTable } from '../fhir/generated/search-parameters/Composition.ts';
import { signable } from '../signing/signable.ts';
import { defineRecordType } from './define-record-type.ts';

/** A note, structured in sections. https://hl7.org/fhir/R4/composition.html */
export const composition = defineRecordType({
  name: 'Composition',
  schema: compositionSchema,
  invariants: compositionInvariants,
  searchTable: compositionSearchTable,
  elements: compositionElements,
  date: 'date',
  ...signable,
});
