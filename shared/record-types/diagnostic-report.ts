import { diagnosticReportInvariants } from '../fhir/generated/invariants/DiagnosticReport.ts';
import { diagnosticReportSchema } from '../fhir/generated/schemas/DiagnosticReport.ts';
import {
  diagnosticReportElements,
  diagnosticReportSearchTable,
} from '../fhir/generated/search-parameters/DiagnosticReport.ts';
import { reviewResults } from '../laboratory/critical.ts';
import { keepFiledMark } from '../laboratory/filed-mark.ts';
import { reportMoves } from '../laboratory/states.ts';
import { signable } from '../signing/signable.ts';
import { checkOfReport } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';

/** The report on an examination, with its results. https://hl7.org/fhir/R4/diagnosticreport.html */
export const diagnosticReport = defineRecordType({
  name: 'DiagnosticReport',
  schema: diagnosticReportSchema,
  invariants: diagnosticReportInvariants,
  searchTable: diagnosticReportSearchTable,
  elements: diagnosticReportElements,
  date: 'date',
  requireChange: (...change) => {
    signable.requireChange(...change);
    requireLegalMove(reportMoves, ...change);
  },
  keeps: (before, next, ...when) =>
    withMovesFlagged(reportMoves, before, keepFiledMark(before, signable.keeps(before, next, ...when))),
  raises: (change) => [...signable.raises(change), ...checkOfReport(change), ...reviewResults(change)],
});
