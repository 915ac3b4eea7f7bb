import { serveRecords } from '../../shared/http/serve-records.ts';
import { basic } from '../../shared/record-types/basic.ts';

export const handler = serveRecords([basic]);
