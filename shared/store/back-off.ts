import { setTimeout as pause } from 'node:timers/promises';
import { RecordError } from '../errors.ts';

const attempts = 9;
const firstPauseMs = 8;
const longestPauseMs = 800;

/**
 * Waits before another try at what a busy table refused: exponential with full jitter, some 1.5 seconds in all.
 *
 * @param attempt - how many tries have failed before this one, from 0.
 * @param because - the row is busy, or another transaction holds it.
 * @throws RecordError when it is time to give up, with nothing written: `throttled`, or `conflict` with who holds the row.
 */
export const backOff = async (attempt: number, because: 'busy' | 'held' = 'busy'): Promise<void> => {
  if (attempt >= attempts && because === 'held') {
    throw new RecordError('conflict', 'Another transaction is writing the same records; try again', {
      reason: 'concurrent-change',
    });
  }
  if (attempt >= attempts) {
    throw new RecordError('throttled', 'The store is busy with the same records; try again', {
      headers: { 'Retry-After': '1' },
    });
  }
  await pause(Math.random() * Math.min(firstPauseMs * 2 ** attempt, longestPauseMs));
};
