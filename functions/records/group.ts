import { serveRecords } from '../../shared/http/serve-records.ts';
import { group } from '../../shared/record-types/group.ts';

export const handler = serveRecords([group]);
