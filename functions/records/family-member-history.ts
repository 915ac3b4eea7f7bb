import { serveRecords } from '../../shared/http/serve-records.ts';
import { familyMemberHistory } from '../../shared/record-types/family-member-history.ts';

export const handler = serveRecords([familyMemberHistory]);
