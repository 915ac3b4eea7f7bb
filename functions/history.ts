import { serveHistory } from '../shared/http/serve-history.ts';

/** `/fhir/_history` and `/fhir/{type}/_history`: what was changed, of one type or of all. */
export const handler = serveHistory();
