import { serveDescription } from '../shared/http/serve-description.ts';

/** What this server can do, for everybody: `/fhir/metadata` and SMART's configuration, `/openapi.json` and the page at `/`. */
export const handler = serveDescription();
