import { serveRecords } from '../../shared/http/serve-records.ts';
import { coverage } from '../../shared/record-types/coverage.ts';

export const handler = serveRecords([coverage]);
