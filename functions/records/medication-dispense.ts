import { serveRecords } from '../../shared/http/serve-records.ts';
import { medicationDispense } from '../../shared/record-types/medication-dispense.ts';

export const handler = serveRecords([medicationDispense]);
