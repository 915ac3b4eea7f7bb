import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { smartConfiguration } from '../access/smart-configuration.ts';
import { RecordError } from '../errors.ts';
import { capabilities } from '../interactions/capabilities.ts';
import { recordTypes } from '../record-types/index.ts';
import { otherRecordTypes } from '../record-types/other.ts';
import type { FhirEvent } from './fhir-event.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { logRequest, parseRequest, renderErrors } from './middleware.ts';
import { ownRoutes } from './own-routes/index.ts';
import { systemRoutesOf } from './system-routes.ts';

const types = [...recordTypes, ...otherRecordTypes];
const described = {
  recordTypes: types,
  ownRoutes,
  systemInteractions: systemRoutesOf(types, ownRoutes).map(({ name }) => name),
};

/** Serves what needs no token. https://hl7.org/fhir/R4/http.html#capabilities */
export const serveMetadata = () =>
  middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(parseRequest())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      if (request.method !== 'GET') {
        throw new RecordError('method-not-allowed', 'This is only to be read', { headers: { Allow: 'GET, HEAD' } });
      }
      if (request.path.at(-1) === 'smart-configuration') {
        const result = toProxyResult({ statusCode: 200 }, request);
        return {
          ...result,
          headers: { ...result.headers, 'Content-Type': 'application/json' },
          body: JSON.stringify(smartConfiguration(process.env)),
        };
      }
      return toProxyResult(await capabilities(described, request), request);
    });
