import { scheduleInvariants } from '../fhir/generated/invariants/Schedule.ts';
import { scheduleSchema } from '../fhir/generated/schemas/Schedule.ts';
import { scheduleElements, scheduleSearchTable } from '../fhir/generated/search-parameters/Schedule.ts';
import { defineRecordType } from './define-record-type.ts';
import { requireSchedule, scheduleRows } from './schedule-rules.ts';

/** Whose time can be booked. https://hl7.org/fhir/R4/schedule.html */
export const schedule = defineRecordType({
  name: 'Schedule',
  schema: scheduleSchema,
  invariants: scheduleInvariants,
  searchTable: scheduleSearchTable,
  elements: scheduleElements,
  date: 'date',
  requireChange: requireSchedule,
  actorRows: scheduleRows,
});
