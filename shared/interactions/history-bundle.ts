import { RecordError } from '../errors.ts';
import { dateInterval, type Interval } from '../search/date-range.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import type { Addressed, RequestContext } from './context.ts';
import { countOf } from './searchset.ts';

/** Versions a page, unless another number is asked for. */
export const usualPage = 50;
const largestPage = 200;

/** What a history can be asked. https://hl7.org/fhir/R4/http.html#history */
export const asks = ['_count', '_since', '_at'];

type Query = readonly (readonly [string, string])[];

/** Versions a page: at least one. */
export const pageSizeOf = (query: Query): number => Math.max(countOf(query, usualPage, largestPage), 1);

/** A time whose versions are asked for. */
export interface TimeAsked extends Interval {
  /** Whether what was current as it began belongs to it, though it was written before. */
  readonly current: boolean;
}

/**
 * Reads `_since` or `_at`.
 *
 * @throws RecordError `invalid`.
 */
export const timeAsked = (query: Query): TimeAsked | undefined => {
  const [since, at] = ['_since', '_at'].map((name) => {
    const text = query.find(([given]) => given === name)?.[1];
    // An unescaped plus in a query is a space by the time it arrives.
    const interval = text === undefined ? undefined : dateInterval(text.replace(' ', '+'));
    if (text !== undefined && !interval)
      throw new RecordError('invalid', `${name} is a date or a time`, { expression: name });
    return interval;
  });
  if (since && at) throw new RecordError('invalid', '_since and _at are not served together', { expression: '_at' });
  if (at) return { ...at, current: true };
  return since && { start: since.start, end: Number.POSITIVE_INFINITY, current: false };
};

/** How a version came about, and what it says. https://hl7.org/fhir/R4/http.html#history */
export const historyEntry = (
  context: Pick<RequestContext, 'store' | 'view'> & Addressed,
  record: StoredRecord,
): fhir4.BundleEntry => {
  const { fullUrl, ...entry } = versionEntry(context, record);
  const resource = presented(context.view.of(record)) as unknown as fhir4.FhirResource;
  return { ...(fullUrl === undefined ? {} : { fullUrl }), ...(record.resource ? { resource } : {}), ...entry };
};

/** How a version came about, and nothing of what it says. */
export const versionEntry = (
  { request, store }: Pick<RequestContext, 'store'> & Addressed,
  record: StoredRecord,
): fhir4.BundleEntry => {
  const deleted = record.resource === undefined;
  const created = record.version === 1 && store.ids.decode(record.id) !== undefined; // an id of the client's came by PUT
  const method = deleted ? 'DELETE' : created ? 'POST' : 'PUT';
  const name = `${record.type}/${record.id}`;
  return {
    fullUrl: `${request.baseUrl}/${name}`,
    request: { method, url: created ? record.type : name },
    response: {
      status: deleted ? '204' : record.version === 1 ? '201' : '200',
      etag: `W/"${record.version}"`,
      lastModified: new Date(record.updated).toISOString(),
    },
  };
};

/** https://hl7.org/fhir/R4/extension-data-absent-reason.html */
const absentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/**
 * Says up to when nothing is missing, or that this is not known. A history has no entries but versions, so there is no other place for it.
 *
 * @param complete - milliseconds since 1970; null where it is not known.
 */
export const completeness = (complete: number | null): fhir4.Meta =>
  complete === null
    ? { _lastUpdated: { extension: [{ url: absentReason, valueCode: 'unknown' }] } }
    : { lastUpdated: new Date(complete).toISOString() };
