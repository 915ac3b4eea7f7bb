import { binaryRoutes } from '../../shared/http/own-routes/binary.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { binary } from '../../shared/record-types/binary.ts';

export const handler = serveRecords([binary], binaryRoutes);
