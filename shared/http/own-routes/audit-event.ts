import { readAuditEvent, searchAuditEvents } from '../../interactions/audit-events.ts';
import type { OwnRoutes } from '../routes.ts';

/** AuditEvents are rows of the access log, so they are read in a way of their own. */
export const auditEventRoutes: OwnRoutes = {
  AuditEvent: [
    { method: 'GET', path: [], interaction: searchAuditEvents, name: 'search-type' },
    { method: 'POST', path: ['_search'], interaction: searchAuditEvents, name: 'search-type' },
    { method: 'GET', path: ['{id}'], interaction: readAuditEvent, name: 'read' },
  ],
};
