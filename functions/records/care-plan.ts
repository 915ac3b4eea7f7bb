import { carePlanRoutes } from '../../shared/http/own-routes/care-plan.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { carePlan } from '../../shared/record-types/care-plan.ts';

export const handler = serveRecords([carePlan], carePlanRoutes);
