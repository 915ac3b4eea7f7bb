import { patientRoutes } from '../../shared/http/own-routes/patient.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { patient } from '../../shared/record-types/patient.ts';

export const handler = serveRecords([patient], patientRoutes);
