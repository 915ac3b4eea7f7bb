import { auditEventRoutes } from '../../shared/http/own-routes/audit-event.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { auditEvent } from '../../shared/record-types/audit-event.ts';

export const handler = serveRecords([auditEvent], auditEventRoutes);
