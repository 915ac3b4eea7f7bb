import { serveRecords } from '../../shared/http/serve-records.ts';
import { medicationRequest } from '../../shared/record-types/medication-request.ts';

export const handler = serveRecords([medicationRequest]);
