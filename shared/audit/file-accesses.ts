import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { Table } from '../store/write-rows.ts';
import { chainAccesses } from './chain/chain-accesses.ts';
import { indexByDay } from './index-by-day.ts';
import { indexDisclosures } from './index-disclosures.ts';

/**
 * Files what a batch of the stream tells of access logs: each access by organisation and day, and what other organisations saw of a chart. It also continues
 * the chains of the logs. Repeating a batch changes nothing. One function does all that, because a stream has room for two readers, and the other one publishes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
 */
export const fileAccesses = async (table: Table, event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const reports = await Promise.all([
    indexByDay(table.client, table.tableName, event),
    indexDisclosures(table, event),
    chainAccesses(table, event),
  ]);
  const failed = new Set(
    reports.flatMap(({ batchItemFailures }) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)),
  );
  const first = event.Records.find(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
  return { batchItemFailures: first ? [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }] : [] };
};
