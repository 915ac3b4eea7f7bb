import { serveRecords } from '../../shared/http/serve-records.ts';
import { episodeOfCare } from '../../shared/record-types/episode-of-care.ts';

export const handler = serveRecords([episodeOfCare]);
