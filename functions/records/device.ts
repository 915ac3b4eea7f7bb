import { deviceRoutes } from '../../shared/http/own-routes/device.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { device } from '../../shared/record-types/device.ts';

export const handler = serveRecords([device], deviceRoutes);
