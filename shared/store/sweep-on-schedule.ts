import { log } from '../log.ts';
import { documentClient } from './document-client.ts';
import { commitWithinMs, sendBeats } from './feed/completeness.ts';
import { openStore } from './open-store.ts';
import type { RecordStore } from './record-store.ts';
import { sweepUnfinished } from './settle-transaction.ts';
import { sweepPurges } from './sweep-purges.ts';
import { sweepUploads } from './sweep-uploads.ts';

/**
 * A handler that sweeps the table named by TABLE_NAME and the bucket named by BUCKET_NAME. What it cannot settle now, the next minute's
 * run can.
 */
export const sweepOnSchedule = () => {
  // Made at the first run: a client looks for its configuration as soon as it is made.
  let client: ReturnType<typeof documentClient> | undefined;
  return async (): Promise<void> => {
    const { TABLE_NAME: tableName, BUCKET_NAME: bucket } = process.env;
    if (!tableName || !bucket) throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME');
    client ??= documentClient();
    const store = await openStore(client, tableName, { bucket });
    // Neither waits for the other: what stands against one must not let the rest of the other pile up.
    const [settled, removed, purged] = await Promise.allSettled([
      sweepAndBeat(store),
      sweepUploads(store),
      sweepPurges(store),
    ]);
    if (countOf(settled) > 0) log.warn('settled transactions that were left behind', { count: countOf(settled) });
    if (countOf(removed) > 0) log.warn('removed bodies whose commit never came', { count: countOf(removed) });
    if (countOf(purged) > 0) log.info('removed rows of purged charts', { count: countOf(purged) });
    for (const result of [settled, removed, purged]) if (result.status === 'rejected') throw result.reason;
  };
};

const countOf = (result: PromiseSettledResult<number>): number => (result.status === 'fulfilled' ? result.value : 0);

/**
 * Settles what was left behind, then sends the feed's beats: they go behind all that was settled, and say from when on something may still be
 * unfinished. Where something could not be settled, nobody knows that, and no beat is sent.
 *
 * @returns how many transactions were settled.
 */
export const sweepAndBeat = async (store: RecordStore, now = Date.now()): Promise<number> => {
  const { settled, begun } = await sweepUnfinished(store, now);
  await sendBeats(store, Math.min(now, begun) - commitWithinMs);
  return settled;
};
