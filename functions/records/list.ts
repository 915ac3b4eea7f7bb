import { serveRecords } from '../../shared/http/serve-records.ts';
import { list } from '../../shared/record-types/list.ts';

export const handler = serveRecords([list]);
