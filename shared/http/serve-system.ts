import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { bundleSchema } from '../fhir/generated/schemas/Bundle.ts';
import { validateStructure } from '../fhir/validate.ts';
import { batch } from '../interactions/bundles/batch.ts';
import type { BundleContext } from '../interactions/bundles/entry.ts';
import { ReadingBudget } from '../interactions/bundles/reading-budget.ts';
import { transaction } from '../interactions/bundles/transaction.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { contextFor } from './context-for.ts';
import type { FhirEvent } from './fhir-event.ts';
import { toProxyResult } from './fhir-response.ts';
import { finishAnswer } from './finish-answer.ts';
import { logRequest, parseRequest, renderErrors, verifyAccessToken } from './middleware.ts';
import { type OwnRoutes, routerOf } from './routes.ts';
import { type Services, servicesFromEnvironment } from './services.ts';
import { systemRouterOf, systemRoutesOf } from './system-routes.ts';
import { refusalOfEntry, traceRefusals } from './trace-refusals.ts';

/** More than any chart seen; what is larger is split by its sender or imported in parts. */
const mostEntries = 5_000;

/**
 * Serves what concerns the whole system: `POST /fhir` takes batches and transactions, whatever else the system is asked has its route
 * (system-routes.ts). https://hl7.org/fhir/R4/http.html#transaction
 */
export const serveSystem = (
  recordTypes: readonly RecordType[],
  ownRoutes: OwnRoutes,
  services: () => Services = servicesFromEnvironment,
) => {
  const routeFor = routerOf(ownRoutes);
  const systemRouteFor = systemRouterOf(systemRoutesOf(recordTypes, ownRoutes));
  const byName = new Map(recordTypes.map((type) => [type.name, type]));
  return middy<FhirEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(finishAnswer())
    .use(renderErrors())
    .use(traceRefusals(services))
    .use(verifyAccessToken(services))
    .use(parseRequest())
    .handler(async (event: FhirEvent) => {
      const request = event.fhir;
      if (!request) throw new Error('The request was not parsed');
      if (request.method !== 'POST' || request.path.length > 0) {
        const route = systemRouteFor(request.method, request.path);
        if (!route)
          throw new RecordError('not-found', 'Nothing is offered under this path', { reason: 'no-such-path' });
        event.interaction = route.name;
        const answer = await route.interaction(await contextFor(event, services()));
        return toProxyResult(answer, request);
      }
      const { type, entries } = bundleIn(request.body);
      event.interaction = type;
      const asked = await contextFor(event, services());
      const budget = new ReadingBudget(asked.store);
      const context: BundleContext = {
        ...asked,
        store: budget.store,
        budget,
        typeNamed: (name) => byName.get(name),
        routeFor,
        systemRouteFor,
        onRefusal: (error, entry) => {
          const refusal = refusalOfEntry(entry, error);
          if (refusal) (event.refusals ??= []).push(refusal);
        },
      };
      const answer = await (type === 'batch' ? batch : transaction)(context, entries, event.requestContext.requestId);
      return toProxyResult({ statusCode: 200, resource: answer }, request);
    });
};

const bundleIn = (body: unknown): { type: 'batch' | 'transaction'; entries: readonly unknown[] } => {
  const {
    resourceType,
    type,
    entry = [],
    ...elements
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
  const details = validateStructure(bundleSchema, { resourceType, type, ...elements });
  if (details.length > 0)
    throw new RecordError('invalid', 'The Bundle breaks rules', { reason: 'validation', details });
  // https://hl7.org/fhir/R4/bundle.html#invs (bdl-1)
  if ('total' in elements)
    throw new RecordError('invalid', 'Only searches and histories have a total', { expression: 'Bundle.total' });
  return { type, entries: entry };
};
