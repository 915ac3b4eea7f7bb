import { RecordError } from '../errors.ts';
import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { openPage, type PagePosition, sealPage } from '../http/page-token.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/** What links of a bundle depend on. */
type PageContext = Omit<RequestContext, 'recordType'>;

/** A Lambda may answer with 6 MB; a page of a bundle stays well below, whatever its resources weigh. */
export const largestPageBytes = 4_500_000;

/** Name of the parameter that carries a sealed position. */
export const pageParameter = '_page';

/** Path of this request, as its links name it. */
export const pathOf = ({ request }: PageContext): string =>
  request.path.filter((segment) => segment !== '_search').join('/');

/** Without a slash where the path is empty: that is the base. */
const addressOf = (context: PageContext): string =>
  [context.request.baseUrl, pathOf(context)].filter((part) => part !== '').join('/');

/**
 * The position that this request asks to go on from, if it follows a `next` link. Some clients add a `_count` to every link that has none, so
 * it may stand beside the page and says how long that one is. All else is refused: it would be dropped.
 */
export const askedPage = (context: PageContext): PagePosition | undefined => {
  const token = context.request.query.find(([name]) => name === pageParameter)?.[1];
  if (token === undefined) return undefined;
  requireOnly(context, ['_count'], 'A page link goes with _count and with nothing else; leave this parameter out');
  const { store, asking, now } = context;
  const page = openPage(store.keys.pages, token, { path: pathOf(context), subject: asking.caller.subject, now });
  const counts = context.request.query.filter(([name]) => name === '_count');
  if (counts.length === 0) return page;
  return { ...page, query: [...page.query.filter(([name]) => name !== '_count'), ...counts] };
};

/** Parameters that every request may have. */
const formatParameters = ['_format', '_pretty', pageParameter];

/**
 * Requires that a request has no parameters but these: one that was ignored would answer with more than was asked for.
 *
 * @throws RecordError `invalid` naming the first other one.
 */
export const requireOnly = (
  { request }: PageContext,
  served: readonly string[],
  message = 'This parameter is not served here',
): void => {
  const other = request.query.find(([name]) => !served.includes(name) && !formatParameters.includes(name));
  if (other)
    throw new RecordError('invalid', message, {
      reason: 'not-supported',
      expression: other[0],
    });
};

/** Letters of a link that the gateway takes, with 2 KB of headers beside it. */
const longestLink = 8_000;

/**
 * The link to what follows. It repeats a `_count` that was asked for: a client that adds its own where there is none then keeps to it.
 * https://hl7.org/fhir/R4/http.html#paging
 *
 * @throws RecordError `too-costly` if the query is so long that nobody could follow the link, naming its longest parameter.
 */
export const nextLink = (context: PageContext, page: PagePosition): fhir4.BundleLink => {
  const { store, asking, now } = context;
  const token = sealPage(store.keys.pages, page, { path: pathOf(context), subject: asking.caller.subject, now });
  const count = page.query.find(([name]) => name === '_count')?.[1];
  const asked = count === undefined ? '' : `_count=${encodeURIComponent(count)}&`;
  const url = `${addressOf(context)}?${asked}${pageParameter}=${token}`;
  if (url.length > longestLink) {
    const [longest] = [...page.query].sort(([, a], [, b]) => b.length - a.length);
    throw new RecordError(
      'too-costly',
      'What is found takes several pages, and the search is too long to be repeated in the link to the next one; name fewer values, or ask for larger pages',
      { reason: 'search-too-long', expression: longest?.[0] ?? pageParameter },
    );
  }
  return { relation: 'next', url };
};

/** The link that says what was asked, as it was understood. */
export const selfLink = (context: PageContext, query: readonly (readonly [string, string])[]): fhir4.BundleLink => {
  const text = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return { relation: 'self', url: `${addressOf(context)}${text === '' ? '' : `?${text}`}` };
};

/** An entry of a searchset. */
export const entryOf = (
  context: Pick<RequestContext, 'request' | 'view'>,
  record: StoredRecord,
  mode: 'match' | 'include' = 'match',
): fhir4.BundleEntry => ({
  fullUrl: `${context.request.baseUrl}/${record.type}/${record.id}`,
  resource: presented(context.view.of(record)) as unknown as fhir4.FhirResource,
  search: { mode },
});

/** Bytes that a resource adds to a bundle, close enough to keep a page within its limit. */
export const weightOf = (resource: Resource | object): number => Buffer.byteLength(stringifyJson(resource)) + 200;

/** The first of these records, as many as an answer can hold, at least one. */
export const fitting = (records: readonly StoredRecord[]): readonly StoredRecord[] => {
  let bytes = 0;
  const end = records.findIndex(({ resource }) => {
    bytes += weightOf(resource ?? {});
    return bytes > largestPageBytes;
  });
  return end < 0 ? records : records.slice(0, Math.max(end, 1));
};

/** Says of a list that it covers what its reader may see: there may be more. */
export const coverage: fhir4.Meta = {
  tag: [
    {
      system: 'https://concord.example/fhir/CodeSystem/coverage',
      code: 'as-far-as-visible',
      display: 'Covers what its reader may see',
    },
  ],
};

/** Entries of a bundle; FHIR's JSON knows no empty arrays. https://hl7.org/fhir/R4/json.html */
export const entriesOf = (entries: readonly fhir4.BundleEntry[]): { entry?: fhir4.BundleEntry[] } =>
  entries.length === 0 ? {} : { entry: [...entries] };

/**
 * Reads `_count` of a request, or of the one whose `next` link it follows.
 *
 * @throws RecordError `invalid` unless it is a whole number; more than `most` is cut down, as FHIR allows.
 */
export const countOf = (query: PagePosition['query'], usual: number, most: number): number => {
  const text = query.find(([name]) => name === '_count')?.[1];
  if (text === undefined) return usual;
  if (!/^\d{1,9}$/.test(text)) throw new RecordError('invalid', '_count is a whole number', { expression: '_count' });
  return Math.min(Number(text), most);
};
