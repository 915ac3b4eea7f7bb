import { serveRecords } from '../../shared/http/serve-records.ts';
import { device } from '../../shared/record-types/device.ts';

export const handler = serveRecords([device]);
