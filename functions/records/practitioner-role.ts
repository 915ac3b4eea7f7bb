import { serveRecords } from '../../shared/http/serve-records.ts';
import { practitionerRole } from '../../shared/record-types/practitioner-role.ts';

export const handler = serveRecords([practitionerRole]);
