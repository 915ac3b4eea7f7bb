import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type Shard,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { log } from '../../shared/log.ts';
import { CannotStart } from './cannot-start.ts';
import { type EventPattern, matchesPattern } from './event-pattern.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';
import { type LoadHandler, lambdaContext, largestPayload } from './lambda.ts';
import { changesNothing, toLambdaRecord } from './stream-event.ts';

/** A function behind an event source mapping of the table's stream. */
export interface StreamConsumer {
  /** Names the file that keeps its position. */
  readonly name: string;
  /** File whose export `handler` takes the batches, from the root of the project. */
  readonly entry: string;
  /** Most records in a batch; 100 if absent. */
  readonly batchSize?: number;
  /** Filter patterns of the mapping: a record that matches none of them is skipped. All pass if absent. */
  readonly filters?: readonly EventPattern[];
}

export interface StreamPollerOptions {
  readonly endpoint: string;
  readonly tableName: string;
  /** Where positions are kept. */
  readonly folder: string;
  readonly consumers: readonly StreamConsumer[];
  readonly load: LoadHandler;
  /** Called with a sequence number that every consumer has passed. */
  readonly trim?: (tableName: string, upTo: string) => void;
}

export interface StreamPoller {
  /** Resolves once every consumer has handled all that was written before the call. */
  readonly settled: () => Promise<void>;
  /** Stops after the batch under way, or after a moment. */
  readonly stop: () => Promise<void>;
}

/** Pause between two empty reads, in milliseconds; it doubles up to the longest. */
const shortestPause = 10;
const longestPause = 200;
/** Pause before a failed batch is tried again, in milliseconds; it doubles up to the longest. */
const shortestRetry = 50;
const longestRetry = 5_000;
/** Time that a consumer has for a batch, in milliseconds. */
const timeoutMs = 60_000;
/** Records that may pile up before they are trimmed. */
const trimEvery = 500;
const stopWithinMs = 1_000;

/** Starts an event source mapping for each consumer. Each has its own position and does not wait for the others. */
export const startStreamPoller = async (options: StreamPollerOptions): Promise<StreamPoller> => {
  const { endpoint, tableName, consumers, trim } = options;
  const streamArn = await streamOf(endpoint, tableName);
  const client = new DynamoDBStreamsClient({ endpoint });
  const stopping = new AbortController();
  let trimmed = 0n;
  const mappings = consumers.map((consumer) => new Mapping(consumer, client, streamArn, options, stopping.signal));
  const passed = () => {
    const positions = mappings.map(({ passedTo }) => passedTo);
    const lowest = positions.reduce((low, each) => (each < low ? each : low), positions[0] ?? 0n);
    if (!trim || lowest - trimmed < trimEvery) return;
    trimmed = lowest;
    trim(tableName, String(lowest));
  };
  const running = mappings.map((mapping) => mapping.run(passed));
  return {
    settled: async () => {
      await Promise.all(mappings.map((mapping) => mapping.settled()));
    },
    stop: async () => {
      stopping.abort();
      await Promise.race([Promise.all(running), delay(stopWithinMs, undefined, { ref: false })]);
      client.destroy();
    },
  };
};

const streamOf = async (endpoint: string, tableName: string): Promise<string> => {
  const client = new DynamoDBClient({ endpoint });
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.LatestStreamArn) return Table.LatestStreamArn;
    throw new CannotStart(`Table ${tableName} at ${endpoint} has no stream, so no change would ever be published.`);
  } finally {
    client.destroy();
  }
};

/** What a mapping remembers across restarts. */
interface Position {
  readonly streamArn: string;
  /** Last sequence number handled, by shard. */
  readonly shards: Readonly<Record<string, string>>;
  /** Shards that are closed and read to their end. */
  readonly finished: readonly string[];
}

