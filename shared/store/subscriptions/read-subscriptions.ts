import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { log } from '../../log.ts';
import { type RowKey } from '../keys.ts';
import type { Table } from '../write-rows.ts';
import {
  type SubscriptionName,
  type SubscriptionSettings,
  type SubscriptionSettingsRow,
  settingsKey,
  settingsLayouts,
  subscriptionIn,
  subscriptionShard,
} from './settings.ts';
import { type SubscriptionState, type SubscriptionStateRow, stateLayouts } from './state.ts';
import { subscriptionPartition, subscriptionPrefix } from './subscription-keys.ts';

/** What is stored of a Subscription beside its record: no settings once it is deleted, no state before its first turn. */
export interface StoredSubscription extends SubscriptionName {
  readonly settings: SubscriptionSettings | undefined;
  readonly state: SubscriptionState | undefined;
  /** Among others: something of it cannot be read, by this release at least. */
  readonly unread?: true;
}

/**
 * Settings and state of one Subscription. One call, strongly consistent.
 *
 * @throws WrittenByNewerRelease.
 */
export const subscriptionOf = async (table: Table, name: SubscriptionName): Promise<StoredSubscription> => {
  const prefix = settingsKey(name).sk.replace(/settings$/, '');
  const [found] = await read(table, subscriptionShard(name.organization), prefix);
  return found ?? { organization: name.organization, id: name.id, settings: undefined, state: undefined };
};

/**
 * Those of an organisation. One call a megabyte, strongly consistent: whoever was told that a Subscription was written finds it. One that cannot be read stands in
 * the way of no other one.
 */
export const subscriptionsOf = (table: Table, organization: string): Promise<StoredSubscription[]> =>
  read(table, subscriptionShard(organization), subscriptionPrefix(organization), toldOrNot);

/** Those of one partition of all (`subscriptionShards`), likewise. */
export const subscriptionsIn = (table: Table, shard: number): Promise<StoredSubscription[]> =>
  read(table, shard, '', toldOrNot);

type Tell = (row: SubscriptionSettingsRow | SubscriptionStateRow) => Partial<StoredSubscription>;

const read = async (
  { client, tableName }: Table,
  shard: number,
  prefix: string,
  tell: Tell = told,
): Promise<StoredSubscription[]> => {
  const found = new Map<string, StoredSubscription>();
  let after: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': subscriptionPartition(shard),
          ...(prefix === '' ? {} : { ':prefix': prefix }),
        },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    );
    for (const row of Items as (SubscriptionSettingsRow | SubscriptionStateRow)[]) {
      const name = subscriptionIn(row);
      const key = `${name.organization}#${name.id}`;
      const known = found.get(key) ?? { ...name, settings: undefined, state: undefined };
      found.set(key, { ...known, ...tell(row) });
    }
    after = LastEvaluatedKey;
  } while (after);
  return [...found.values()];
};

const told = (row: RowKey & { readonly layout: number }): Partial<StoredSubscription> =>
  row.sk.endsWith('#settings')
    ? { settings: settingsLayouts.reader(row.layout)(row as SubscriptionSettingsRow) }
    : { state: stateLayouts.reader(row.layout)(row as SubscriptionStateRow) };

const toldOrNot: Tell = (row) => {
  try {
    return told(row);
  } catch (error) {
    log.fault('what is stored of a Subscription cannot be read', error);
    return { unread: true };
  }
};
