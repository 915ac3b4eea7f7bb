import type { StoredRecord } from '../../store/rows.ts';
import { threadOf } from '../../work/threads.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { messagesIn, pageOf, requireInput } from './message-page.ts';

/**
 * `GET Communication/{id}/$thread`: the messages of the thread to which a message belongs, as far as the caller may see them, the oldest first; which of them is asked makes no
 * difference. One read, then one Query for each megabyte of the chart's messages; a row of the log for each chart that is shown.
 *
 * @throws RecordError `not-found` or `deleted`, as a read of the message; `too-costly` for a chart with more messages than can be read.
 */
export const thread: Interaction = async (context, { id }): Promise<Answer> => {
  requireTypeAccess(context, 's');
  requireInput(context);
  const { audit, sharing, store } = context;
  const name = `Communication/${id}`;
  const query = `${name}/$thread`;
  const address = await locate(context, 'Communication', id);
  if (!address) throw notFound(context);
  const { messages } = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query },
    async () => {
      const message = await store.whole.read(address);
      await sharing.lookUp([message ?? address]);
      const mayGoOn = message?.resource !== undefined && mayAccess(context, 'r', message);
      return { message, messages: mayGoOn ? await messagesWith(context, message) : [] };
    },
    ({ message }) => void requireReadable(context, message),
  );
  return pageOf(context, messages, { query, traced: name });
};

/** All messages of a thread. Where they are about nobody, each is a collection of its own that mentions the one that began it. */
const messagesWith = async (context: RequestContext, { id, resource, chart, place }: StoredRecord) => {
  const { baseUrl } = context.request;
  const begun = (resource && threadOf(resource, baseUrl)) ?? `Communication/${id}`;
  const isPart = (record: StoredRecord): boolean =>
    `Communication/${record.id}` === begun ||
    (record.resource !== undefined && threadOf(record.resource, baseUrl) === begun);
  if (place !== '') return messagesIn(context, chart, { isPart });
  const first = await locate(context, 'Communication', begun.slice('Communication/'.length));
  return messagesIn(context, first?.chart ?? chart, { isPart, mentions: true });
};
