import { information } from '../fhir/operation-outcome.ts';
import type { StoredRecord } from '../store/rows.ts';
import { presented } from '../store/rows.ts';
import type { Answer, RequestContext } from './context.ts';

/** Headers that tell which version of a record an answer holds. https://hl7.org/fhir/R4/http.html#versioning */
const versionHeaders = (record: StoredRecord) => ({
  ETag: `W/"${record.version}"`,
  'Last-Modified': new Date(record.updated).toUTCString(),
});

/** A record that was asked for. */
export const shown = (record: StoredRecord): Answer => ({
  statusCode: 200,
  resource: presented(record),
  headers: versionHeaders(record),
});

/** A record that was written, as much of it as the client prefers. https://hl7.org/fhir/R4/http.html#ops */
export const written = (context: RequestContext, record: StoredRecord, statusCode: 200 | 201): Answer => {
  const { baseUrl, prefer } = context.request;
  const headers = {
    ...versionHeaders(record),
    Location: `${baseUrl}/${record.type}/${record.id}/_history/${record.version}`,
  };
  if (prefer.return === 'minimal') return { statusCode, headers };
  if (prefer.return === 'OperationOutcome') {
    const message = statusCode === 201 ? 'Created' : 'Updated';
    return { statusCode, headers, resource: information('information', [{ message }]) };
  }
  return { statusCode, headers, resource: presented(record) };
};
