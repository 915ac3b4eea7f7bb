import { serveRecords } from '../../shared/http/serve-records.ts';
import { detectedIssue } from '../../shared/record-types/detected-issue.ts';

export const handler = serveRecords([detectedIssue]);
