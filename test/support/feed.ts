import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { expect } from 'vitest';
import { matchesPattern } from '../../infra/local/event-pattern.ts';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';
import { changesNothing, toLambdaRecord } from '../../infra/local/stream-event.ts';
import type { Policy } from '../../shared/access/policy.ts';
import { fileAccesses } from '../../shared/audit/file-accesses.ts';
import { type Publisher, publishChanges } from '../../shared/changes/publish.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { sweepAndBeat } from '../../shared/store/sweep-on-schedule.ts';
import { asFunction } from './as-function.ts';
import { type LocalTable, localTable } from './dynamodb.ts';
import { type FhirServer, fhirServer } from './fhir-server.ts';
import { publisherOn } from './publisher.ts';
import { type RecordingBus, recordingBus } from './recording-bus.ts';

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

/** What an event source mapping of the stream hands to a function. */
export const passedTo = (name: string, records: readonly DynamoDBRecord[]): DynamoDBRecord[] => {
  const { filters = [] } = streamConsumers.find((each) => each.name === name) ?? {};
  return records.filter((record) => filters.some((filter) => matchesPattern(filter, record)));
};

/** Hands records to the functions behind the stream, some at a time, and fails the test if one asks for a record again. */
export const fileRecords = async (
  store: RecordStore,
  records: readonly DynamoDBRecord[],
  batchSize = 500,
  publisher: Publisher = publisherOn(store),
): Promise<void> => {
  const consumers = {
    'publish-changes': (event: DynamoDBStreamEvent) =>
      asFunction('functions/publish-changes.ts', store, () => publishChanges(publisher, event)),
    'file-accesses': (event: DynamoDBStreamEvent) =>
      asFunction('functions/file-accesses.ts', store, () => fileAccesses(store, event)),
  };
  for (const [name, consume] of Object.entries(consumers)) {
    const passed = passedTo(name, records);
    for (let at = 0; at < passed.length; at += batchSize) {
      const report = await consume({ Records: passed.slice(at, at + batchSize) });
      expect(report).toEqual({ batchItemFailures: [] });
    }
  }
};

/** A server, and what follows its stream: by the test's leave alone. */
export interface FollowedServer extends FhirServer {
  /** What was published. */
  readonly bus: RecordingBus;
  /** What the stream tells since the last call. */
  readonly streamed: () => Promise<DynamoDBRecord[]>;
  /** Files, tells and publishes all of that. */
  readonly file: () => Promise<void>;
  /** Sends the sweeper's beats and files all there is, so that the feed is known to be complete up to a minute before `now`. */
  readonly beat: (now?: number) => Promise<void>;
}

export const followedServer = async (policy: Partial<Policy> = {}): Promise<FollowedServer> => {
  const table = await localTable();
  const streamed = await streamOf(table);
  const server = await fhirServer(table, policy);
  const bus = recordingBus();
  const publisher = publisherOn(server.store, { policy, bus });
  const file = async () => fileRecords(server.store, await streamed(), undefined, publisher);
  const beat = async (now?: number) => {
    await asFunction('functions/sweep-transactions.ts', server.store, () => sweepAndBeat(server.store, now));
    await file();
  };
  return { ...server, streamed, file, beat, bus };
};
