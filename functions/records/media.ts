import { serveRecords } from '../../shared/http/serve-records.ts';
import { media } from '../../shared/record-types/media.ts';

export const handler = serveRecords([media]);
