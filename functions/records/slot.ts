import { serveRecords } from '../../shared/http/serve-records.ts';
import { slot } from '../../shared/record-types/slot.ts';

export const handler = serveRecords([slot]);
