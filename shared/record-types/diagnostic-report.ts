import { diagnosticReportInvariants } from '../fhir/generated/invariants/DiagnosticReport.ts';
import { diagnosticReportSchema } from '../fhir/generated/schemas/DiagnosticReport.ts';
import {
  diagnosticReportElements,
  diagnosticReportSearchTable,
} from '../fhir/generated/search-parameters/DiagnosticReport.ts';
import { signable } from '../signing/signable.ts';
import { defineRecordType } from './define-record-type.ts';

/** The report on an examination, with its results. https://hl7.org/fhir/R4/diagnosticreport.html */
export const diagnosticReport = defineRecordType({
  name: 'DiagnosticReport',
  schema: diagnosticReportSchema,
  invariants: diagnosticReportInvariants,
  searchTable: diagnosticReportSearchTable,
  elements: diagnosticReportElements,
  date: 'date',
  ...signable,
});
