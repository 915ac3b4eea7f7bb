import { serveRecords } from '../../shared/http/serve-records.ts';
import { allergyIntolerance } from '../../shared/record-types/allergy-intolerance.ts';

export const handler = serveRecords([allergyIntolerance]);
