import { serveRecords } from '../../shared/http/serve-records.ts';
import { questionnaireResponse } from '../../shared/record-types/questionnaire-response.ts';

export const handler = serveRecords([questionnaireResponse]);
