import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { refusal } from '../fhir/operation-outcome.ts';
import { log } from '../log.ts';
import type { FhirEvent } from './fhir-event.ts';
import { headerOf, parseFhirRequest } from './fhir-request.ts';
import { toProxyResult } from './fhir-response.ts';
import type { Services } from './services.ts';

export type FhirMiddleware = MiddlewareObj<FhirEvent, APIGatewayProxyResult>;

/** One line a request, refusals included: what kind it was, never what it held. */
export const logRequest = (): FhirMiddleware => {
  const started = new WeakMap<object, number>();
  const write = (event: FhirEvent, statusCode: number | undefined) =>
    log.info('request', {
      requestId: event.requestContext.requestId,
      method: event.httpMethod,
      ...(event.recordType === undefined ? {} : { recordType: event.recordType }),
      ...(event.interaction === undefined ? {} : { interaction: event.interaction }),
      ...(statusCode === undefined ? {} : { statusCode }),
      durationMs: Date.now() - (started.get(event) ?? Date.now()),
    });
  return {
    before: ({ event }) => {
      started.set(event, Date.now());
    },
    after: ({ event, response }) => write(event, response?.statusCode),
    onError: ({ event, response }) => write(event, response?.statusCode),
  };
};

/** Turns whatever is thrown further in into an OperationOutcome. Only our own faults reach the log, without their message. */
export const renderErrors = (): FhirMiddleware => ({
  onError: (request) => {
    const { event, error } = request;
    const requestId = event.requestContext.requestId;
    if (!(error instanceof RecordError)) log.fault('request failed', error, { requestId });
    const { statusCode, headers, outcome } = refusal(error, requestId);
    request.response = toProxyResult(
      { statusCode, headers, resource: outcome },
      { pretty: false, format: event.fhir?.format },
    );
  },
});

/** Authorization header → `event.caller`. */
export const verifyAccessToken = (services: () => Services): FhirMiddleware => ({
  before: async ({ event }) => {
    event.caller = await services().verify(headerOf(event, 'authorization'));
  },
});

/** Path, headers, query → `event.fhir`. The body is looked at only when an interaction asks for it. */
export const parseRequest = (): FhirMiddleware => ({
  before: ({ event }) => {
    event.fhir = parseFhirRequest(event);
  },
});
