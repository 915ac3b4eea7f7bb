import type { Answer } from '../context.ts';
import type { EntryRequest } from './entry.ts';

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified' };

/**
 * An answer as an entry of the response. Written resources are repeated only if the client asks for them: most bundles are large,
 * and their senders know what they sent. What an operation answers is what it was asked for. https://hl7.org/fhir/R4/http.html#transaction-response
 */
export const answerEntry = (
  entry: EntryRequest,
  { statusCode, headers, resource, warnings }: Answer,
): fhir4.BundleEntry => {
  const read = entry.request.method === 'GET' || entry.path.at(-1)?.startsWith('$') === true;
  const isOutcome = resource?.resourceType === 'OperationOutcome';
  const outcome = isOutcome ? (resource as fhir4.OperationOutcome) : warnings;
  const repeat = resource !== undefined && !isOutcome && (read || entry.request.prefer.return === 'representation');
  return {
    ...(repeat ? { resource: resource as unknown as fhir4.FhirResource } : {}),
    response: {
      status: `${statusCode} ${reasons[statusCode] ?? ''}`.trim(),
      ...(headers?.Location === undefined ? {} : { location: headers.Location }),
      ...(headers?.ETag === undefined ? {} : { etag: headers.ETag }),
      ...(headers?.['Last-Modified'] === undefined
        ? {}
        : { lastModified: new Date(headers['Last-Modified']).toISOString() }),
      ...(outcome ? { outcome } : {}),
    },
  };
};
