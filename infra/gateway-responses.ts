import { reasonSystem } from '../shared/fhir/operation-outcome.ts';
import { crossOriginHeaders } from '../shared/http/cross-origin.ts';
import type { StableCode } from '../shared/stable-codes.ts';

/**
 * Answers that API Gateway gives by itself, before or instead of a function. Each is an OperationOutcome, like a function's.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
export type GatewayResponseType = keyof typeof definitions;

export interface GatewayResponse {
  readonly type: GatewayResponseType;
  /** Undefined where the gateway's own status stays. */
  readonly statusCode: number | undefined;
  /** Header names and values. */
  readonly headers: Readonly<Record<string, string>>;
  /** Mapping template of the body. `$context.requestId` is the gateway's to fill in. */
  readonly template: string;
}

interface Definition {
  readonly statusCode?: number;
  /** https://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly code: fhir4.OperationOutcomeIssue['code'];
  /** Stable code for programs. */
  readonly reason: StableCode;
  readonly message: string;
  /** Name of the header that it is about. */
  readonly expression?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const definitions = {
  UNAUTHORIZED: {
    statusCode: 401,
    code: 'login',
    reason: 'unauthenticated',
    message: 'A valid access token is needed, sent as "Authorization: Bearer <token>"',
    expression: 'Authorization',
    headers: { 'WWW-Authenticate': 'Bearer realm="Concord"' },
  },
  ACCESS_DENIED: {
    statusCode: 403,
    code: 'forbidden',
    reason: 'forbidden',
    message: 'The access token does not permit this request',
  },
  WAF_FILTERED: { statusCode: 403, code: 'security', reason: 'filtered', message: 'The firewall refused this request' },
  // The gateway's word for a path or method that it has no route for. Its own status, 403, would say that a token could help.
  MISSING_AUTHENTICATION_TOKEN: {
    statusCode: 404,
    code: 'not-found',
    reason: 'unknown-path',
    message: 'There is nothing at this address; FHIR is served under /fhir',
  },
  RESOURCE_NOT_FOUND: {
    statusCode: 404,
    code: 'not-found',
    reason: 'unknown-path',
    message: 'There is nothing at this address; FHIR is served under /fhir',
  },
  BAD_REQUEST_BODY: { statusCode: 400, code: 'structure', reason: 'malformed', message: 'The body is malformed' },
  BAD_REQUEST_PARAMETERS: { statusCode: 400, code: 'invalid', reason: 'invalid', message: 'A parameter is malformed' },
  REQUEST_TOO_LARGE: {
    statusCode: 413,
    code: 'too-long',
    reason: 'too-large',
    message: 'The request is too large',
    expression: 'Content-Length',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    statusCode: 415,
    code: 'not-supported',
    reason: 'unsupported-media-type',
    message: 'This content type is not supported',
    expression: 'Content-Type',
  },
  THROTTLED: {
    statusCode: 429,
    code: 'throttled',
    reason: 'throttled',
    message: 'Too many requests at once; try again',
    headers: { 'Retry-After': '1' },
  },
  QUOTA_EXCEEDED: {
    statusCode: 429,
    code: 'throttled',
    reason: 'quota-exceeded',
    message: 'The quota of requests is used up; try again later',
    headers: { 'Retry-After': '3600' },
  },
  AUTHORIZER_FAILURE: { statusCode: 500, code: 'exception', reason: 'exception', message: 'Internal server error' },
  INTEGRATION_TIMEOUT: {
    statusCode: 504,
    code: 'timeout',
    reason: 'timeout',
    message: 'The request took too long; whether it took effect is not known',
  },
  DEFAULT_4XX: { code: 'invalid', reason: 'invalid', message: 'The request cannot be processed' },
  DEFAULT_5XX: { code: 'exception', reason: 'exception', message: 'Internal server error' },
} as const satisfies Record<string, Definition>;

const templateOf = ({ statusCode, code, reason, message, expression }: Definition, fatal: boolean) => {
  const outcome: fhir4.OperationOutcome = {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: fatal || (statusCode ?? 0) >= 500 ? 'fatal' : 'error',
        code,
        details: { coding: [{ system: reasonSystem, code: reason }], text: message },
        diagnostics: `${message} (request $context.requestId)`,
        ...(expression === undefined ? {} : { expression: [expression] }),
      },
    ],
  };
  return JSON.stringify(outcome);
};

/** All gateway responses that differ from the gateway's own. */
export const gatewayResponses: readonly GatewayResponse[] = Object.entries(definitions).map(
  ([type, definition]: [string, Definition]) => ({
    type: type as GatewayResponseType,
    statusCode: definition.statusCode,
    headers: { 'Content-Type': 'application/fhir+json', ...crossOriginHeaders, ...definition.headers },
    template: templateOf(definition, type === 'DEFAULT_5XX'),
  }),
);

/** The response of one type. */
export const gatewayResponse = (type: GatewayResponseType): GatewayResponse => {
  const found = gatewayResponses.find((response) => response.type === type);
  if (!found) throw new Error(`There is no gateway response ${type}`);
  return found;
};
