import type { SearchType } from '../../record-types/search-type.ts';
import type { LinkedChart } from '../chart-links.ts';
import type { Address } from '../keys.ts';
import type { LinkedPage } from '../linked-page.ts';
import type { Fetched, RecordStore } from '../record-store.ts';
import type { StoredRecord } from '../rows.ts';
import type { SearchedTypes } from './plan.ts';

/** What a plan reads with: for whom, how far, and who is told. */
export interface Reader {
  readonly store: RecordStore;
  readonly types: SearchedTypes;
  readonly recordType: SearchType;
  readonly rowLimit: number | undefined;
  /** Called for each call, to DynamoDB or the object store, that others wait for; if it was made ahead, when its answer is looked at. */
  readonly spend: () => void;
  /** Calls that are left to be spent; as many as it takes if absent. */
  readonly left?: () => number;
  /** Asked about the first records of a chart that the search names, until it knows; if it says no, the rest of the chart is not read. */
  readonly mayEnter?: (record: StoredRecord) => Promise<boolean | undefined>;
  /** The beginning of a chart, with mentions, if somebody has read that already. */
  readonly ahead?: (chart: string) => Promise<LinkedPage> | undefined;
  /** Told, before any record comes, if the first chart shows that its order is not that of the type's date; not asked if absent. */
  readonly onDisorder?: (() => void) | undefined;
  /** Told which charts turn out to be one person's, before their records come. */
  readonly onLinked?: (linked: readonly LinkedChart[]) => void;
}

/** Charts, or values of a registry, that are read at once where one after the other is wanted. */
const mostAtOnce = 10;

/**
 * Reads for one item after the other, and ahead: for one at first, then for twice as many each time, so that what is found at once costs no
 * more than it needs, and what is not takes fewer turns. Not for more than calls are left.
 */
export async function* readAhead<T, V>(
  { left = () => mostAtOnce }: Reader,
  items: Iterable<T> | AsyncIterable<T>,
  read: (item: T) => Promise<V>,
): AsyncGenerator<readonly [T, V]> {
  let size = 1;
  let waiting: T[] = [];
  const answered = async () => {
    const values = await Promise.all(waiting.map(async (item) => [item, await read(item)] as const));
    waiting = [];
    size = Math.min(2 * size, mostAtOnce);
    return values;
  };
  for await (const item of items) {
    waiting.push(item);
    if (waiting.length >= Math.min(size, left())) yield* await answered();
  }
  if (waiting.length > 0) yield* await answered();
}

/** Rows to ask for at once where nothing says that most of them will be wanted. */
export const listPage = 100;
/** As many at most where much has been read already: what is counted is read in fewer turns. */
const longestListPage = 1_000;

/** Rows to ask for after so many. */
export const grown = (limit: number): number => Math.min(2 * limit, longestListPage);

/** Calls to the object store count like those to DynamoDB. */
export const spendFetches = (spend: () => void, { fetches }: Fetched): void => {
  for (let fetch = 0; fetch < fetches; fetch++) spend();
};

/** Tells addresses apart, and puts them in order. */
export const addressText = ({ type, chart, place }: Address) => `${type} ${chart} ${place}`;

/** The text that comes right behind this one, before all others that do: where what is done ends. */
export const rightBehind = (text: string): string => `${text}\u0000`;
