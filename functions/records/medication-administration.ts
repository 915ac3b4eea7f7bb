import { serveRecords } from '../../shared/http/serve-records.ts';
import { medicationAdministration } from '../../shared/record-types/medication-administration.ts';

export const handler = serveRecords([medicationAdministration]);
