import { createHmac } from 'node:crypto';
import { RecordError } from '../errors.ts';
import { toBase32 } from '../store/base32.ts';
import { commit } from '../store/commit.ts';
import { CommitRefused } from '../store/commit-refusal.ts';
import { attemptKey, type Row } from '../store/keys.ts';
import type { RequestContext } from './context.ts';

/** How often somebody may ask a question to which a stranger would guess the answer. */
export interface Allowed {
  readonly what: string;
  /** Attempts in an hour of the clock. */
  readonly perHour: number;
}

const hour = 3_600_000;

/**
 * Takes one of the attempts that the caller has, for this and all processes, together with the trace of it: neither is there without the other.
 *
 * @throws RecordError `throttled`, with Retry-After, once there is none left.
 */
export const takeAttempt = async (context: RequestContext, { what, perHour }: Allowed, log: Row): Promise<void> => {
  const { store, asking, now } = context;
  const subject = createHmac('sha256', store.keys.index).update(`${what}|${asking.caller.subject}`).digest();
  const hash = toBase32(subject.subarray(0, 16));
  const begun = now - (now % hour);
  const since = new Date(begun).toISOString();
  const keys = Array.from({ length: perHour }, (_, number) => attemptKey(hash, since, number));
  for (;;) {
    const taken = new Set((await store.getMany(keys)).map(({ sk }) => sk));
    const free = keys.find(({ sk }) => !taken.has(sk));
    if (!free) {
      throw new RecordError('throttled', `This may be asked ${perHour} times an hour`, {
        headers: { 'Retry-After': String(Math.ceil((begun + hour - now) / 1_000)) },
      });
    }
    const slot = { ...free, expires: (begun + 2 * hour) / 1_000 };
    try {
      return await commit(store, { writes: [], checks: [], unique: [], claims: [slot], log: [log] });
    } catch (error) {
      // Another attempt of the same person has taken it meanwhile.
      if (!(error instanceof CommitRefused)) throw error;
    }
  }
};
