import { network } from '../store/keys.ts';
import {
  type StoredSubscription,
  subscriptionsIn,
  subscriptionsOf,
} from '../store/subscriptions/read-subscriptions.ts';
import { subscriptionShards } from '../store/subscriptions/settings.ts';
import type { Table } from '../store/write-rows.ts';
import type { Wake } from './wake-queue.ts';

/**
 * Wakes the Subscriptions of organisations for which there is something new in the feed; of the network's (`*`), all. One strongly consistent Query an organisation, or one for each partition of all:
 * nothing is remembered between two calls, for a Subscription that was written in between would miss what is told from then on.
 *
 * @throws QueueServiceError; whatever leaves the table without an answer. Some may have been woken then, and are woken again.
 */
export const wakeSubscriptionsOf =
  (table: Table, wake: (wakes: readonly Wake[]) => Promise<void>) =>
  async (organizations: readonly string[]): Promise<void> => {
    const found = organizations.includes(network)
      ? await Promise.all(Array.from({ length: subscriptionShards }, (_, shard) => subscriptionsIn(table, shard)))
      : await Promise.all(organizations.map((organization) => subscriptionsOf(table, organization)));
    await wake(
      found
        .flat()
        .filter(listens)
        .map(({ organization, id }) => ({ organization, id })),
    );
  };

/** What is off hears nothing, once delivery has noticed that it is. What cannot be read is for delivery to fail on, which has an alarm. */
const listens = ({ settings, state, unread }: StoredSubscription): boolean =>
  unread === true || (settings !== undefined && (settings.status !== 'off' || settings.version !== state?.version));
