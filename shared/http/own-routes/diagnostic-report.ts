import { file, resolve } from '../../interactions/laboratory/operations.ts';
import { review, reviewedAgain } from '../../interactions/results/operations.ts';
import { ownOperation } from '../own-operation.ts';
import type { OwnRoutes } from '../routes.ts';
import { signingRoutes } from '../signing-routes.ts';

/** What can be asked of reports alone. */
export const diagnosticReportRoutes: OwnRoutes = {
  DiagnosticReport: [
    ...signingRoutes('DiagnosticReport'),
    ownOperation('POST', 'DiagnosticReport/$file', file, 'c'),
    ownOperation('POST', 'DiagnosticReport/{id}/$resolve', resolve, 'u'),
    ownOperation('POST', 'DiagnosticReport/{id}/$review', review, reviewedAgain),
  ],
};
