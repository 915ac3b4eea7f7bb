import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { interact } from '../interactions/interact.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { contextFor } from './context-for.ts';
import type { FhirEvent } from './fhir-event.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { logRequest, parseRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type OwnRoutes, type Router, routerOf } from './routes.ts';
import { type Services, servicesFromEnvironment } from './services.ts';
import { traceRefusals } from './trace-refusals.ts';

/**
 * Serves record types. A request meets these from top to bottom, its answer from bottom to top.
 *
 * @param recordTypes - one, for the function of a type; all others, for the function that serves the rest.
 * @param ownRoutes - what can be asked of these types beside what can be asked of all.
 */
export const serveRecords = (
  recordTypes: readonly RecordType[],
  ownRoutes: OwnRoutes = {},
  services: () => Services = servicesFromEnvironment,
) =>
  middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest()) // outermost: also sees refusals
    .use(finishAnswer()) // names of the request, gzip
    .use(renderErrors()) // RecordError → OperationOutcome
    .use(traceRefusals(services)) // 403 → the access log
    .use(verifyAccessToken(services)) // Authorization header → event.caller
    .use(parseRequest()) // path, headers, query → event.fhir
    .handler(routeRecord(recordTypes, routerOf(ownRoutes), services)); // method and path → createRecord, updateRecord …

const routeRecord =
  (recordTypes: readonly RecordType[], routeFor: Router, services: () => Services) => async (event: FhirEvent) => {
    const request = event.fhir;
    if (!request) throw new Error('The request was not parsed');
    const [type = '', ...path] = request.path;
    const recordType = recordTypes.find(({ name }) => name === type);
    if (!recordType) throw new RecordError('not-found', 'There is no such resource type', { reason: 'no-such-type' });
    event.recordType = recordType.name;
    const { route, target } = routeFor(recordType, request.method, path);
    event.interaction = route.name;
    const context = await contextFor(event, services());
    const answer = await interact({ ...context, recordType }, route, target);
    return toProxyResult(answer, request);
  };
