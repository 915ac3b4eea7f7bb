import { communicationRoutes } from '../../shared/http/own-routes/communication.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { communication } from '../../shared/record-types/communication.ts';

export const handler = serveRecords([communication], communicationRoutes);
