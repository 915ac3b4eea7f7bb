import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { chainAccesses } from '../audit/chain/chain-accesses.ts';
import { indexByDay } from '../audit/index-by-day.ts';
import { indexDisclosures } from '../audit/index-disclosures.ts';
import { log } from '../log.ts';
import { changeIn, type RecordChange } from '../store/feed/change.ts';
import { type Beat, type BeatChange, noteBeats, noteLateness } from '../store/feed/completeness.ts';
import { writeFeed } from '../store/feed/write-feed.ts';
import { beatPrefix } from '../store/keys.ts';
import type { RecordRow } from '../store/rows.ts';
import type { Table } from '../store/write-rows.ts';
import { rowChange } from './row-change.ts';

/**
 * Files what a batch of the stream tells of in order of time: accesses by organisation and day, what other organisations
 * saw of a chart, changes of records in the feed. It also continues the chains of the access logs. Repeating a batch
 * changes nothing. One function does both, because a stream has room for two readers, and the other one publishes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
 */
export const fileByTime = async (
  table: Table,
  event: DynamoDBStreamEvent,
  now = Date.now(),
): Promise<DynamoDBBatchResponse> => {
  const { Records } = event;
  await noteLateness(table, createdFirst(Records, now), now);
  const [accesses, disclosures, chained, changes] = await Promise.all([
    indexByDay(table.client, table.tableName, event),
    indexDisclosures(table, event),
    chainAccesses(table, event),
    fileChanges(table, Records),
  ]);
  const failed = new Set(
    [...accesses.batchItemFailures, ...disclosures.batchItemFailures, ...chained.batchItemFailures, ...changes].map(
      ({ itemIdentifier }) => itemIdentifier,
    ),
  );
  const first = Records.find(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
  return { batchItemFailures: first ? [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }] : [] };
};

/** When the oldest change of a batch was written, in milliseconds since 1970. */
const createdFirst = (records: readonly DynamoDBRecord[], now: number): number =>
  records.reduce(
    (first, { dynamodb }) =>
      Math.min(first, (dynamodb?.ApproximateCreationDateTime ?? Number.POSITIVE_INFINITY) * 1_000),
    now,
  );

/** Files changes and beats up to the first one that cannot be read. A beat is noted when what stood before it is filed. */
const fileChanges = async (table: Table, records: readonly DynamoDBRecord[]) => {
  const changes: RecordChange[] = [];
  const beats: BeatChange[] = [];
  let unread: DynamoDBRecord | undefined;
  for (const record of records) {
    try {
      const { before, after } = rowChange<RecordRow & Partial<Beat>>(record);
      const change = changeIn({ before, after });
      if (change) changes.push(change);
      if (isBeat(after)) beats.push({ before: isBeat(before) ? before : undefined, after });
    } catch (error) {
      log.fault('a change cannot be filed', error);
      unread = record;
      break;
    }
  }
  await writeFeed(table, changes);
  await noteBeats(table, beats);
  return unread ? [{ itemIdentifier: unread.dynamodb?.SequenceNumber ?? '' }] : [];
};

const isBeat = (row: Partial<Beat> | undefined): row is Beat =>
  row?.pk?.startsWith(beatPrefix) === true && typeof row.to === 'number';
