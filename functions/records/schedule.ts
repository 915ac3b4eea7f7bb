import { serveRecords } from '../../shared/http/serve-records.ts';
import { schedule } from '../../shared/record-types/schedule.ts';

export const handler = serveRecords([schedule]);
