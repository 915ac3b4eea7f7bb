import { serveRecords } from '../../shared/http/serve-records.ts';
import { medication } from '../../shared/record-types/medication.ts';

export const handler = serveRecords([medication]);
