import { practitionerRoutes } from '../../shared/http/own-routes/practitioner.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { practitioner } from '../../shared/record-types/practitioner.ts';

export const handler = serveRecords([practitioner], practitionerRoutes);
