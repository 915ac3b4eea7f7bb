import { serveRecords } from '../../shared/http/serve-records.ts';
import { task } from '../../shared/record-types/task.ts';

export const handler = serveRecords([task]);
