import { signingRoutes } from '../../interactions/signing/operations.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of reports alone. */
export const diagnosticReportRoutes: OwnRoutes = { DiagnosticReport: signingRoutes('DiagnosticReport') };
