import { serveRecords } from '../../shared/http/serve-records.ts';
import { explanationOfBenefit } from '../../shared/record-types/explanation-of-benefit.ts';

export const handler = serveRecords([explanationOfBenefit]);