/** One consumer's way through the stream: in order within a shard, a shard after its parent. */
class Mapping {
  readonly #consumer: StreamConsumer;
  readonly #client: DynamoDBStreamsClient;
  readonly #streamArn: string;
  readonly #load: LoadHandler;
  readonly #file: string;
  readonly #signal: AbortSignal;
  #position: Position;
  #iterators = new Map<string, string>();
  /** Those who wait until all is handled, and the number of empty rounds that each still needs. */
  #waiting: { rounds: number; resolve: () => void }[] = [];

  constructor(
    consumer: StreamConsumer,
    client: DynamoDBStreamsClient,
    streamArn: string,
    { load, folder }: StreamPollerOptions,
    signal: AbortSignal,
  ) {
    this.#consumer = consumer;
    this.#client = client;
    this.#streamArn = streamArn;
    this.#load = load;
    this.#file = path.join(folder, `stream-${consumer.name}.json`);
    this.#signal = signal;
    const known = readJsonFile(this.#file) as Position | undefined;
    this.#position = known?.streamArn === streamArn ? known : { streamArn, shards: {}, finished: [] };
  }

  /** Highest sequence number up to which every record of the open shards was handled. */
  get passedTo(): bigint {
    const numbers = Object.values(this.#position.shards).map(BigInt);
    return numbers.reduce((low, each) => (each < low ? each : low), numbers[0] ?? 0n);
  }

  settled(): Promise<void> {
    // The round under way may have read before the caller's last write; the one after it has not.
    return new Promise((resolve) => this.#waiting.push({ rounds: 2, resolve }));
  }

  async run(passed: () => void): Promise<void> {
    let pause = shortestPause;
    while (!this.#signal.aborted) {
      try {
        const handled = await this.#round();
        if (handled) passed();
        else this.#announceEmptyRound();
        pause = handled ? shortestPause : Math.min(pause * 2, longestPause);
      } catch (error) {
        if (this.#signal.aborted) return;
        log.fault('the stream could not be read', error);
        this.#iterators.clear(); // one that has expired would fail for ever
        pause = longestRetry;
      }
      await this.#pause(this.#waiting.length > 0 ? shortestPause : pause);
    }
  }

  #announceEmptyRound(): void {
    for (const waiting of this.#waiting) waiting.rounds -= 1;
    const done = this.#waiting.filter(({ rounds }) => rounds <= 0);
    this.#waiting = this.#waiting.filter(({ rounds }) => rounds > 0);
    for (const { resolve } of done) resolve();
  }

  /** Reads each shard that may be read once. Returns whether there was anything. */
  async #round(): Promise<boolean> {
    if (this.#iterators.size === 0) await this.#openShards();
    let handled = false;
    for (const [shard, iterator] of this.#iterators) {
      const { Records = [], NextShardIterator } = await this.#client.send(
        new GetRecordsCommand({ ShardIterator: iterator }),
        { abortSignal: this.#signal },
      );
      await this.#handle(shard, Records);
      if (this.#signal.aborted) return handled;
      handled ||= Records.length > 0;
      if (NextShardIterator) this.#iterators.set(shard, NextShardIterator);
      else this.#finish(shard);
    }
    return handled;
  }

  async #openShards(): Promise<void> {
    const shards = await this.#shards();
    const listed = new Set(shards.map(({ ShardId }) => ShardId));
    const finished = new Set(this.#position.finished);
    for (const { ShardId, ParentShardId } of shards) {
      const parentDone = !ParentShardId || !listed.has(ParentShardId) || finished.has(ParentShardId);
      if (!ShardId || finished.has(ShardId) || !parentDone) continue;
      const after = this.#position.shards[ShardId];
      const { ShardIterator } = await this.#client.send(
        new GetShardIteratorCommand({
          StreamArn: this.#streamArn,
          ShardId,
          ...(after === undefined
            ? { ShardIteratorType: 'TRIM_HORIZON' }
            : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after }),
        }),
        { abortSignal: this.#signal },
      );
      if (ShardIterator) this.#iterators.set(ShardId, ShardIterator);
    }
  }

  async #shards(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let last: string | undefined;
    do {
      const { StreamDescription } = await this.#client.send(
        new DescribeStreamCommand({ StreamArn: this.#streamArn, ExclusiveStartShardId: last }),
        { abortSignal: this.#signal },
      );
      shards.push(...(StreamDescription?.Shards ?? []));
      last = StreamDescription?.LastEvaluatedShardId;
    } while (last !== undefined);
    return shards;
  }

  /** Hands records to the function, batch after batch, each until all of it is done. */
  async #handle(shard: string, records: readonly StreamRecord[]): Promise<void> {
    let rest = records;
    while (rest.length > 0 && !this.#signal.aborted) {
      const batch = rest.slice(0, sizeOfBatch(rest, this.#consumer.batchSize ?? 100));
      await this.#handleBatch(shard, batch);
      rest = rest.slice(batch.length);
    }
  }

  async #handleBatch(shard: string, batch: readonly StreamRecord[]): Promise<void> {
    let rest = batch;
    let retry = shortestRetry;
    while (!this.#signal.aborted) {
      const failed = await this.#invoke(rest);
      const done = failed === undefined ? rest : rest.slice(0, failed);
      const last = done.at(-1)?.dynamodb?.SequenceNumber;
      if (last !== undefined) this.#moveTo({ shards: { ...this.#position.shards, [shard]: last } });
      if (failed === undefined) return;
      if (done.length > 0) retry = shortestRetry;
      rest = rest.slice(failed);
      await this.#pause(retry);
      retry = Math.min(retry * 2, longestRetry);
    }
  }

  /** @returns index of the first record that must come again; undefined if all are done. */
  async #invoke(batch: readonly StreamRecord[]): Promise<number | undefined> {
    const { entry, filters } = this.#consumer;
    const records = batch
      .filter((record) => !changesNothing(record))
      .map((record) => toLambdaRecord(record, this.#streamArn))
      .filter((record) => !filters || filters.some((filter) => matchesPattern(filter, record)));
    if (records.length === 0) return undefined;
    try {
      const handler = await this.#load(entry);
      return firstFailure(await handler({ Records: records }, lambdaContext(entry, timeoutMs)), batch);
    } catch (error) {
      log.fault(`${entry} failed; its batch will be tried again`, error, { count: records.length });
      return 0;
    }
  }

  #moveTo(change: Partial<Position>): void {
    this.#position = { ...this.#position, ...change };
    writeJsonFile(this.#file, this.#position);
  }

  #finish(shard: string): void {
    const { [shard]: _, ...shards } = this.#position.shards;
    this.#moveTo({ shards, finished: [...this.#position.finished, shard] });
    this.#iterators.clear(); // its children may be read now
  }

  async #pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#signal, ref: false }).catch(() => undefined);
  }
}

/** As many records as fit: by number, and by the largest event that a function takes. */
const sizeOfBatch = (records: readonly StreamRecord[], most: number): number => {
  let bytes = 0;
  // JSON with base64 is up to half as large again as what the stream counts.
  const fits = (record: StreamRecord) => {
    bytes += 1.5 * (record.dynamodb?.SizeBytes ?? 0) + 500;
    return bytes <= largestPayload;
  };
  const beyond = records.slice(0, most).findIndex((record) => !fits(record));
  return beyond === -1 ? Math.min(most, records.length) : Math.max(1, beyond);
};

/**
 * Reads a function's report of partial failures. A report that names an unknown record fails the whole batch, as in the service.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
const firstFailure = (report: unknown, batch: readonly StreamRecord[]): number | undefined => {
  const failures = (report as { batchItemFailures?: { itemIdentifier?: unknown }[] | null } | null | undefined)
    ?.batchItemFailures;
  if (!failures || failures.length === 0) return undefined;
  const places = failures.map(({ itemIdentifier }) =>
    batch.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === itemIdentifier),
  );
  return places.includes(-1) ? 0 : Math.min(...places);
};
