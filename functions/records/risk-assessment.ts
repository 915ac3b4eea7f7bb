import { serveRecords } from '../../shared/http/serve-records.ts';
import { riskAssessment } from '../../shared/record-types/risk-assessment.ts';

export const handler = serveRecords([riskAssessment]);
