import { serveRecords } from '../../shared/http/serve-records.ts';
import { auditEvent } from '../../shared/record-types/audit-event.ts';

export const handler = serveRecords([auditEvent]);
