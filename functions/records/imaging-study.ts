import { serveRecords } from '../../shared/http/serve-records.ts';
import { imagingStudy } from '../../shared/record-types/imaging-study.ts';

export const handler = serveRecords([imagingStudy]);
