import type { Context } from 'aws-lambda';
import type { FhirEvent } from './fhir-event.ts';
import { serveDocuments } from './serve-documents.ts';
import { serveMetadata } from './serve-metadata.ts';

/** Serves whatever tells of the server and needs no token: under `/fhir` what FHIR and SMART say of it, else its own documents. */
export const serveDescription = () => {
  const [metadata, documents] = [serveMetadata(), serveDocuments()];
  return (event: FhirEvent, context: Context) =>
    (event.path.startsWith('/fhir/') ? metadata : documents)(event, context);
};
