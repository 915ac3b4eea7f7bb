import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { receive } from '../interactions/hl7-v2/receive.ts';
import { discard, replay } from '../interactions/hl7-v2/replay.ts';
import type { FilingContext } from '../interactions/hl7-v2/typed.ts';
import { er7 } from '../interactions/hl7-v2/waiting.ts';
import { log } from '../log.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { contextFor } from './context-for.ts';
import type { FhirEvent } from './fhir-event.ts';
import { bodyBytes, headerOf, mediaType, parseFhirRequest } from './fhir-request.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { type FhirMiddleware, logRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type Services, servicesFromEnvironment } from './services.ts';
import { traceRefusals } from './trace-refusals.ts';

/** Types of content that a message may have. */
export const messageTypes = [er7, 'application/hl7-v2+er7', 'application/hl7-v2', 'text/plain'];

/** Paths behind the base of the server, without `/hl7/v2`. */
const waitingPath = /^\/hl7\/v2\/waiting\/([A-Za-z0-9\-.]{1,64})\/(\$replay|\$discard)\/?$/;

/**
 * Serves HL7 v2: `POST /hl7/v2` takes one message and answers with its acknowledgement (docs/hl7-v2.md).
 *
 * @see https://hapifhir.github.io/hapi-hl7v2/hapi-hl7overhttp/specification.html
 */
export const serveHl7V2 = (recordTypes: readonly RecordType[], services: () => Services = servicesFromEnvironment) => {
  const byName = new Map(recordTypes.map((type) => [type.name, type]));
  const typeNamed = (name: string): RecordType => {
    const found = byName.get(name);
    if (!found) throw new Error(`Messages tell of no ${name}`);
    return found;
  };
  return middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(traceRefusals(services))
    .use(verifyAccessToken(services))
    .use(parseAsFhir())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      event.interaction = 'hl7-v2';
      const context = async (): Promise<FilingContext> => ({ ...(await contextFor(event, services())), typeNamed });
      const [, task, operation] = waitingPath.exec(pathOf(event)) ?? [];
      if (event.httpMethod !== 'POST')
        throw new RecordError('method-not-allowed', 'Messages are posted', { headers: { Allow: 'POST' } });
      if (task !== undefined)
        return toProxyResult(await (operation === '$replay' ? replay : discard)(await context(), task), request);
      if (!/^\/hl7\/v2\/?$/.test(pathOf(event)))
        throw new RecordError('not-found', 'There is nothing at this address', { reason: 'no-such-path' });
      const bytes = messageIn(event);
      const { acknowledgement, verdict } = await receive(await context(), bytes);
      log.count(counted[verdict]);
      const content = { type: `${er7}; charset=utf-8`, bytes: Buffer.from(acknowledgement) };
      return toProxyResult({ statusCode: 200, content }, request);
    });
};

const counted = {
  AA: 'MessagesFiled',
  waits: 'MessagesWaiting',
  AE: 'MessagesRejected',
  AR: 'MessagesRejected',
} as const;

const pathOf = ({ path }: FhirEvent): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/** The body of a message. */
const messageIn = (event: FhirEvent): Buffer => {
  const type = mediaType(headerOf(event, 'content-type'));
  if (!messageTypes.includes(type))
    throw new RecordError('unsupported-media-type', `Send a message as ${messageTypes.join(', ')}`, {
      expression: 'Content-Type',
      headers: { Accept: messageTypes.join(', ') },
    });
  const bytes = bodyBytes(event, headerOf(event, 'content-encoding'));
  if (!bytes) throw new RecordError('malformed', 'There is no message', { expression: 'body' });
  return bytes;
};

/** The request as what it writes has it: its base is FHIR's, and what it accepts says nothing of resources. */
const parseAsFhir = (): FhirMiddleware => ({
  before: ({ event }) => {
    const full = event.requestContext.path ?? event.path;
    const at = full.indexOf('/hl7/v2');
    const headers = Object.fromEntries(
      Object.entries(event.headers ?? {}).filter(
        ([name]) => !/^(?:accept|prefer|if-match|if-none-exist|idempotency-key)$/i.test(name),
      ),
    );
    event.fhir = parseFhirRequest({
      ...event,
      headers,
      // A message is no resource: it is read apart.
      ...(messageTypes.includes(mediaType(headerOf(event, 'content-type'))) ? { body: null } : {}),
      path: '/fhir/hl7/v2',
      requestContext: { ...event.requestContext, path: `${full.slice(0, Math.max(at, 0))}/fhir` },
    });
  },
});
