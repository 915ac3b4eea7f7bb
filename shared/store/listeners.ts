import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { listenerKey, listenersPartition } from './feed/feed-keys.ts';
import { putOnce } from './put-once.ts';
import type { Table } from './write-rows.ts';

/** Organisations that this process has noted, by table, so that a poll costs a write once. */
const noted = new Map<string, Set<string>>();

/**
 * Notes that an organisation wants to be told of changes: it has a Subscription, or has polled. Only these are asked about where a Consent opens a chart to
 * whoever it may be: a network may have thousands. One write, once a process; it stays.
 *
 * @throws RecordError `throttled`; the error that left it without an answer.
 */
export const noteListener = async (table: Table, organization: string): Promise<void> => {
  const known = noted.get(table.tableName) ?? new Set();
  noted.set(table.tableName, known);
  if (known.has(organization)) return;
  await putOnce(table, { ...listenerKey(organization), layout: 1 });
  known.add(organization);
};

/** All organisations that are noted, strongly consistent. One call for each megabyte of them, which is some ten thousand. */
export const listenersOf = async ({ client, tableName }: Table): Promise<string[]> => {
  const listeners: string[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': listenersPartition },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    );
    listeners.push(...Items.map(({ sk }) => String(sk)));
    after = LastEvaluatedKey;
  } while (after);
  return listeners;
};
