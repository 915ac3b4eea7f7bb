import { encounterRoutes } from '../../shared/http/own-routes/encounter.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { encounter } from '../../shared/record-types/encounter.ts';

export const handler = serveRecords([encounter], encounterRoutes);
