import { GetCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { bearerKey, type RowKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';

/** More bearers of one identifier than anybody means: what is shared by so many identifies nothing. */
const mostBearers = 10_000;

/**
 * Ids that bear an identifier, the one that bore it first at the front. One Query; more where thousands bear it.
 *
 * @throws RecordError `too-costly` if too many do.
 */
export const bearersOf = async (
  store: RecordStore,
  partition: string,
  spend: () => void = () => {},
): Promise<string[]> => {
  const rows: { id: string; since: number }[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    spend();
    const page: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :bearer)',
        ExpressionAttributeValues: { ':pk': partition, ':bearer': bearerKey(partition, '').sk },
        ExclusiveStartKey,
      }),
    );
    rows.push(...((page.Items ?? []) as { id: string; since: number }[]));
    if (rows.length > mostBearers) {
      throw new RecordError('too-costly', 'Too many records bear this identifier', { expression: 'identifier' });
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
};

/**
 * What conditional creates with one condition have made. A staged transaction that is about to add to it is left out, even if it is
 * committed: its rows may not be there for a search yet, and whoever expects the ids without it is refused and looks again.
 */
export const guardedIds = async ({ client, tableName }: RecordStore, key: RowKey): Promise<string[]> => {
  const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
  return [...((Item?.ids as Set<string> | undefined) ?? [])];
};
