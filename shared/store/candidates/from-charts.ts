import { RecordError } from '../../errors.ts';
import type { LinkedChart } from '../chart-links.ts';
import { type LinkedPage, linkedPage } from '../linked-page.ts';
import type { QueryOptions } from '../record-store.ts';
import type { StoredRecord } from '../rows.ts';
import type { Candidate, Plan, Position } from './plan.ts';
import { type Reader, readAhead, spendFetches } from './reader.ts';

/** Charts that links have added to those that a search names; a `next` link tells of them, and has to fit a URL. */
const mostAdded = 50;

/** A chart that a link has added, and the named chart that it was added to. */
interface Added extends LinkedChart {
  readonly to: string;
}

const noteOf = ({ to, chart, patient }: Added): string => `${to} ${chart} ${patient}`;
const addedBy = (note: string | number): Added => {
  const [to = '', chart = '', patient = ''] = String(note).split(' ');
  return { to, chart, patient };
};

/** In the order of their keys, so that a page finds its place again where others are among them meanwhile. */
export async function* fromCharts(
  reader: Reader,
  { charts: unsorted, mentions, between, chartsOf }: Extract<Plan, { kind: 'charts' }>,
  from?: Position,
): AsyncGenerator<Candidate> {
  const charts = unsorted.toSorted();
  const [at = '', keyAfter = '', ...notes] = from ?? [];
  const added = notes.map(addedBy);
  reader.onLinked?.(added);
  // Behind a chart that is done, no key is left to begin at.
  const rest = charts.filter((chart) => chart > String(at) || (chart === at && keyAfter !== ''));
  const begun = (chart: string): Begun => ({
    after: chart === at ? String(keyAfter) : undefined,
    known: chart === at ? added.filter(({ to }) => to === chart) : undefined,
    mentions,
    between,
  });
  for await (const [chart, first] of readAhead(reader, rest, (each) => firstOf(reader, each, begun(each)))) {
    const seen = [
      ...charts.slice(0, charts.indexOf(chart)),
      ...added.filter(({ to }) => to < chart).map((each) => each.chart),
    ];
    if (seen.includes(chart)) continue;
    const position = (key: string): Position => [chart, key, ...added.map(noteOf)];
    const join = (linked: readonly LinkedChart[]) => {
      added.push(...linked.map((each) => ({ ...each, to: chart })));
      if (added.length > mostAdded) throw new RecordError('too-costly', 'Too many linked charts; name fewer patients');
      reader.onLinked?.(linked);
    };
    let entered = false;
    for await (const { record, key } of ofChart(reader, chart, begun(chart), first, join)) {
      const may: boolean | undefined =
        record?.chart === chart && !entered ? await reader.mayEnter?.(record) : undefined;
      if (may === false) break;
      entered ||= may === true;
      // A record of several of these patients stands in each of their charts, and is shown in the first of them.
      const again = record && seen.length > 0 && (await chartsOf(record, mentions)).some((each) => seen.includes(each));
      yield { record: again ? undefined : record, position: position(key) };
    }
    yield { record: undefined, position: position('') };
  }
}

/** Where to begin in a chart, and what of it is wanted. */
export interface Begun extends Pick<QueryOptions, 'after' | 'pointers' | 'mentions' | 'between'> {
  /** The linked charts; asked for if absent. */
  readonly known: readonly LinkedChart[] | undefined;
}

/** A first call to a chart. */
export const firstOf = (reader: Reader, chart: string, { known, ...which }: Begun): Promise<LinkedPage> => {
  const { after, mentions, between } = which;
  const ahead = after === undefined && mentions && !between ? reader.ahead?.(chart) : undefined;
  return (
    ahead ??
    linkedPage(
      reader.store,
      chart,
      typeWithin(reader),
      { limit: reader.rowLimit, byDate: reader.onDisorder !== undefined && which.after === undefined, ...which },
      known,
    )
  );
};

/** The type whose rows of a chart are read; undefined for all. */
const typeWithin = ({ types, recordType }: Reader): string | undefined =>
  types.length === 1 ? recordType.name : undefined;

/**
 * Records of a chart and of those linked with it.
 *
 * @param first - what `firstOf` has read.
 * @param join - told of linked charts that were not known.
 */
export async function* ofChart(
  reader: Reader,
  chart: string,
  { known, ...which }: Begun,
  first: LinkedPage,
  join?: (linked: readonly LinkedChart[]) => void,
): AsyncGenerator<{ record: StoredRecord | undefined; key: string }> {
  let page = first;
  let limit = reader.rowLimit;
  if (!known && page.linked.length > 0) join?.(page.linked);
  if (!page.byDate) reader.onDisorder?.();
  for (;;) {
    reader.spend();
    page.linked.forEach(reader.spend);
    spendFetches(reader.spend, page);
    yield* page.items;
    const after = page.next;
    if (after === undefined) return;
    yield { record: undefined, key: after };
    // Rows of deleted and moved records count too, and of what ends before a date: where there are many of them, the next calls read more.
    limit = which.between ? undefined : limit && 2 * limit;
    page = await linkedPage(reader.store, chart, typeWithin(reader), { ...which, after, limit }, page.linked);
  }
}
