import { serveRecords } from '../../shared/http/serve-records.ts';
import { carePlan } from '../../shared/record-types/care-plan.ts';

export const handler = serveRecords([carePlan]);
