import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { batch } from '../interactions/bundles/batch.ts';
import type { BundleContext } from '../interactions/bundles/entry.ts';
import { transaction } from '../interactions/bundles/transaction.ts';
import { searchSystem } from '../interactions/search/system.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { FhirEvent } from './fhir-event.ts';
import { toProxyResult } from './fhir-response.ts';
import { logRequest, parseRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type OwnRoutes, routerOf } from './routes.ts';
import { contextFor } from './serve-records.ts';
import { type Services, servicesFromEnvironment } from './services.ts';

/** More than any chart seen; what is larger is split by its sender or imported in parts. */
const mostEntries = 5_000;

/**
 * Serves what concerns the whole system: `POST /fhir` takes batches and transactions, `GET /fhir?…` and `POST /fhir/_search` search across
 * types. https://hl7.org/fhir/R4/http.html#transaction
 */
export const serveSystem = (
  recordTypes: readonly RecordType[],
  ownRoutes: OwnRoutes,
  services: () => Services = servicesFromEnvironment,
) => {
  const routeFor = routerOf(ownRoutes);
  const byName = new Map(recordTypes.map((type) => [type.name, type]));
  return middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(renderErrors())
    .use(verifyAccessToken(services))
    .use(parseRequest())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      const formed = request.path[0] === '_search';
      requireMethod(request.method, formed ? ['POST'] : ['GET', 'POST']);
      if (formed || request.method === 'GET') {
        event.interaction = 'search-system';
        const found = await searchSystem(await contextFor(event, services()));
        return toProxyResult(found, { pretty: request.pretty, head: event.httpMethod === 'HEAD' });
      }
      const { type, entries } = bundleIn(request.body);
      event.interaction = type;
      const context: BundleContext = {
        ...(await contextFor(event, services())),
        typeNamed: async (name) => byName.get(name),
        routeFor,
      };
      const answer = await (type === 'batch' ? batch : transaction)(context, entries, event.requestContext.requestId);
      return toProxyResult({ statusCode: 200, resource: answer }, { pretty: request.pretty });
    });
};

const requireMethod = (method: string, allowed: readonly string[]): void => {
  if (allowed.includes(method)) return;
  const names = allowed.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  throw new RecordError('method-not-allowed', 'The base takes bundles and searches', {
    headers: { Allow: names.join(', ') },
  });
};

const bundleIn = (body: unknown): { type: 'batch' | 'transaction'; entries: readonly unknown[] } => {
  const {
    resourceType,
    type,
    entry = [],
  } = (body ?? {}) as { resourceType?: unknown; type?: unknown; entry?: unknown };
  if (resourceType !== 'Bundle')
    throw new RecordError('malformed', 'The base takes a Bundle', { expression: 'resourceType' });
  if (type !== 'batch' && type !== 'transaction') {
    throw new RecordError('invalid', 'A bundle sent here is a batch or a transaction', { expression: 'Bundle.type' });
  }
  if (!Array.isArray(entry)) throw new RecordError('invalid', 'Entries are a list', { expression: 'Bundle.entry' });
  if (entry.length > mostEntries) {
    throw new RecordError('too-large', `A bundle may have ${mostEntries} entries`, { expression: 'Bundle.entry' });
  }
  return { type, entries: entry };
};
