import type { OwnRoutes } from '../routes.ts';
import { signingRoutes } from '../signing-routes.ts';

/** What can be asked of reports alone. */
export const diagnosticReportRoutes: OwnRoutes = { DiagnosticReport: signingRoutes('DiagnosticReport') };
