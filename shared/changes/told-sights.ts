import { type ToldSights as Kept, noteTellingOf, noteToldOf, toldSightsOf } from '../store/feed/told-sights.ts';
import type { RecordStore } from '../store/record-store.ts';

/** What organisations were told of whether they see anything of a chart. */
export interface ToldOfChart {
  /** Those that were told last that they see something. */
  readonly told: ReadonlySet<string>;
  /** Those that may have been told so, by somebody who was ended half-way. */
  readonly perhaps: ReadonlySet<string>;
}

/** A word to an organisation that it sees something of a chart, or nothing. */
interface Word {
  /** Of the change in its batch that it comes from. */
  readonly place: number;
  readonly chart: string;
  readonly organization: string;
  readonly sees: boolean;
}

/**
 * Which organisations were told that they see something of which chart: as it is kept, and as this batch goes on to tell. What one change of a batch tells, the next one knows. It is kept once the bus has
 * it.
 */
export class ToldSights {
  readonly #store: RecordStore;
  readonly #kept = new Map<string, Kept | undefined>();
  readonly #words: Word[] = [];

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** What was told of these charts. One call for those that were not asked for yet. @throws WrittenByNewerRelease. */
  async of(charts: readonly string[]): Promise<readonly ToldOfChart[]> {
    const unread = charts.filter((chart) => !this.#kept.has(chart));
    const found = unread.length > 0 ? await toldSightsOf(this.#store, unread) : new Map<string, Kept>();
    for (const chart of unread) this.#kept.set(chart, found.get(chart));
    return charts.map((chart) => {
      const { told = [], perhaps = [] } = this.#kept.get(chart) ?? {};
      const now: Record<'told' | 'perhaps', Set<string>> = { told: new Set(told), perhaps: new Set(perhaps) };
      for (const { organization, sees, ...word } of this.#words) {
        if (word.chart !== chart) continue;
        now.perhaps.delete(organization);
        if (sees) now.told.add(organization);
        else now.told.delete(organization);
      }
      return now;
    });
  }

  /** Takes in what a change of the batch tells. */
  tell(word: Word): void {
    this.#words.push(word);
  }

  /**
   * Notes who is going to be told of something that it sees and was not told before: who is ended behind that may have told it. A write for each chart of which there is such news.
   *
   * @throws RecordError `throttled`; what left the table without an answer.
   */
  async begin(): Promise<void> {
    for (const [chart, words] of this.#byChart(Number.POSITIVE_INFINITY)) {
      const { told = [], perhaps = [] } = this.#kept.get(chart) ?? {};
      const seeing = words.flatMap(({ organization, sees }) => (sees ? [organization] : []));
      const fresh = new Set(seeing.filter((each) => !told.includes(each) && !perhaps.includes(each)));
      if (fresh.size > 0) await noteTellingOf(this.#store, chart, [...fresh]);
    }
  }

  /**
   * Keeps what changes told whose events the bus has all taken. A write or two for each chart of which there is news.
   *
   * @param before - the place of the first change of which it has not.
   * @throws RecordError `throttled`; what left the table without an answer.
   */
  async keep(before = Number.POSITIVE_INFINITY): Promise<void> {
    for (const [chart, words] of this.#byChart(before)) {
      const { told = [], perhaps = [] } = this.#kept.get(chart) ?? {};
      const last = new Map(words.map(({ organization, sees }) => [organization, sees]));
      const asKept = new Set(told.filter((each) => !perhaps.includes(each)));
      const news = [...last].filter(([organization, sees]) => !(sees && asKept.has(organization)));
      if (news.length > 0) await noteToldOf(this.#store, chart, new Map(news));
    }
  }

  #byChart(before: number): ReadonlyMap<string, readonly Word[]> {
    return Map.groupBy(
      this.#words.filter(({ place }) => place < before),
      ({ chart }) => chart,
    );
  }
}
