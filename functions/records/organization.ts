import { serveRecords } from '../../shared/http/serve-records.ts';
import { organization } from '../../shared/record-types/organization.ts';

export const handler = serveRecords([organization]);
