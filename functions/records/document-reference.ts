import { documentReferenceRoutes } from '../../shared/http/own-routes/document-reference.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { documentReference } from '../../shared/record-types/document-reference.ts';

export const handler = serveRecords([documentReference], documentReferenceRoutes);
