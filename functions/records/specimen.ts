import { serveRecords } from '../../shared/http/serve-records.ts';
import { specimen } from '../../shared/record-types/specimen.ts';

export const handler = serveRecords([specimen]);
