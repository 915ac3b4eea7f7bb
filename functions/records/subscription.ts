import { subscriptionRoutes } from '../../shared/http/own-routes/subscription.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { subscription } from '../../shared/record-types/subscription.ts';

export const handler = serveRecords([subscription], subscriptionRoutes);
