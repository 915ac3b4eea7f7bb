import { serveRecords } from '../../shared/http/serve-records.ts';
import { endpoint } from '../../shared/record-types/endpoint.ts';

export const handler = serveRecords([endpoint]);
