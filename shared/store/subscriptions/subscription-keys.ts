import type { RowKey } from '../keys.ts';

/**
 * Subscriptions of all organisations, settings beside state, spread over a few partitions by organisation: whoever looks which are due reads all of them, and
 * whoever looks for those of one organisation reads a range.
 */
export const subscriptionsPrefix = 'W!';
export const subscriptionPartition = (shard: number) => `${subscriptionsPrefix}${String(shard).padStart(2, '0')}`;
export const subscriptionPrefix = (organization: string) => `${organization}#`;
export const subscriptionSettingsKey = (shard: number, organization: string, id: string): RowKey => ({
  pk: subscriptionPartition(shard),
  sk: `${subscriptionPrefix(organization)}${id}#settings`,
});
export const subscriptionStateKey = (shard: number, organization: string, id: string): RowKey => ({
  pk: subscriptionPartition(shard),
  sk: `${subscriptionPrefix(organization)}${id}#state`,
});

/** What a Subscription has sent, or is to send, in order of its events. Ten digits, because DynamoDB compares sort keys as text. */
export const notificationPrefix = 'W#';
export const notificationPartition = (organization: string, id: string) => `${notificationPrefix}${organization}#${id}`;
export const notificationKey = (organization: string, id: string, firstEvent: number): RowKey => ({
  pk: notificationPartition(organization, id),
  sk: String(firstEvent).padStart(10, '0'),
});
