import { goalRoutes } from '../../shared/http/own-routes/goal.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { goal } from '../../shared/record-types/goal.ts';

export const handler = serveRecords([goal], goalRoutes);
