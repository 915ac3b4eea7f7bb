import type { LinkedChart } from '../../store/chart-links.ts';
import type { Shown } from '../../store/chart-page.ts';
import type { linkedPage } from '../../store/linked-page.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { callsPerPage } from '../search/run.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';

/** A record for a page, the key behind which what follows it begins, and the bytes that it adds to an answer. */
export interface Item extends Shown {
  readonly weight: number;
}

/** What a page is to be filled with. */
export interface Filling {
  readonly readPage: typeof linkedPage;
  readonly chart: string;
  /** One type, newest first; all types in the order of their keys if absent. */
  readonly type: string | undefined;
  readonly after: string | undefined;
  /** The linked charts that an earlier page has found. */
  readonly linked: readonly LinkedChart[] | undefined;
  /** Records that the page may hold. */
  readonly limit: number;
  /** Whether to look at what belongs elsewhere and refers to records of the chart. */
  readonly mentions: boolean;
  /** Told of records before it is asked whether they are wanted. */
  readonly consider: (records: readonly StoredRecord[]) => Promise<unknown>;
  readonly wanted: (record: StoredRecord) => boolean;
  /** Asked behind the first call; if it says no, nothing more is read. */
  readonly mayGoOn: () => Promise<boolean>;
}

export interface FilledPage {
  readonly items: readonly Item[];
  readonly next: string | undefined;
  readonly linked: readonly LinkedChart[];
}

/**
 * Reads a chart until a page is full of what is wanted. What is passed over, because the caller may not see it or did not ask for it, shows
 * neither by an empty page nor by a link to one: one row more than the page tells whether anything follows. One Query where everything is
 * wanted; a page ends early, with a link, only behind 60 calls.
 */
export const fillPage = async (store: RecordStore, filling: Filling): Promise<FilledPage> => {
  const { readPage, chart, type, limit, mentions, consider, wanted, mayGoOn } = filling;
  const items: Item[] = [];
  let { after, linked } = filling;
  let rows = limit + 1;
  for (let calls = 1; ; calls++) {
    const order = type === undefined ? 'key-order' : 'newest-first';
    const options = { order, after, limit: rows, mentions } as const;
    const page = await readPage(store, chart, type, options, linked);
    [after, linked] = [page.next, page.linked];
    await consider(page.items.map(({ record }) => record));
    for (const item of page.items) {
      if (!wanted(item.record)) continue;
      items.push({ ...item, weight: weightOf(item.record.resource ?? {}) });
    }
    const shown = firstOf(items, limit);
    if (after === undefined || shown.length < items.length || calls >= callsPerPage || !(await mayGoOn())) {
      return { items: shown, next: shown.length < items.length ? shown.at(-1)?.key : after, linked };
    }
    rows *= 2; // where much is passed over, the next calls read more
  }
};

/** As many of the items as a page and an answer can hold, at least one. What stands under one key stays together. */
const firstOf = (items: readonly Item[], limit: number): readonly Item[] => {
  let bytes = 0;
  const over = items.findIndex(({ weight }, index) => {
    bytes += weight;
    return index > 0 && (index >= limit || bytes > largestPageBytes);
  });
  if (over < 0) return items;
  const parts = (at: number) => items[at]?.key !== items[at - 1]?.key;
  const before = items.findLastIndex((_, at) => at > 0 && at <= over && parts(at));
  const behind = items.findIndex((_, at) => at > over && parts(at));
  return items.slice(0, before > 0 ? before : behind > 0 ? behind : items.length);
};
