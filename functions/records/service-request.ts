import { serveRecords } from '../../shared/http/serve-records.ts';
import { serviceRequest } from '../../shared/record-types/service-request.ts';

export const handler = serveRecords([serviceRequest]);
