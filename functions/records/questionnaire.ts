import { serveRecords } from '../../shared/http/serve-records.ts';
import { questionnaire } from '../../shared/record-types/questionnaire.ts';

export const handler = serveRecords([questionnaire]);
