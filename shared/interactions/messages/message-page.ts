import { dateInterval } from '../../search/date-range.ts';
import { timeOfPlace } from '../../store/ids.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rankAt } from '../../work/worklists.ts';
import type { Answer, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess } from '../require-access.ts';
import { byChart } from '../save.ts';
import { callsPerPage, tooCostly } from '../search/run.ts';
import { askedPage, coverage, entriesOf, entryOf, fitting, nextLink, selfLink } from '../searchset.ts';
import { messagesInput } from './input.ts';
import { shownOf } from './shown-of.ts';

const usualPage = 50;
const largestPage = 200;

/** A message, and where it stands among others: a text, in the order of time. */
interface Sent {
  readonly record: StoredRecord;
  readonly rank: string;
}

/**
 * The messages of a chart that are asked for, and of those linked with it, the oldest first. One Query for each megabyte of its messages.
 *
 * @param mentions - true also looks at what belongs elsewhere and refers to records of the chart.
 * @throws RecordError `too-costly` for a chart with more messages than can be read.
 */
export const messagesIn = async (
  { sharing, store }: RequestContext,
  chart: string,
  { isPart, mentions = false }: { readonly isPart: (record: StoredRecord) => boolean; readonly mentions?: boolean },
): Promise<readonly Sent[]> => {
  const found: Sent[] = [];
  let page: Awaited<ReturnType<typeof linkedPage>> | undefined;
  let calls = 0;
  do {
    if (++calls > callsPerPage) throw tooCostly('Communication');
    const options = { order: 'newest-first', after: page?.next, mentions } as const;
    page = await linkedPage(store.whole, chart, 'Communication', options, page?.linked);
    const parts = page.items.flatMap(({ record }) => (isPart(record) ? [record] : []));
    await sharing.lookUp(parts);
    found.push(...parts.map((record) => ({ record, rank: rankOf(record) })));
  } while (page.next !== undefined);
  return found.sort((one, other) => (one.rank < other.rank ? -1 : 1));
};

/** By when it was sent; where nobody has said, by when it was written first, as far as that is known. */
const rankOf = ({ id, resource, place, updated }: StoredRecord): string => {
  const { sent = '' } = (resource ?? {}) as Partial<fhir4.Communication>;
  return `${rankAt(dateInterval(sent)?.start ?? (place === '' ? updated : timeOfPlace(place)))}#${id}`;
};

/**
 * The page of messages that is asked for, as far as the caller may see them. What is shown leaves its trace before it leaves.
 *
 * @param query - path of the operation, for the log.
 * @param traced - `Communication/id` of what left its trace already.
 * @param chart - whose log tells of a page on which nothing else is.
 */
export const pageOf = async (
  context: RequestContext,
  messages: readonly Sent[],
  { query, traced, chart: asked }: { readonly query: string; readonly traced?: string; readonly chart?: string },
): Promise<Answer> => {
  const { audit, request, view } = context;
  const goingOn = askedPage(context);
  const { _count = usualPage } = readInput(context, messagesInput, goingOn?.query);
  const count = Math.min(Math.max(_count, 1), largestPage);
  const after = typeof goingOn?.position === 'string' ? goingOn.position : '';
  const rest = messages.filter(({ record, rank }) => rank > after && mayAccess(context, 's', record));
  const page = fitting(rest.slice(0, count).map(({ record }) => shownOf(context, record)));
  const last = rest[page.length - 1];
  const what = page.flatMap(({ chart, id }) => {
    const name = `Communication/${id}`;
    return name === traced ? [] : [{ interaction: 'operation' as const, chart, what: [name] }];
  });
  const nothing =
    asked === undefined || what.length > 0 ? [] : [{ interaction: 'operation' as const, chart: asked, what: [] }];
  await audit.record(byChart([...what, ...nothing]).map((access) => ({ ...access, query })));
  await view.prepare(page);
  const sent = goingOn?.query ?? request.query;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    meta: coverage,
    link: [
      selfLink(context, sent),
      ...(last && rest.length > page.length ? [nextLink(context, { query: sent, position: last.rank })] : []),
    ],
    ...entriesOf(page.map((record) => entryOf(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

/**
 * Requires what `pageOf` will read, before anything is read for it.
 *
 * @throws RecordError `invalid` naming the parameter.
 */
export const requireInput = (context: RequestContext): void =>
  void readInput(context, messagesInput, askedPage(context)?.query);
