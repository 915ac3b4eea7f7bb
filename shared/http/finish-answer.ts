import { gzipSync } from 'node:zlib';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { FhirEvent } from './fhir-event.ts';
import { headerOf } from './fhir-request.ts';
import type { FhirMiddleware } from './middleware.ts';
import { wantedCodings } from './negotiate.ts';

/**
 * Letters below which a body is sent as it is: with its headers it fits into one packet of a network either way. A search with two Observations has
 * 1,750 bytes, and 540 in gzip, for 15 µs of CPU.
 */
const worthCompressing = 1_400;

/** Level 1: a page of 1,000 Observations, 850 KB, becomes 36 KB in 1.3 ms; level 6 makes it 34 KB in 3.3 ms. */
const level = 1;

/** Images, archives and the like are compressed in themselves. */
const isText = (type: string) => /^text\/|[/+](?:json|xml)\b/.test(type);

/** What every answer has, refusals included: the names of its request, and the coding that its client takes. */
export const finishAnswer = (): FhirMiddleware => {
  const finish = ({ event, response }: Parameters<NonNullable<FhirMiddleware['after']>>[0]) => {
    if (!response) return;
    response.headers = { ...response.headers, ...requestNames(event) };
    compress(response, wantedCodings(headerOf(event, 'accept-encoding')));
  };
  return { after: finish, onError: finish };
};

/** The id under which the log has the request, and the one that its sender gave it. https://hl7.org/fhir/R4/http.html#custom */
const requestNames = (event: FhirEvent): Record<string, string> => {
  const given = headerOf(event, 'x-request-id');
  return {
    'X-Request-Id': event.requestContext.requestId,
    ...(given !== undefined && /^[!-~]{1,200}$/.test(given) ? { 'X-Correlation-Id': given } : {}),
  };
};

const compress = (response: APIGatewayProxyResult, [first, second]: ReturnType<typeof wantedCodings>): void => {
  const { body, headers, isBase64Encoded } = response;
  if (first !== 'gzip' || body === '' || !isText(String(headers?.['Content-Type']))) return;
  if (body.length < worthCompressing && second === 'identity') return;
  response.body = gzipSync(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'), { level }).toString('base64');
  response.isBase64Encoded = true;
  response.headers = { ...headers, 'Content-Encoding': 'gzip' };
};
