import { diagnosticReportRoutes } from '../../shared/http/own-routes/diagnostic-report.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { diagnosticReport } from '../../shared/record-types/diagnostic-report.ts';

export const handler = serveRecords([diagnosticReport], diagnosticReportRoutes);
