import { serveRecords } from '../../shared/http/serve-records.ts';
import { appointmentResponse } from '../../shared/record-types/appointment-response.ts';

export const handler = serveRecords([appointmentResponse]);
