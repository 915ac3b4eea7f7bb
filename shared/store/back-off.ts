import { setTimeout as pause } from 'node:timers/promises';
import { RecordError } from '../errors.ts';

const attempts = 9;
const firstPauseMs = 8;
const longestPauseMs = 800;

/**
 * Waits before another try: exponential with full jitter, some 1.5 seconds in all.
 *
 * @param attempt - how many tries have failed before this one, from 0.
 * @returns false, without waiting, when it is time to give up.
 */
export const pauseBeforeRetry = async (attempt: number): Promise<boolean> => {
  if (attempt >= attempts) return false;
  await pause(Math.random() * Math.min(firstPauseMs * 2 ** attempt, longestPauseMs));
  return true;
};

/**
 * Waits before another try.
 *
 * @param attempt - how many tries have failed before this one, from 0.
 * @param because - the row is busy, another transaction holds it, or an error that left the call without an answer.
 * @throws when it is time to give up: that error, else RecordError `throttled`, or `conflict` if another holds the row. The latter tell
 *   the sender that nothing was written, so whoever has decided a commit must not let them out.
 */
export const backOff = async (attempt: number, because: 'busy' | 'held' | Error = 'busy'): Promise<void> => {
  if (await pauseBeforeRetry(attempt)) return;
  if (because instanceof Error) throw because;
  if (because === 'held') {
    throw new RecordError('conflict', 'Another transaction is writing the same records; try again', {
      reason: 'concurrent-change',
    });
  }
  throw new RecordError('throttled', 'The store is busy with the same records; try again', {
    headers: { 'Retry-After': '1' },
  });
};
