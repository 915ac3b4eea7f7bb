import { taskRoutes } from '../../shared/http/own-routes/task.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { task } from '../../shared/record-types/task.ts';

export const handler = serveRecords([task], taskRoutes);
