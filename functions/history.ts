import { serveHistory } from '../shared/http/serve-history.ts';

/** `/fhir/_history` and `/fhir/{type}/_history`: what was changed, of one type or of all; and `/fhir/_changes`: what the caller's organisation is told of. */
export const handler = serveHistory();
