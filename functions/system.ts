import { ownRoutes } from '../shared/http/own-routes/index.ts';
import { serveSystem } from '../shared/http/serve-system.ts';
import { recordTypes } from '../shared/record-types/index.ts';
import { otherRecordTypes } from '../shared/record-types/other.ts';

/** `/fhir` itself: batches and transactions, searches across types, and what is asked of the whole system. */
export const handler = serveSystem([...recordTypes, ...otherRecordTypes], ownRoutes);
