import { compositionRoutes } from '../../shared/http/own-routes/composition.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { composition } from '../../shared/record-types/composition.ts';

export const handler = serveRecords([composition], compositionRoutes);
