import type { Answer } from '../context.ts';
import { type RoutedEntry, writes } from './route-entry.ts';

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified' };

/**
 * An answer as an entry of the response. Written resources are repeated only if the client asks for them: most bundles are large,
 * and their senders know what they sent. What an operation answers is what it was asked for. https://hl7.org/fhir/R4/http.html#transaction-response
 */
export const answerEntry = (
  entry: RoutedEntry,
  { statusCode, headers, updated, resource, warnings }: Answer,
): fhir4.BundleEntry => {
  const writing = writes(entry) && entry.interaction !== 'operation';
  // What an operation found out is its result, such as that of a validation; of a write or a refusal it is told beside.
  const isOutcome = resource?.resourceType === 'OperationOutcome' && (writing || statusCode >= 400);
  const outcome = isOutcome ? (resource as fhir4.OperationOutcome) : warnings;
  const wanted = writing ? entry.request.prefer.return === 'representation' : entry.method !== 'HEAD';
  const repeat = resource !== undefined && !isOutcome && wanted;
  // Answers that were kept by an earlier release have the header alone.
  const modified = updated ?? headers?.['Last-Modified'];
  return {
    ...(repeat ? { resource: resource as unknown as fhir4.FhirResource } : {}),
    response: {
      status: `${statusCode} ${reasons[statusCode] ?? ''}`.trim(),
      ...(headers?.Location === undefined ? {} : { location: headers.Location }),
      ...(headers?.ETag === undefined ? {} : { etag: headers.ETag }),
      ...(modified === undefined ? {} : { lastModified: new Date(modified).toISOString() }),
      ...(outcome ? { outcome } : {}),
    },
  };
};
