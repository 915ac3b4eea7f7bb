import { serveMetadata } from '../shared/http/serve-metadata.ts';

/** `/fhir/metadata` and SMART's configuration: what this server can do, for everybody. */
export const handler = serveMetadata();
