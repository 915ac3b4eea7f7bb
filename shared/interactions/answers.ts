import { information } from '../fhir/operation-outcome.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import { project } from '../search/project.ts';
import { partAsked } from '../search/result-parameters.ts';
import type { StoredRecord } from '../store/rows.ts';
import { presented } from '../store/rows.ts';
import type { Answer, RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';

/** What tells which version of a record an answer holds. https://hl7.org/fhir/R4/http.html#versioning */
export const ofVersion = ({ version, updated }: StoredRecord) => ({
  headers: { ETag: `W/"${version}"`, 'Last-Modified': new Date(updated).toUTCString() },
  updated,
});

/**
 * A record that was asked for, or the part of it that is wanted; that it is unchanged, where the client has this version.
 *
 * @throws RecordError `invalid` for a part that there cannot be.
 * @see https://hl7.org/fhir/R4/http.html#cread https://hl7.org/fhir/R4/http.html#parameters
 */
export const shown = (
  { request, recordType, view }: Pick<RequestContext, 'request' | 'recordType' | 'view'>,
  record: StoredRecord,
): Answer => {
  const told = ofVersion(record);
  const part = partAsked(request.query, recordType.name);
  return isKnown(request, record)
    ? { statusCode: 304, ...told }
    : { statusCode: 200, resource: project(presented(view.of(record)), part, recordType.elements), ...told };
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

/** So many are told beside the resource, in a header or in an entry of a bundle. */
const mostWarnings = 10;

/** Warnings in short. Checks that could not be made are only counted: a record full of SNOMED CT has one for each code. */
const inShort = (issues: readonly ValidationIssue[]): fhir4.OperationOutcome | undefined => {
  if (issues.length === 0) return undefined;
  const warnings = issues.filter(({ severity }) => severity === 'warning').slice(0, mostWarnings);
  const left = issues.length - warnings.length;
  const rest = {
    message: `${left} more notices with Prefer: return=OperationOutcome, such as checks that could not be made`,
  };
  return information('information', left === 0 ? warnings : [...warnings, rest]);
};

/**
 * A record that was written, as much of it as the client prefers. https://hl7.org/fhir/R4/http.html#ops
 *
 * @param issues - what stands against the record without having refused it.
 */
export const written = (
  context: Pick<RequestContext, 'request' | 'view'>,
  record: StoredRecord,
  statusCode: 200 | 201,
  issues: readonly ValidationIssue[] = [],
): Answer => {
  const { baseUrl, prefer } = context.request;
  const { headers, updated } = ofVersion(record);
  const told = {
    headers: { ...headers, Location: `${baseUrl}/${record.type}/${record.id}/_history/${record.version}` },
    updated,
  };
  if (prefer.return === 'OperationOutcome') {
    const message = statusCode === 201 ? 'Created' : 'Updated';
    return { statusCode, ...told, resource: information('information', [{ message }, ...issues]) };
  }
  const warnings = inShort(issues);
  return {
    statusCode,
    ...told,
    ...(warnings === undefined ? {} : { warnings }),
    ...(prefer.return === 'minimal' ? {} : { resource: presented(context.view.of(record)) }),
  };
};

/** What a write is answered with: 201 where there was nothing, or only a deletion, before; a deletion with the version that it made. */
export const answerTo = (
  context: Pick<RequestContext, 'request' | 'view'>,
  { next, previous, warnings }: PlannedWrite,
): Answer => {
  if (!next.resource) return { statusCode: 204, headers: { ETag: `W/"${next.version}"` } };
  return written(context, next, previous?.resource ? 200 : 201, warnings);
};
