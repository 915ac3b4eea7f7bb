import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { expect } from 'vitest';
import { changesNothing, toLambdaRecord } from '../../infra/local/stream-event.ts';
import type { Policy } from '../../shared/access/policy.ts';
import { fileByTime } from '../../shared/changes/file-by-time.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { sweepAndBeat } from '../../shared/store/sweep-on-schedule.ts';
import { type LocalTable, localTable } from './dynamodb.ts';
import { type FhirServer, fhirServer } from './fhir-server.ts';

/** The stream of a table, as a function behind it is given it: nothing is handed out twice. */
export const streamOf = async ({ endpoint, tableName }: LocalTable): Promise<() => Promise<DynamoDBRecord[]>> => {
  const tables = new DynamoDBClient({ endpoint });
  const { Table } = await tables.send(new DescribeTableCommand({ TableName: tableName }));
  tables.destroy();
  const StreamArn = Table?.LatestStreamArn ?? '';
  const client = new DynamoDBStreamsClient({ endpoint });
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const shards = await Promise.all(
    (StreamDescription?.Shards ?? []).map(({ ShardId }) =>
      client.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' })),
    ),
  );
  const iterators = shards.map(({ ShardIterator }) => ShardIterator);
  return async () => {
    const records: DynamoDBRecord[] = [];
    for (const shard of iterators.keys()) {
      let found = 1;
      while (found > 0 && iterators[shard] !== undefined) {
        const page = await client.send(new GetRecordsCommand({ ShardIterator: iterators[shard] }));
        iterators[shard] = page.NextShardIterator;
        found = page.Records?.length ?? 0;
        const changed = (page.Records ?? []).filter((record) => !changesNothing(record));
        records.push(...changed.map((record) => toLambdaRecord(record, StreamArn)));
      }
    }
    return records;
  };
};

/** Hands records to the function that files them, some at a time, and fails the test if it asks for one again. */
export const fileRecords = async (
  store: Pick<RecordStore, 'client' | 'tableName'>,
  records: readonly DynamoDBRecord[],
  batchSize = 100,
): Promise<void> => {
  for (let at = 0; at < records.length; at += batchSize) {
    const report = await fileByTime(store, { Records: records.slice(at, at + batchSize) });
    expect(report).toEqual({ batchItemFailures: [] });
  }
};

/** A server, and what follows its stream: by the test's leave alone. */
export interface FollowedServer extends FhirServer {
  /** What the stream tells since the last call. */
  readonly streamed: () => Promise<DynamoDBRecord[]>;
  /** Files all of that. */
  readonly file: () => Promise<void>;
  /** Sends the sweeper's beats and files all there is, so that the feed is known to be complete up to a minute before `now`. */
  readonly beat: (now?: number) => Promise<void>;
}

export const followedServer = async (policy: Partial<Policy> = {}): Promise<FollowedServer> => {
  const table = await localTable();
  const streamed = await streamOf(table);
  const server = await fhirServer(table, policy);
  const file = async () => fileRecords(server.store, await streamed());
  const beat = async (now?: number) => {
    await sweepAndBeat(server.store, now);
    await file();
  };
  return { ...server, streamed, file, beat };
};
