import { serveRecords } from '../../shared/http/serve-records.ts';
import { location } from '../../shared/record-types/location.ts';

export const handler = serveRecords([location]);
