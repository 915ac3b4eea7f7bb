import { serveRecords } from '../../shared/http/serve-records.ts';
import { immunization } from '../../shared/record-types/immunization.ts';

export const handler = serveRecords([immunization]);
