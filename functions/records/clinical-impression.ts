import { serveRecords } from '../../shared/http/serve-records.ts';
import { clinicalImpression } from '../../shared/record-types/clinical-impression.ts';

export const handler = serveRecords([clinicalImpression]);
