import { relatedPersonRoutes } from '../../shared/http/own-routes/related-person.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { relatedPerson } from '../../shared/record-types/related-person.ts';

export const handler = serveRecords([relatedPerson], relatedPersonRoutes);
