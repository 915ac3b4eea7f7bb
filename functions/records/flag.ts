import { serveRecords } from '../../shared/http/serve-records.ts';
import { flag } from '../../shared/record-types/flag.ts';

export const handler = serveRecords([flag]);
