import { auditEventInvariants } from '../fhir/generated/invariants/AuditEvent.ts';
import { auditEventSchema } from '../fhir/generated/schemas/AuditEvent.ts';
import { auditEventElements, auditEventSearchTable } from '../fhir/generated/search-parameters/AuditEvent.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who did what with which record. Written by Concord alone. https://hl7.org/fhir/R4/auditevent.html */
export const auditEvent = defineRecordType({
  name: 'AuditEvent',
  schema: auditEventSchema,
  invariants: auditEventInvariants,
  searchTable: auditEventSearchTable,
  elements: auditEventElements,
  date: 'date',
  readOnly: true,
});
