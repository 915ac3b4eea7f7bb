import { observationRoutes } from '../../shared/http/own-routes/observation.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { observation } from '../../shared/record-types/observation.ts';

export const handler = serveRecords([observation], observationRoutes);
