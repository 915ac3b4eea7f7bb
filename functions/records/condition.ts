import { serveRecords } from '../../shared/http/serve-records.ts';
import { condition } from '../../shared/record-types/condition.ts';

export const handler = serveRecords([condition]);
