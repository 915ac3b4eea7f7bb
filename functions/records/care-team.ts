import { serveRecords } from '../../shared/http/serve-records.ts';
import { careTeam } from '../../shared/record-types/care-team.ts';

export const handler = serveRecords([careTeam]);
