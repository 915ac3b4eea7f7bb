import type { AuditedInteraction } from '../audit/audit-row.ts';
import type { Refusal, Told } from '../audit/refusals.lazy.ts';
import { RecordError } from '../errors.ts';
import { log } from '../log.ts';
import type { FhirEvent } from './fhir-event.ts';
import type { FhirMiddleware } from './middleware.ts';
import type { Services } from './services.ts';

/** Whether the caller may not do this, whatever the record says. What is withheld from a patient has its trace from the look at the record. */
const isTraced = (error: unknown): error is RecordError =>
  error instanceof RecordError && error.kind === 'forbidden' && error.reason !== 'withheld';

const traced: readonly AuditedInteraction[] = [
  'create',
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-system',
];

const ofMethod: Readonly<Record<string, AuditedInteraction>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What a request asked for, by the name of its route or, where it has none, by its method. */
const askedBy = (method: string, path: readonly string[], name: string | undefined): Omit<Refusal, 'code' | 'type'> => {
  const operation = path.find((segment) => segment.startsWith('$'));
  const interaction = name === undefined ? ofMethod[method] : traced.find((each) => each === name);
  return operation === undefined
    ? { interaction: interaction ?? 'operation' }
    : { interaction: 'operation', operation };
};

/** What a refused request leaves; undefined for what leaves its trace elsewhere. */
const refusalOf = (
  { httpMethod, path, recordType, interaction }: FhirEvent,
  error: RecordError,
): Refusal | undefined =>
  isTraced(error)
    ? { code: error.reason, type: recordType, ...askedBy(httpMethod, path.split('/'), interaction) }
    : undefined;

/** The same of an entry of a batch. */
export const refusalOfEntry = (given: unknown, error: unknown): Refusal | undefined => {
  if (!isTraced(error)) return undefined;
  const { method, url } = ((given ?? {}) as fhir4.BundleEntry).request ?? { method: 'GET', url: '' };
  const path = (/^[^?#]*/.exec(url)?.[0] ?? '').split('/');
  const type = path.find((segment) => /^[A-Z][A-Za-z]+$/.test(segment));
  const name = method === 'GET' ? (path.at(-1) === type ? 'search-type' : 'read') : undefined;
  return { code: error.reason, type, ...askedBy(method, path, name) };
};

/**
 * Traces what was forbidden before the refusal is answered; where the trace cannot be written, the answer is a fault. Requests with no valid caller are
 * nobody's: they are counted.
 */
export const traceRefusals = (services: () => Services): FhirMiddleware => {
  const told: Told = { minute: 0, rows: new Set() };
  const trace = async ({ caller, requestContext }: FhirEvent, refusals: readonly Refusal[]): Promise<void> => {
    if (!caller || refusals.length === 0) return;
    const { store, now } = services();
    const lazy = await import('../audit/refusals.lazy.ts');
    await lazy.traceRefusals(await store(), caller, refusals, {
      now: now(),
      request: requestContext.requestId,
      told,
    });
  };
  return {
    after: ({ event }) => trace(event, event.refusals ?? []),
    onError: async (request) => {
      const { event, error } = request;
      if (!(error instanceof RecordError)) return;
      if (error.kind === 'unauthenticated') log.count('TokensRefused');
      const refusal = refusalOf(event, error);
      // What is thrown here would pass by what renders errors.
      await trace(event, refusal ? [refusal] : []).catch((failure: Error) => {
        request.error = failure;
      });
    },
  };
};
