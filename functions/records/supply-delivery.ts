import { serveRecords } from '../../shared/http/serve-records.ts';
import { supplyDelivery } from '../../shared/record-types/supply-delivery.ts';

export const handler = serveRecords([supplyDelivery]);
