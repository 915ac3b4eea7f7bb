import { serveRecords } from '../../shared/http/serve-records.ts';
import { healthcareService } from '../../shared/record-types/healthcare-service.ts';

export const handler = serveRecords([healthcareService]);
