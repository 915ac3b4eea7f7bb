import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { auditChainPartition } from '../../store/keys.ts';
import type { Table } from '../../store/write-rows.ts';
import { type Covered, type Link, type LinkRow, linkHash, linkIn, linkRow } from './link.ts';
import { type Image, rowHash } from './row-hash.ts';

/** Logs that are continued at once. */
const concurrency = 16;
/** Times that a link is tried while others continue the same chain. */
const attempts = 5;
/** Rows of a link: some 80 bytes each, so that a link stays far below what a row of the table takes. */
const mostCovered = 1_000;

const logOf = ({ dynamodb }: DynamoDBRecord): string | undefined =>
  /^A#([^#]+)$/.exec((dynamodb?.NewImage ?? dynamodb?.OldImage)?.pk?.S ?? '')?.[1];

/** A row that came is its hash; one that was changed or removed is named as such. Nothing that Concord does changes one. */
const coveredBy = ({ eventName, dynamodb }: DynamoDBRecord): Covered => {
  const { NewImage, OldImage } = dynamodb ?? {};
  const place = (NewImage ?? OldImage)?.sk?.S ?? '';
  if (eventName === 'REMOVE') return [place, rowHash((OldImage ?? {}) as Image), 'removed'];
  const found = rowHash((NewImage ?? {}) as Image);
  return eventName === 'INSERT' ? [place, found] : [place, found, 'overwritten'];
};

/** Both are digits, of any length. */
const isBehind = ({ dynamodb }: DynamoDBRecord, upTo: string): boolean =>
  BigInt(dynamodb?.SequenceNumber ?? 0) > BigInt(upTo);

/**
 * Continues the chain of each log that a batch of the stream tells of: one row a log and batch, whatever the batch brings of it. The stream has the rows of a log
 * in order. A batch that comes again, or in part, changes nothing; of two that continue one chain at once, one finds the other's link and goes on behind it.
 */
export const chainAccesses = async (table: Table, { Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const byLog = Map.groupBy(Records, logOf);
  byLog.delete(undefined);
  const failed = new Set<string>();
  await inParallel(concurrency, [...byLog], async ([name, records]) => {
    try {
      for (let at = 0; at < records.length; at += mostCovered)
        await continueChain(table, name ?? '', records.slice(at, at + mostCovered));
    } catch (error) {
      log.fault('a log cannot be chained', error);
      failed.add(records[0]?.dynamodb?.SequenceNumber ?? '');
    }
  });
  const first = Records.find(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
  return { batchItemFailures: first ? [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }] : [] };
};

const continueChain = async (table: Table, name: string, records: readonly DynamoDBRecord[]): Promise<void> => {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const last = await lastLink(table, name);
    const fresh = last ? records.filter((record) => isBehind(record, last.upTo)) : records;
    if (fresh.length === 0) return;
    const next: Link = {
      log: name,
      number: (last?.number ?? 0) + 1,
      previous: last ? linkHash(last) : '',
      upTo: fresh.at(-1)?.dynamodb?.SequenceNumber ?? '0',
      at: Math.floor(fresh[0]?.dynamodb?.ApproximateCreationDateTime ?? 0),
      covers: fresh.map(coveredBy),
    };
    if (await put(table, linkRow(next))) return;
  }
  throw new Error('Others continue the chain'); // the batch comes again
};

/** One Query of one row. */
const lastLink = async ({ client, tableName }: Table, name: string): Promise<Link | undefined> => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': auditChainPartition(name) },
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const row = Items[0] as LinkRow | undefined;
  return row && linkIn(row);
};

/** Whether there was no link of this number. */
const put = async ({ client, tableName }: Table, Item: LinkRow): Promise<boolean> => {
  try {
    await client.send(new PutCommand({ TableName: tableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
};
