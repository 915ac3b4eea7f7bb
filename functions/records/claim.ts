import { serveRecords } from '../../shared/http/serve-records.ts';
import { claim } from '../../shared/record-types/claim.ts';

export const handler = serveRecords([claim]);
