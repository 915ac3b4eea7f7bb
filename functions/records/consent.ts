import { consentRoutes } from '../../shared/http/own-routes/consent.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { consent } from '../../shared/record-types/consent.ts';

export const handler = serveRecords([consent], consentRoutes);
