import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { isResourceType } from '../fhir/references.ts';
import { historyOf, historyOfSystem } from '../interactions/history-across.ts';
import { toldChanges } from '../interactions/told-changes.ts';
import { subjectOf } from '../record-types/subjects.ts';
import { contextFor } from './context-for.ts';
import type { FhirEvent } from './fhir-event.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { logRequest, parseRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type Services, servicesFromEnvironment } from './services.ts';
import { traceRefusals } from './trace-refusals.ts';

/**
 * Serves the histories that name no record, `GET /fhir/_history` and `GET /fhir/{type}/_history`, and what organisations are told of, `GET /fhir/_changes`. It knows no type's schema, since it shows what was checked
 * when it was written. https://hl7.org/fhir/R4/http.html#history
 */
export const serveHistory = (services: () => Services = servicesFromEnvironment) =>
  middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(traceRefusals(services))
    .use(verifyAccessToken(services))
    .use(parseRequest())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      const [type, ...path] = request.path;
      const named = path.length === 0 ? undefined : type;
      const isOfChanges = path.length === 0 && type === '_changes';
      if (named !== undefined && !(isResourceType(named) && subjectOf(named) !== 'audit')) {
        throw new RecordError('not-found', 'There is no such resource type', { reason: 'no-such-type' });
      }
      if (request.method !== 'GET') {
        throw new RecordError('method-not-allowed', 'What was changed is only to be read', {
          headers: { Allow: 'GET, HEAD' },
        });
      }
      if (named !== undefined) event.recordType = named;
      event.interaction = named === undefined ? 'history-system' : 'history-type';
      const context = await contextFor(event, services());
      const ofSystem = isOfChanges ? toldChanges : historyOfSystem;
      const answer = await (named === undefined ? ofSystem(context) : historyOf(context, named));
      return toProxyResult(answer, request);
    });
