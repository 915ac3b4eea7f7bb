import { serveRecords } from '../../shared/http/serve-records.ts';
import { procedure } from '../../shared/record-types/procedure.ts';

export const handler = serveRecords([procedure]);
