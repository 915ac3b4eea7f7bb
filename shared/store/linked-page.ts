import { type LinkedChart, linkedWith } from './chart-links.ts';
import { chartPage, type Shown } from './chart-page.ts';
import type { Fetched, Page, QueryOptions, RecordStore } from './record-store.ts';

/** A page of a chart and of those linked with it. */
export interface LinkedPage extends Page<Shown>, Fetched {
  /** The charts that it is of, where they are several. */
  readonly linked: readonly LinkedChart[];
  /** Whether no sign was seen that the order of its keys is not that of the type's date. */
  readonly byDate: boolean;
}

/**
 * Reads a page of a chart, and of the charts linked with it as if they were one. Where there is no link it is `chartPage` and nothing
 * more. At the beginning of a linked chart it takes two calls more in sequence, to see the links and to read the other charts
 * at once; with what it has found, each following page takes one call a chart, all at once.
 *
 * @param linked - what an earlier page has found; a page that begins a chart finds it itself.
 */
export const linkedPage = async (
  store: RecordStore,
  chart: string,
  type: string | undefined,
  options: QueryOptions,
  linked?: readonly LinkedChart[],
): Promise<LinkedPage> => {
  const othersIn = (members: readonly LinkedChart[]) =>
    members.filter((member) => member.chart !== chart).map((member) => chartPage(store, member.chart, type, options));
  const first = chartPage(store, chart, type, options);
  if (linked) return { ...together(await Promise.all([first, ...othersIn(linked)]), options), linked, byDate: true };
  const page = await first;
  const found = page.signed ? await linkedWith(store, chart) : [];
  return { ...together([page, ...(await Promise.all(othersIn(found)))], options), linked: found, byDate: page.byDate };
};

/**
 * Pages of several charts as one, in the order of their keys, as far as all of them have been read. A record that stands in several of
 * the charts has the same key in each, and is shown once. What heads a chart has one key in all of them: such records stay together.
 */
const together = (pages: readonly (Page<Shown> & Fetched)[], { order, limit }: QueryOptions): Page<Shown> & Fetched => {
  const [only] = pages;
  if (pages.length === 1 && only) return only;
  const forward = order === 'key-order';
  const compare = (a: string, b: string) => (a === b ? 0 : a < b === forward ? -1 : 1);
  const [end] = pages.flatMap(({ next }) => next ?? []).sort(compare);
  const sorted = pages
    .flatMap(({ items }) => items)
    .filter(({ key }) => end === undefined || compare(key, end) <= 0)
    .sort((a, b) => compare(a.key, b.key));
  const fetches = Math.max(...pages.map((page) => page.fetches)); // they are read at once
  const items = new Map<string, Shown>();
  let last: string | undefined;
  for (const item of sorted) {
    const { key, record } = item;
    if (last !== undefined && limit !== undefined && items.size >= limit && last !== key) {
      return { items: [...items.values()], next: last, fetches };
    }
    items.set(`${key} ${record.chart}`, item);
    last = key;
  }
  return { items: [...items.values()], next: end, fetches };
};
