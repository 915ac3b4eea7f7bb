import { log } from '../log.ts';
import { documentClient } from '../store/document-client.ts';
import { subscriptionsIn } from '../store/subscriptions/read-subscriptions.ts';
import { subscriptionShards } from '../store/subscriptions/settings.ts';
import type { Table } from '../store/write-rows.ts';
import { dueAt } from './times.ts';
import { type Wake, wakeQueue } from './wake-queue.ts';

/**
 * Wakes the Subscriptions for which something is to be done though nothing has changed: another attempt, a heartbeat, an end, a turn that did not come to its own. One Query for
 * each partition of Subscriptions.
 *
 * @param now - in milliseconds since 1970.
 * @returns how many were woken.
 */
export const wakeWhatIsDue = async (
  table: Table,
  wake: (wakes: readonly Wake[]) => Promise<void>,
  now: number,
): Promise<number> => {
  let count = 0;
  for (let shard = 0; shard < subscriptionShards; shard++) {
    const due = (await subscriptionsIn(table, shard)).filter((each) => dueAt(each) <= now);
    await wake(due.map(({ organization, id }) => ({ organization, id })));
    count += due.length;
  }
  return count;
};

/** A handler that does so each time it is run. */
export const wakeOnSchedule = () => {
  let client: ReturnType<typeof documentClient> | undefined;
  return async (): Promise<void> => {
    const { TABLE_NAME: tableName, WAKE_QUEUE_URL: queueUrl } = process.env;
    if (!tableName || !queueUrl) throw new Error('Missing in the environment: TABLE_NAME, WAKE_QUEUE_URL');
    client ??= documentClient();
    const count = await wakeWhatIsDue({ client, tableName }, wakeQueue(client, { queueUrl }), Date.now());
    if (count > 0) log.info('woke Subscriptions that are due', { count });
  };
};
