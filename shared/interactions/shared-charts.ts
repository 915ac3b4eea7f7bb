import type { Asking, Sharing } from '../access/decide.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { directivesOf } from '../store/directives.ts';
import type { Address } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';

/** A record as far as it tells whether Consents matter; of one that does not exist, where it would be, so that it takes as long. */
type Kept = Pick<StoredRecord, 'type' | 'chart'> & Partial<Pick<StoredRecord, 'custodian'>>;

/**
 * What patients permit of charts that other organisations keep, as far as one request has looked it up; whatever has not been is not shared. Every
 * request looks anew, so what a Consent opens or closes is in force with the next one.
 */
export class SharedCharts {
  readonly #store: RecordStore;
  readonly #asking: Asking;
  readonly #at: { readonly now: number; readonly baseUrl: string };
  readonly #known = new Map<string, Sharing | undefined>();
  /** Those that are under way, or were. */
  readonly #asked = new Map<string, Promise<void>>();

  constructor(store: RecordStore, asking: Asking, at: { readonly now: number; readonly baseUrl: string }) {
    this.#store = store;
    this.#asking = asking;
    this.#at = at;
  }

  /** What is shared of a chart; undefined if nothing is, or it has not been looked up. */
  of(chart: string): Sharing | undefined {
    return this.#known.get(chart);
  }

  /** Whether a Consent may decide about a record, and has not been looked up. */
  needs({ type, chart, custodian }: Kept): boolean {
    const { organization } = this.#asking.caller;
    return organization !== undefined && custodian !== organization && !headsOwnChart(type) && !this.#known.has(chart);
  }

  /**
   * Looks up what is shared of the charts of these records: one Query a chart, all at once; none for what the caller's own organisation keeps.
   *
   * @returns how many charts were asked.
   */
  async lookUp(records: readonly Kept[]): Promise<number> {
    const charts = new Set(records.flatMap((record) => (this.needs(record) ? [record.chart] : [])));
    let fresh = 0;
    const asked = [...charts].map((chart): Promise<void> => {
      const known = this.#asked.get(chart);
      if (known) return known;
      fresh++;
      const asking = this.#ask(chart);
      this.#asked.set(chart, asking);
      return asking;
    });
    await Promise.all(asked);
    return fresh;
  }

  async #ask(chart: string): Promise<void> {
    const [{ sharingOf }, directives] = await Promise.all([
      import('../access/sharing.lazy.ts'),
      directivesOf(this.#store, chart),
    ]);
    this.#known.set(chart, directives && sharingOf(directives, this.#at));
  }

  /** The current version of a record, once it is known whether it is shared. Where there is none, that takes the same calls as where it is hidden. */
  async read(address: Address): Promise<StoredRecord | undefined> {
    const record = await this.#store.read(address);
    await this.lookUp([record ?? address]);
    return record;
  }
}
