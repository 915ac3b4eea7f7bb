import { RecordError, type RecordErrorKind } from '../errors.ts';
import type { StableCode } from '../stable-codes.ts';

/** Code system of `issue.details.coding`; its codes are stable, for programs to act on. */
export const reasonSystem = 'https://concord.example/fhir/CodeSystem/refusal';

// A new kind of error does not compile until it has a row here.
const responseFor = {
  malformed: { statusCode: 400, code: 'structure' },
  invalid: { statusCode: 400, code: 'invalid' },
  unauthenticated: { statusCode: 401, code: 'login' },
  forbidden: { statusCode: 403, code: 'forbidden' },
  'not-found': { statusCode: 404, code: 'not-found' },
  'method-not-allowed': { statusCode: 405, code: 'not-supported' },
  'not-acceptable': { statusCode: 406, code: 'not-supported' },
  conflict: { statusCode: 409, code: 'conflict' },
  deleted: { statusCode: 410, code: 'deleted' },
  'version-conflict': { statusCode: 412, code: 'conflict' },
  'multiple-matches': { statusCode: 412, code: 'multiple-matches' },
  'no-match': { statusCode: 412, code: 'not-found' },
  'too-large': { statusCode: 413, code: 'too-long' },
  'unsupported-media-type': { statusCode: 415, code: 'not-supported' },
  'business-rule': { statusCode: 422, code: 'business-rule' },
  'too-costly': { statusCode: 400, code: 'too-costly' },
  throttled: { statusCode: 429, code: 'throttled' },
  unavailable: { statusCode: 503, code: 'transient' },
  incomplete: { statusCode: 500, code: 'incomplete' },
} as const satisfies Record<RecordErrorKind, { statusCode: number; code: string }>;

/** A refusal as a client meets it. */
export interface Refused {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly outcome: fhir4.OperationOutcome;
}

/** Letters of an expression that are told: a name in it may be anything that a client wrote. */
const longestExpression = 500;

const bounded = (expression: string): string =>
  expression.length <= longestExpression ? expression : `${expression.slice(0, longestExpression - 1).toWellFormed()}…`;

/** One thing that is to be said. */
export interface Notice {
  readonly severity?: fhir4.OperationOutcomeIssue['severity'];
  readonly message: string;
  readonly expression?: string;
  readonly code?: fhir4.OperationOutcomeIssue['code'];
  /** Stable code for programs, sent as `details.coding`. */
  readonly reason?: StableCode;
  readonly extension?: fhir4.Extension[];
}

const issueOf = (
  { severity = 'error', code = 'informational', message, expression, reason, extension }: Notice,
  diagnostics = message,
): fhir4.OperationOutcomeIssue => ({
  severity,
  code,
  details: {
    ...(reason === undefined ? {} : { coding: [{ system: reasonSystem, code: reason }] }),
    text: message,
  },
  diagnostics,
  ...(expression === undefined ? {} : { expression: [bounded(expression)] }),
  ...(extension && { extension }),
});

/** What a refusal says, issue by issue. */
export const noticesOf = ({ kind, reason, details }: RecordError): Notice[] =>
  details.map(({ message, expression, notice, extension, code = responseFor[kind].code }) => ({
    code: code as fhir4.OperationOutcomeIssue['code'],
    message,
    reason,
    ...(notice ? { severity: 'information' } : {}),
    ...(expression === undefined ? {} : { expression }),
    ...(extension && { extension }),
  }));

/**
 * Turns anything thrown into an answer. What is not a RecordError is our own fault: 500, without its message.
 *
 * @param requestId - told to the client, so that the cause can be found in the log.
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export const refusal = (error: unknown, requestId: string): Refused => {
  const known = error instanceof RecordError;
  const statusCode = known ? responseFor[error.kind].statusCode : 500;
  const notices: Notice[] = known
    ? noticesOf(error)
    : [{ severity: 'fatal', code: 'exception', message: 'Internal server error', reason: 'exception' }];
  return {
    statusCode,
    headers: {
      ...(known ? error.headers : {}),
      ...(statusCode === 401 ? { 'WWW-Authenticate': 'Bearer realm="Concord", error="invalid_token"' } : {}),
    },
    outcome: {
      resourceType: 'OperationOutcome',
      issue: notices.map((notice) => issueOf(notice, `${notice.message} (request ${requestId})`)),
    },
  };
};

/**
 * An outcome that is no refusal.
 *
 * @param severity - of those that have none of their own.
 */
export const information = (
  severity: 'information' | 'warning' | 'error',
  notices: readonly Notice[],
): fhir4.OperationOutcome => ({
  resourceType: 'OperationOutcome',
  issue: notices.map((notice) => issueOf({ severity, ...notice })),
});
