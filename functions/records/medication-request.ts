import { medicationRequestRoutes } from '../../shared/http/own-routes/medication-request.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { medicationRequest } from '../../shared/record-types/medication-request.ts';

export const handler = serveRecords([medicationRequest], medicationRequestRoutes);
