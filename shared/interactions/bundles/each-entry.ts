import { inParallel } from '../../store/in-parallel.ts';
import type { EntryRequest } from './entry.ts';
import { inEntry } from './in-entry.ts';

/** Entries of a transaction that are worked on at the same time. */
export const concurrency = 16;

/** Runs a step for every entry; a refusal says which entry it is about. */
export const eachEntry = <E extends EntryRequest, T>(
  entries: readonly E[],
  step: (entry: E) => Promise<T>,
): Promise<T[]> =>
  inParallel(concurrency, entries, async (entry) => {
    try {
      return await step(entry);
    } catch (error) {
      throw inEntry(error, entry.index);
    }
  });
