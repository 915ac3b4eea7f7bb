import middy from '@middy/core';
import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import { discovery, type Hook, hookNamed } from '../cds-hooks/services.ts';
import { RecordError } from '../errors.ts';
import { answerHook } from '../interactions/cds-hooks/answer-hook.ts';
import { takeFeedback } from '../interactions/cds-hooks/feedback.ts';
import { contextFor } from './context-for.ts';
import type { FhirEvent } from './fhir-event.ts';
import { parseFhirRequest } from './fhir-request.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { type FhirMiddleware, logRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type Services, servicesFromEnvironment } from './services.ts';
import { traceRefusals } from './trace-refusals.ts';

/** The services stand beside `/fhir`. References in what they are sent are to records below it. */
const besideFhir = (path: string): string => path.replace(/\/cds-services(?=\/|$)/, '/fhir/cds-services');

/** Path and headers → `event.fhir`, as of any other request. */
const parseHookCall = (): FhirMiddleware => ({
  before: ({ event }) => {
    const { path, requestContext } = event;
    const called = { ...requestContext, path: besideFhir(requestContext.path ?? path) };
    event.fhir = parseFhirRequest({ ...event, path: besideFhir(path), requestContext: called });
  },
});

const noSuchPath = () => new RecordError('not-found', 'There is no such service', { reason: 'no-such-path' });

const json = (body: unknown): APIGatewayProxyResult => {
  const result = toProxyResult({ statusCode: 200 }, { pretty: false });
  return {
    ...result,
    headers: { ...result.headers, 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
};

/**
 * Serves order checks as CDS Hooks 2.0: the list of services to everybody, the services themselves and their feedback to who has a token of this server.
 *
 * @see https://cds-hooks.hl7.org/2.0/
 */
export const serveCdsServices = (services: () => Services = servicesFromEnvironment) => {
  const list = middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(parseHookCall())
    .handler(async (event: FhirEvent) => {
      event.interaction = 'cds-services';
      if (event.fhir?.method === 'GET') return json(discovery);
      throw new RecordError('method-not-allowed', 'The list of services is only to be read', {
        headers: { Allow: 'GET, HEAD' },
      });
    });
  const called = middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(traceRefusals(services))
    .use(verifyAccessToken(services))
    .use(parseHookCall())
    .handler(async (event: FhirEvent) => {
      const [, name, last, ...more] = event.fhir?.path ?? [];
      const hook: Hook | undefined = hookNamed(name);
      const isFeedback = last === 'feedback';
      if (!hook || more.length > 0 || (last !== undefined && !isFeedback)) throw noSuchPath();
      event.interaction = `cds-${isFeedback ? 'feedback' : hook}`;
      if (event.fhir?.method !== 'POST')
        throw new RecordError('method-not-allowed', 'Services are called by POST', { headers: { Allow: 'POST' } });
      const context = await contextFor(event, services());
      if (!isFeedback) return json(await answerHook(context, hook));
      await takeFeedback(context, hook);
      return json({});
    });
  return (event: FhirEvent, context: Context) =>
    (/\/cds-services\/?$/.test(event.path) ? list : called)(event, context);
};
