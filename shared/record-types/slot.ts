import { slotInvariants } from '../fhir/generated/invariants/Slot.ts';
import { slotSchema } from '../fhir/generated/schemas/Slot.ts';
import { slotElements, slotSearchTable } from '../fhir/generated/search-parameters/Slot.ts';
import { defineRecordType } from './define-record-type.ts';
import { slotTime } from './slot-time.ts';

/** A piece of time, free or busy. https://hl7.org/fhir/R4/slot.html */
export const slot = defineRecordType({
  name: 'Slot',
  schema: slotSchema,
  invariants: slotInvariants,
  searchTable: slotSearchTable,
  elements: slotElements,
  date: 'start',
  heldTime: slotTime,
});
