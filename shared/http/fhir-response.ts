import type { APIGatewayProxyResult } from 'aws-lambda';
import { stringifyJson } from '../fhir/json.ts';
import type { Answer } from '../interactions/context.ts';

/** FHIR over API Gateway. Answers are never cached: the next request may be somebody else's. */
export const toProxyResult = (
  { statusCode, resource, headers }: Answer,
  options: { pretty: boolean; head?: boolean },
): APIGatewayProxyResult => {
  const body = resource === undefined || options.head ? '' : stringifyJson(resource, options.pretty ? 2 : undefined);
  return {
    statusCode,
    headers: {
      ...(resource === undefined ? {} : { 'Content-Type': 'application/fhir+json; charset=utf-8' }),
      'Cache-Control': 'no-store',
      ...headers,
    },
    body,
  };
};
