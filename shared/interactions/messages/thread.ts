import { forSupport } from '../../access/support-view.ts';
import { dateInterval } from '../../search/date-range.ts';
import { timeOfPlace } from '../../store/ids.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { threadOf } from '../../work/threads.ts';
import { rankAt } from '../../work/worklists.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { byChart } from '../save.ts';
import { callsPerPage, tooCostly } from '../search/run.ts';
import { askedPage, coverage, entriesOf, entryOf, fitting, nextLink, selfLink } from '../searchset.ts';
import { threadInput } from './input.ts';

const usualPage = 50;
const largestPage = 200;

/** A message of a thread, and where it stands there: a text, in the order of time. */
interface Sent {
  readonly record: StoredRecord;
  readonly rank: string;
}

/**
 * `GET Communication/{id}/$thread`: the messages of the thread to which a message belongs, as far as the caller may see them, the oldest first; which of them is asked makes no
 * difference. One read, then one Query for each megabyte of the chart's messages; a row of the log for each chart that is shown.
 *
 * @throws RecordError `not-found` or `deleted`, as a read of the message; `too-costly` for a chart with more messages than can be read.
 */
export const thread: Interaction = async (context, { id }): Promise<Answer> => {
  requireTypeAccess(context, 's');
  const asked = askedPage(context);
  const { _count = usualPage } = readInput(context, threadInput, asked?.query);
  const count = Math.min(Math.max(_count, 1), largestPage);
  const { audit, sharing, store, view } = context;
  const name = `Communication/${id}`;
  const query = `${name}/$thread`;
  const address = await locate(context, 'Communication', id);
  if (!address) throw notFound(context);
  const access = { interaction: 'operation', chart: address.chart, what: [name], query } as const;
  const { message, messages } = await audit.traced(
    access,
    async () => {
      const read = await store.whole.read(address);
      await sharing.lookUp([read ?? address]);
      const mayGoOn = read?.resource !== undefined && mayAccess(context, 'r', read);
      return { message: read, messages: mayGoOn ? await messagesOf(context, read) : [] };
    },
    (found) => void requireReadable(context, found.message),
  );
  const after = typeof asked?.position === 'string' ? asked.position : '';
  const rest = messages.filter(({ record, rank }) => rank > after && mayAccess(context, 's', record));
  const page = fitting(rest.slice(0, count).map(({ record }) => shownOf(context, record)));
  const last = rest[page.length - 1];
  const others = page.filter((record) => record.id !== message?.id);
  await audit.record(
    byChart(
      others.map(({ chart, id: other }) => ({ interaction: 'operation', chart, what: [`Communication/${other}`] })),
    ).map((each) => ({ ...each, query })),
  );
  await view.prepare(page);
  const asQuery = asked?.query ?? context.request.query;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    meta: coverage,
    link: [
      selfLink(context, asQuery),
      ...(last && rest.length > page.length ? [nextLink(context, { query: asQuery, position: last.rank })] : []),
    ],
    ...entriesOf(page.map((record) => entryOf(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

/** All messages of a thread, the oldest first. Where they are about nobody, each is a collection of its own that mentions the one that began it. */
const messagesOf = async (context: RequestContext, { id, resource, chart, place }: StoredRecord): Promise<Sent[]> => {
  const { sharing, store, request } = context;
  const own = `Communication/${id}`;
  const begun = (resource && threadOf(resource, request.baseUrl)) ?? own;
  const isPart = (record: StoredRecord): boolean =>
    `Communication/${record.id}` === begun ||
    (record.resource !== undefined && threadOf(record.resource, request.baseUrl) === begun);
  const home =
    place === '' ? (await locate(context, 'Communication', begun.slice('Communication/'.length)))?.chart : chart;
  const found: Sent[] = [];
  let page: Awaited<ReturnType<typeof linkedPage>> | undefined;
  let calls = 0;
  do {
    if (++calls > callsPerPage) throw tooCostly('Communication');
    const options = { order: 'newest-first', after: page?.next, mentions: place === '' } as const;
    page = await linkedPage(store.whole, home ?? chart, 'Communication', options, page?.linked);
    const parts = page.items.filter(({ record }) => isPart(record));
    await sharing.lookUp(parts.map(({ record }) => record));
    found.push(...parts.map(({ record }) => ({ record, rank: rankOf(record) })));
  } while (page.next !== undefined);
  return found.sort((one, other) => (one.rank < other.rank ? -1 : 1));
};

/** By when it was sent; where nobody has said, by when it was written first, as far as that is known. */
const rankOf = ({ id, resource, place, updated }: StoredRecord): string => {
  const { sent = '' } = (resource ?? {}) as Partial<fhir4.Communication>;
  return `${rankAt(dateInterval(sent)?.start ?? (place === '' ? updated : timeOfPlace(place)))}#${id}`;
};

/** Support staff are shown a part. */
const shownOf = ({ asking, store }: RequestContext, record: StoredRecord): StoredRecord =>
  store.isReduced && record.resource
    ? { ...record, resource: forSupport(record.resource, asking.caller.fhirUser) }
    : record;
