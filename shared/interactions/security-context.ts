import type { RecordFacts } from '../access/question.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Addressed, RequestContext } from './context.ts';
import { locate } from './locate.ts';

/** The record whose access rights a Binary shares; `not-understood` if the server does not know of which record it is to share them. */
export type SecurityContext = { readonly type: string; readonly id: string } | 'not-understood';

/** What a resource, or a version of a record, is under; undefined for what has no security context. */
export const securityContextOf = (
  { request }: Addressed,
  resource: Resource | undefined,
): SecurityContext | undefined => {
  if (resource?.resourceType !== 'Binary') return undefined;
  const { securityContext } = resource as unknown as fhir4.Binary;
  if (!securityContext) return undefined;
  const { reference } = securityContext;
  const named = typeof reference === 'string' ? parseReference(reference, request.baseUrl) : undefined;
  // A Binary says nothing of rights but whose it shares: they would have to be followed from one to the next.
  return named?.kind === 'record' && named.type !== 'Binary' ? named : 'not-understood';
};

/** Charts besides their homes that records are in by their security contexts. Those under an id that a client chose are looked up. */
export const chartsBesides = async (
  context: Pick<RequestContext, 'known' | 'store'> & Addressed,
  records: readonly StoredRecord[],
): Promise<string[]> => {
  const named = new Map<string, { readonly type: string; readonly id: string }>();
  for (const { resource } of records) {
    const under = securityContextOf(context, resource);
    if (under && under !== 'not-understood') named.set(`${under.type}/${under.id}`, under);
  }
  const homes = new Set(records.map(({ chart }) => chart));
  const addresses = await Promise.all([...named.values()].map(({ type, id }) => locate(context, type, id)));
  const charts = addresses.flatMap((address) => (address && !homes.has(address.chart) ? [address.chart] : []));
  return [...new Set(charts)];
};

/**
 * What a decision needs to know of a record. A Binary with a security context is under the rights of that record, too, and belongs to the
 * chart that it is in. Whoever wrote the reference could refer to that record, so both have one custodian. Under a context that is not understood it
 * belongs to no patient's chart.
 *
 * @see https://hl7.org/fhir/R4/binary-definitions.html#Binary.securityContext
 */
export const factsOfRecord = (
  context: Pick<RequestContext, 'asking' | 'store'> & Addressed,
  record: StoredRecord,
): RecordFacts => {
  const { asking, store } = context;
  const named = securityContextOf(context, record.resource);
  if (!named) return record;
  if (named === 'not-understood') return { ...record, under: named };
  const { type, id } = named;
  // The chart is in an id of ours. Under an id that a client chose the patient is known by name, and other records are not the patient's.
  const own = type === 'Patient' && id === asking.caller.patient;
  const chart = (own ? asking.chart : store.ids.decode(id)?.chart) ?? record.chart;
  return { ...record, chart, under: factsOfType(type) };
};
