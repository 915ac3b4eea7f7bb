import { information } from '../fhir/operation-outcome.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import type { StoredRecord } from '../store/rows.ts';
import { presented } from '../store/rows.ts';
import type { Answer, RequestContext } from './context.ts';

/** Headers that tell which version of a record an answer holds. https://hl7.org/fhir/R4/http.html#versioning */
const versionHeaders = (record: StoredRecord) => ({
  ETag: `W/"${record.version}"`,
  'Last-Modified': new Date(record.updated).toUTCString(),
});

/** A record that was asked for; that it is unchanged, where the client has this version. https://hl7.org/fhir/R4/http.html#cread */
export const shown = ({ request }: Pick<RequestContext, 'request'>, record: StoredRecord): Answer => {
  const headers = versionHeaders(record);
  return isKnown(request, record)
    ? { statusCode: 304, headers }
    : { statusCode: 200, resource: presented(record), headers };
};

/**
 * Whether the client says that it has this version. Times are compared to the second, and count only where no version is named; one that is
 * no date is passed over. https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
 */
const isKnown = ({ ifNoneMatch, ifModifiedSince }: FhirRequest, { version, updated }: StoredRecord): boolean => {
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(`"${version}"`);
  }
  return ifModifiedSince !== undefined && Math.floor(updated / 1_000) * 1_000 <= Date.parse(ifModifiedSince);
};

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
