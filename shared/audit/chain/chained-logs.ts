import { randomBytes } from 'node:crypto';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { chainedKey, chainedPartition, type RowKey } from '../../store/keys.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import type { Table } from '../../store/write-rows.ts';

/** Over which the notes of a day are spread: each takes 1,000 batches of the stream a second. */
const shards = 8;
/** A digest that is later than this cannot be caught up. */
const keptDays = 60;
const dayMs = 86_400_000;

/** The day of an instant, UTC, such as `2026-11-24`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Which logs a batch of the stream continued for the first time on a day. */
interface ChainedRow extends RowKey {
  readonly [attribute: string]: unknown;
  /** Names, with a space between. */
  readonly logs: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** Notes for the digest of a day that these logs get links: one row. Sent again, it makes another one, which says nothing new. */
export const noteChained = async (
  { client, tableName }: Table,
  day: string,
  logs: readonly string[],
): Promise<void> => {
  const name = randomBytes(6);
  const Item: ChainedRow = {
    ...chainedKey(day, name.readUInt8() % shards, name.toString('base64url')),
    logs: logs.join(' '),
    expires: Math.ceil((Date.parse(day) + keptDays * dayMs) / 1_000),
  };
  await client.send(new PutCommand({ TableName: tableName, Item }));
};

/** Where a look at the notes of days goes on. */
export interface NotePosition {
  readonly day: string;
  readonly shard: number;
  /** The note behind which to go on; at the first of the day's shard if absent. */
  readonly after?: string;
}

/**
 * Logs that got links, some notes at a time: a log may come more than once. One Query.
 *
 * @param last - the last day that is wanted.
 * @returns the logs, and where to go on; `next` is undefined at the end.
 */
export const logsNotedAt = async (
  table: Table,
  { day, shard, after }: NotePosition,
  last: string,
  notes: number,
): Promise<{ readonly logs: readonly string[]; readonly next: NotePosition | undefined }> => {
  const pk = chainedPartition(day, shard);
  const { rows, next } = await rowsBetween(table, { pk, from: '!', to: '~', after, limit: notes });
  const logs = (rows as ChainedRow[]).flatMap((row) => row.logs.split(' '));
  if (next !== undefined) return { logs, next: { day, shard, after: next } };
  if (shard + 1 < shards) return { logs, next: { day, shard: shard + 1 } };
  return { logs, next: day < last ? { day: dayOf(Date.parse(day) + dayMs), shard: 0 } : undefined };
};

/** The logs that got links on a day, each once. Reads their notes, nothing else. */
export async function* logsChainedOn({ client, tableName }: Table, day: string): AsyncGenerator<string> {
  const seen = new Set<string>();
  for (let shard = 0; shard < shards; shard++) {
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': chainedPartition(day, shard) },
          ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
        }),
      );
      for (const { logs } of (page.Items ?? []) as ChainedRow[])
        for (const log of logs.split(' ')) {
          if (seen.has(log)) continue;
          seen.add(log);
          yield log;
        }
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
  }
}
