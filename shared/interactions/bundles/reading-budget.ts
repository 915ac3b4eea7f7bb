import { RecordError } from '../../errors.ts';
import { CountedReads } from '../../store/counted-reads.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { callsPerSearch } from '../search/run.ts';

/** Calls that each entry may take without taking from the others: more than a read, a search in a chart or by registry, or a condition takes. */
const callsPerEntry = 4;

/** Making a capability statement keeps a processor as long as so many calls do: 6 ms. */
const callsPerDescription = 20;

/**
 * What the entries of a bundle may read together: four calls each, and beyond that as much as one search may take that counts or sorts. Thousands of
 * reads and conditions fit; thousands of searches that each walk through charts do not.
 */
export class ReadingBudget {
  readonly #reads: CountedReads;
  #entries = 0;
  #described = 0;

  constructor(store: RecordStore) {
    this.#reads = new CountedReads(store);
  }

  /** The store whose calls count. */
  get store(): RecordStore {
    return this.#reads.store;
  }

  /**
   * To be asked before an entry reads.
   *
   * @param describes - whether it asks for the capability statement, which is made anew each time.
   * @throws RecordError `too-costly` once too much was read for those before it.
   */
  begin(describes = false): void {
    if (describes) this.#described += 1;
    if (this.#reads.calls + callsPerDescription * this.#described > callsPerSearch + callsPerEntry * ++this.#entries) {
      throw new RecordError(
        'too-costly',
        'The entries of this bundle read too much together; ask for this one by itself, or narrow their searches',
        { reason: 'bundle-too-costly' },
      );
    }
  }
}
