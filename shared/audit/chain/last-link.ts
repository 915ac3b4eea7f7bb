import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { auditChainPartition } from '../../store/keys.ts';
import type { Table } from '../../store/write-rows.ts';
import { type Link, type LinkRow, linkIn } from './link.ts';

/**
 * Where the chain of a log ends; undefined if it has none. One Query of one row.
 *
 * @throws WrittenByNewerRelease.
 */
export const lastLink = async ({ client, tableName }: Table, log: string): Promise<Link | undefined> => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': auditChainPartition(log) },
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const row = Items[0] as LinkRow | undefined;
  return row && linkIn(row);
};
