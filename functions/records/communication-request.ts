import { serveRecords } from '../../shared/http/serve-records.ts';
import { communicationRequest } from '../../shared/record-types/communication-request.ts';

export const handler = serveRecords([communicationRequest]);
