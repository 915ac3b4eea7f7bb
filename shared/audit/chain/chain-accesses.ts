import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Table } from '../../store/write-rows.ts';
import { dayOf, noteChained } from './chained-logs.ts';
import { lastLink } from './last-link.ts';
import { type Covered, type Link, type LinkRow, linkHash, linkRow } from './link.ts';
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
 * When a stream was begun, in seconds since 1970: its name ends with that. A table that was restored has a stream of its own, whose numbers say nothing of those of
 * the stream before. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeStream.html
 */
const begunAt = ({ eventSourceARN = '' }: DynamoDBRecord): number => {
  const [, label = ''] = /\/stream\/(.+)$/.exec(eventSourceARN) ?? [];
  const time = /^\d+(?:\.\d+)?$/.test(label) ? Number(label) : Date.parse(`${label}Z`) / 1_000;
  return Number.isNaN(time) ? 0 : Math.floor(time);
};

const regionOf = (record: DynamoDBRecord | undefined): string | undefined => record?.eventSourceARN?.split(':')[3];

/**
 * Those of a batch that are not in the chain yet. A link from before their stream began, or from another region, was made of another one: of what that told, too, a row may be taken once more, with the same hash.
 */
const freshOf = (records: readonly DynamoDBRecord[], last: Link | undefined): readonly DynamoDBRecord[] => {
  const [first] = records;
  if (!first || !last || last.at < begunAt(first)) return records;
  if (last.region !== undefined && last.region !== regionOf(first)) return records;
  return records.filter((record) => isBehind(record, last.upTo));
};

/**
 * Continues the chain of each log that a batch of the stream tells of: one row a log and batch, whatever the batch brings of it. The stream has the rows of a log
 * in order. A batch that comes again, or in part, changes nothing; of two that continue one chain at once, one finds the other's link and goes on behind it.
 * Logs that get their first link of a day are noted for the day's digest before they get it, all of a batch in one row.
 *
 * @param now - milliseconds since 1970.
 */
export const chainAccesses = async (
  table: Table,
  { Records }: DynamoDBStreamEvent,
  now = Date.now(),
): Promise<DynamoDBBatchResponse> => {
  const byLog = Map.groupBy(Records, logOf);
  byLog.delete(undefined);
  const failed = new Set<string>();
  const give = (records: readonly DynamoDBRecord[], error: unknown) => {
    log.fault('a log cannot be chained', error);
    failed.add(records[0]?.dynamodb?.SequenceNumber ?? '');
  };
  const begun: Begun[] = [];
  await inParallel(concurrency, [...byLog], async ([name = '', records]) => {
    try {
      begun.push({ name, records, last: await lastLink(table, name) });
    } catch (error) {
      give(records, error);
    }
  });
  const noted = await note(table, begun, now).catch((error: unknown) => error);
  await inParallel(concurrency, begun, async ({ name, records, last }) => {
    try {
      if (noted !== undefined) throw noted;
      let end = last;
      for (let at = 0; at < records.length; at += mostCovered)
        end = await continueChain(table, name, records.slice(at, at + mostCovered), end);
    } catch (error) {
      give(records, error);
    }
  });
  const first = Records.find(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
  return { batchItemFailures: first ? [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }] : [] };
};

/** A log that a batch tells of, and where its chain ended when that was looked up. */
interface Begun {
  readonly name: string;
  readonly records: readonly DynamoDBRecord[];
  readonly last: Link | undefined;
}

/**
 * Notes the logs that get their first link of a day. A link is noted under the day on which it is put or, where the stream's clock is ahead, that of its rows: never under an
 * earlier day than its own. So where the last link is of this day, its log is noted.
 */
const note = async (table: Table, begun: readonly Begun[], now: number): Promise<undefined> => {
  const byDay = Map.groupBy(begun, ({ records }) => dayOf(Math.max(now, ...records.map(createdAt).map(inMs))));
  for (const [day, logs] of byDay) {
    const first = logs.filter(({ last }) => last === undefined || dayOf(inMs(last.at)) !== day);
    const names = first.map(({ name }) => name);
    if (names.length > 0) await noteChained(table, day, names);
  }
};

const inMs = (seconds: number): number => seconds * 1_000;

const createdAt = (record: DynamoDBRecord | undefined): number =>
  Math.floor(record?.dynamodb?.ApproximateCreationDateTime ?? 0);

/** @returns the end of the chain. */
const continueChain = async (
  table: Table,
  name: string,
  records: readonly DynamoDBRecord[],
  known: Link | undefined,
): Promise<Link | undefined> => {
  let last = known;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) last = await lastLink(table, name);
    const fresh = freshOf(records, last);
    if (fresh.length === 0) return last;
    const region = regionOf(fresh[0]);
    const next: Link = {
      log: name,
      number: (last?.number ?? 0) + 1,
      previous: last ? linkHash(last) : '',
      upTo: fresh.at(-1)?.dynamodb?.SequenceNumber ?? '0',
      at: createdAt(fresh[0]),
      covers: fresh.map(coveredBy),
      ...(region === undefined ? {} : { region }),
    };
    if (await put(table, linkRow(next))) return next;
  }
  throw new Error('Others continue the chain'); // the batch comes again
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
