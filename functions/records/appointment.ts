import { appointmentRoutes } from '../../shared/http/own-routes/appointment.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { appointment } from '../../shared/record-types/appointment.ts';

export const handler = serveRecords([appointment], appointmentRoutes);
