import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { smartConfiguration } from '../access/smart-configuration.ts';
import { RecordError } from '../errors.ts';
import { capabilityStatement } from '../fhir/capability-statement.ts';
import { terminologyCapabilities } from '../fhir/terminology-capabilities.ts';
import { servedInput } from '../interactions/terms/asked.ts';
import { expandInput } from '../interactions/terms/expand.ts';
import { recordTypes } from '../record-types/index.ts';
import { otherRecordTypes } from '../record-types/other.ts';
import type { FhirEvent } from './fhir-event.ts';
import type { FhirRequest } from './fhir-request.ts';
import { toProxyResult } from './fhir-response.ts';
import { logRequest, parseRequest, renderErrors } from './middleware.ts';
import { ownRoutes } from './own-routes/index.ts';

/** Serves what needs no token. https://hl7.org/fhir/R4/http.html#capabilities */
export const serveMetadata = () =>
  middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(renderErrors())
    .use(parseRequest())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      if (request.method !== 'GET') {
        throw new RecordError('method-not-allowed', 'This is only to be read', { headers: { Allow: 'GET, HEAD' } });
      }
      const options = { pretty: request.pretty, head: event.httpMethod === 'HEAD' };
      if (request.path.at(-1) === 'smart-configuration') {
        const result = toProxyResult({ statusCode: 200 }, options);
        return {
          ...result,
          headers: { ...result.headers, 'Content-Type': 'application/json' },
          body: JSON.stringify(smartConfiguration(process.env)),
        };
      }
      return toProxyResult({ statusCode: 200, resource: await capabilities(request) }, options);
    });

/** @throws RecordError `invalid` for a mode that R4 does not have. */
const capabilities = async ({ query, baseUrl }: FhirRequest) => {
  switch (query.find(([name]) => name === 'mode')?.[1]) {
    case 'terminology': {
      const { codeSystems } = await import('../fhir/generated/terminology.data.ts');
      return terminologyCapabilities(codeSystems, servedInput(expandInput), baseUrl);
    }
    case 'full':
    case 'normative':
    case undefined:
      return capabilityStatement([...recordTypes, ...otherRecordTypes], ownRoutes, baseUrl);
  }
  throw new RecordError('invalid', 'The mode is full, normative or terminology', { expression: 'mode' });
};
