import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { RecordStore } from '../record-store.ts';
import type { RecordChange } from './change.ts';
import { feedPartition } from './feed-keys.ts';
import {
  changesOf,
  endOf,
  type FeedRow,
  feedShards,
  lastRowBefore,
  positionOf,
  timeIn,
  timeText,
} from './feed-rows.ts';

/** Rows that are read of a partition at most at once, once a page is past the position in front of which it begins. */
const mostRows = 1_000;

/** More rows than a call has room for: it brings a megabyte at most. */
const mostInCall = 100_000;

/** Times that partitions are read for one page. What lies behind its position in the same minute is read in the first, however much that is. */
const mostRounds = 6;

/** Which changes are wanted. */
export interface FeedRange {
  /** Whose feeds: organisations, or the network. */
  readonly owners: readonly string[];
  /** Only changes in front of this position, newest first. */
  readonly before?: string | undefined;
  /** Only changes at or after this time, in milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly wanted: (change: RecordChange) => boolean;
  /** What is known without reading a feed: it is put in its order among the rest. */
  readonly known?: readonly RecordChange[] | undefined;
  /** Changes that are to be shown. */
  readonly limit: number;
}

/** One partition, read newest first. */
interface Shard {
  readonly partition: string;
  /** Changes that were read and not given out, by position. */
  readonly pending: Map<string, RecordChange>;
  /** Time of the last row that was read: no later one is unread. */
  frontier: string;
  last: Record<string, unknown> | undefined;
  ended: boolean;
}

/**
 * Changes in feeds, newest first, each once, however often it was filed. The partitions are read at the same time. A row tells of changes of up to a
 * minute before its key, so a change is given out once every partition has been read beyond its time.
 */
export class FeedReading {
  readonly #store: RecordStore;
  readonly #range: FeedRange;
  readonly #shards: Shard[];
  #rows: number;
  #rounds = 0;

  constructor(store: RecordStore, range: FeedRange) {
    this.#store = store;
    this.#range = range;
    const shard = (partition: string): Shard => ({
      partition,
      pending: new Map(),
      frontier: '~',
      last: undefined,
      ended: false,
    });
    this.#shards = range.owners.flatMap((owner) =>
      Array.from({ length: feedShards }, (_, number) => shard(feedPartition(owner, number))),
    );
    if (range.known) {
      const known = { ...shard(''), ended: true };
      this.#shards.push(known);
      this.#take(known, range.known);
    }
    this.#rows = Math.max(10, Math.ceil(range.limit / 2));
  }

  /** Whether everything was given out. */
  get ended(): boolean {
    return this.#shards.every(({ ended, pending }) => ended && pending.size === 0);
  }

  /** Whether no more is read for this page. */
  get spent(): boolean {
    return this.#rounds >= mostRounds;
  }

  /** Position in front of which nothing was given out yet, once all that `more` returned is done with: in front of `before`, too. */
  get rest(): string {
    return endOf(this.#bound());
  }

  /** Reads on, and gives out what follows: perhaps nothing yet. */
  async more(): Promise<RecordChange[]> {
    const bound = this.#bound();
    // A partition that is far ahead, because its rows are older or hold more, waits for the others.
    const behind = this.#shards.filter(
      ({ ended, frontier, pending }) => !ended && (frontier >= bound || pending.size < this.#rows / 4),
    );
    if (behind.length > 0) this.#rounds++;
    await Promise.all(behind.map((shard) => this.#readOn(shard)));
    this.#rows = Math.min(this.#rows * 8, mostRows);
    return this.#given();
  }

  /** The time of the latest change that may still be unread; the empty text if there is none. */
  #bound(): string {
    return this.#shards.reduce((latest, { ended, frontier }) => (!ended && frontier > latest ? frontier : latest), '');
  }

  /**
   * Reads a partition once; and again until it is in front of `before`. Rows of up to a minute behind that may hold changes in front of it, so each page
   * begins at the end of the minute; one that ended within those rows would be followed by itself, for ever. A call brings a megabyte at most: some
   * 5,000 rows of one change.
   */
  async #readOn(shard: Shard): Promise<void> {
    const { before } = this.#range;
    for (let rows = this.#rows; ; rows = Math.min(rows * 8, mostInCall)) {
      await this.#read(shard, rows);
      if (before === undefined || shard.ended || endOf(shard.frontier) < before) return;
    }
  }

  async #read(shard: Shard, rows: number): Promise<void> {
    const { before, since } = this.#range;
    const { Items = [], LastEvaluatedKey } = await this.#store.client.send(
      new QueryCommand({
        TableName: this.#store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': shard.partition,
          ':from': timeText(since ?? 0),
          ':to': before === undefined ? '~' : lastRowBefore(before),
        },
        ScanIndexForward: false,
        Limit: rows,
        ...(shard.last ? { ExclusiveStartKey: shard.last } : {}),
      }),
    );
    for (const row of Items as FeedRow[]) this.#take(shard, changesOf(row));
    const last = Items.at(-1);
    if (last) shard.frontier = timeIn(String(last.sk));
    shard.last = LastEvaluatedKey;
    shard.ended = LastEvaluatedKey === undefined;
  }

  #take({ pending }: Shard, changes: readonly RecordChange[]): void {
    const { before, since = 0, wanted } = this.#range;
    for (const change of changes) {
      const position = positionOf(change);
      if (change.updated < since || (before !== undefined && position >= before)) continue;
      if (wanted(change)) pending.set(position, change);
    }
  }

  #given(): RecordChange[] {
    const bound = this.#bound();
    const given: (readonly [string, RecordChange])[] = [];
    for (const { pending } of this.#shards) {
      for (const [position, change] of pending) {
        if (timeIn(position) <= bound) continue;
        given.push([position, change]);
        pending.delete(position);
      }
    }
    return given.sort(([a], [b]) => (a < b ? 1 : -1)).map(([, change]) => change);
  }
}
