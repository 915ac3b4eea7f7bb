import { serveRecords } from '../../shared/http/serve-records.ts';
import { medicationStatement } from '../../shared/record-types/medication-statement.ts';

export const handler = serveRecords([medicationStatement]);
