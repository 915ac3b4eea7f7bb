import type { StoredRecord } from '../store/rows.ts';
import { presented } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { mayAccess, notFound, requireTypeAccess } from './require-access.ts';
import { askedPage, countOf, entriesOf, fitting, nextLink, requireOnly, selfLink } from './searchset.ts';

const usualPage = 50;
const largestPage = 200;

/**
 * History of one record, `GET /{type}/{id}/_history`, newest first, deletions included.
 * https://hl7.org/fhir/R4/http.html#history
 */
export const historyOfRecord: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  requireOnly(context, ['_count']);
  const { recordType, store, audit, request } = context;
  const asked = askedPage(context);
  const counted = asked?.query ?? request.query.filter(([name]) => name === '_count');
  const limit = Math.max(countOf(counted, usualPage, largestPage), 1);
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const before = typeof asked?.position === 'number' ? asked.position : undefined;
  const page = await audit.traced(
    { interaction: 'history-instance', chart: address.chart, what: [`${recordType.name}/${id}`] },
    () => store.history(address, { limit, ...(before === undefined ? {} : { before }) }),
    ({ items }) => {
      if (items[0] ? !mayAccess(context, 'r', items[0]) : before === undefined) throw notFound(context);
    },
  );
  const shown = fitting(page.items);
  const next = shown.length < page.items.length ? shown.at(-1)?.version : page.next;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    ...(before === undefined && page.items[0] ? { total: page.items[0].version } : {}),
    link: [
      selfLink(context, counted),
      ...(next === undefined ? [] : [nextLink(context, { query: counted, position: Number(next) })]),
    ],
    ...entriesOf(shown.map((version) => historyEntry(context, version))),
  };
  return { statusCode: 200, resource: bundle };
};

const historyEntry = ({ request, recordType, store }: RequestContext, record: StoredRecord): fhir4.BundleEntry => {
  const deleted = record.resource === undefined;
  const created = record.version === 1 && store.ids.decode(record.id) !== undefined; // an id of the client's came by PUT
  const method = deleted ? 'DELETE' : created ? 'POST' : 'PUT';
  const url = method === 'POST' ? recordType.name : `${recordType.name}/${record.id}`;
  return {
    fullUrl: `${request.baseUrl}/${recordType.name}/${record.id}`,
    ...(deleted ? {} : { resource: presented(record) as unknown as fhir4.FhirResource }),
    request: { method, url },
    response: {
      status: deleted ? '204' : record.version === 1 ? '201' : '200',
      etag: `W/"${record.version}"`,
      lastModified: new Date(record.updated).toISOString(),
    },
  };
};
