import { serveRecords } from '../../shared/http/serve-records.ts';
import { provenance } from '../../shared/record-types/provenance.ts';

export const handler = serveRecords([provenance]);
