import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { tryWrite } from '../transact.ts';
import type { Table } from '../write-rows.ts';
import type { SubscriptionName } from './settings.ts';
import { stateKey } from './state.ts';

/**
 * Has dead notifications sent again, those with events from this number on, at the next turn. Whoever asks wakes delivery too.
 *
 * @returns false where there is no state yet, so nothing that could be dead.
 */
export const askRedrive = async (
  { client, tableName: TableName }: Table,
  name: SubscriptionName,
  from: number,
): Promise<boolean> =>
  (await tryWrite(
    client,
    new UpdateCommand({
      TableName,
      Key: stateKey(name),
      UpdateExpression: 'SET redrive = :from ADD wakes :one',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':from': from, ':one': 1 },
    }),
  )) === undefined;
