import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { log } from '../../log.ts';
import { inParallel } from '../in-parallel.ts';
import { type Row, type RowKey } from '../keys.ts';
import { rowsBetween } from '../rows-between.ts';
import { type Table, writeRows } from '../write-rows.ts';
import { beatKey, beatPrefix, beatsKey, feedGapKey, feedProgressPartition } from './feed-keys.ts';
import { timeText } from './feed-rows.ts';

// The feed is written behind the stream, so it may lag, and whoever reads it is to know up to when it has everything. The stream has order
// within a shard alone, and nobody knows which chart is in which shard. So the sweeper writes beats: rows under 64 keys, which lie in whatever
// shards there are. A beat that has come out of the stream proves that its shard has been filed up to where it was written. Each tells which one
// came before it, so one that is missing is noticed, and with it that something was lost.

/** Beats a round: that one of ten shards, of a table of some 100 GB, has none of them is one case in 800. */
const beatNames = Array.from({ length: 64 }, (_, number) => String(number));

/**
 * A commit is in the table so long after the time that its versions bear, in milliseconds, or never: a request has 29 seconds, and clocks of
 * machines differ by less than the rest.
 */
export const commitWithinMs = 60_000;

/**
 * What comes out of the stream later than this, in milliseconds, tells that something else may not have come at all: a batch is given up after six
 * hours (infra/stacks/sharing.ts).
 */
export const lateAfterMs = 5 * 3600_000;
const hourMs = 3600_000;

/** A row that goes through the stream to tell how far it has been read. */
export interface Beat extends RowKey {
  /** Whatever was written up to then is in front of this beat, in its shard. Milliseconds since 1970. */
  readonly to: number;
}

/**
 * Sends a round of beats.
 *
 * @param to - up to when everything that was ever to become visible has: no transaction from before is unfinished.
 */
export const sendBeats = async ({ client, tableName: TableName }: Table, to: number): Promise<void> => {
  await inParallel(beatNames.length, beatNames, (name) =>
    client
      .send(
        new PutCommand({
          TableName,
          Item: { ...beatKey(name), to },
          ConditionExpression: 'attribute_not_exists(pk) OR #to < :to',
          ExpressionAttributeNames: { '#to': 'to' },
          ExpressionAttributeValues: { ':to': to },
        }),
      )
      .catch(passOverFailedCondition),
  );
};

/** Another one was quicker, or this one was sent twice. */
const passOverFailedCondition = (error: unknown): void => {
  if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
};

/** A beat that came out of the stream, and the one before it under the same key. */
export interface BeatChange {
  readonly before: Beat | undefined;
  readonly after: Beat;
}

/** When the last beat of each name was, as the row of them says. */
type Beats = Readonly<Record<string, unknown>>;

/**
 * Notes beats of one batch, once all that stood before them there is filed. One that came before changes nothing; where one is missing, what
 * stood between it and the next may be missing too, and the feed counts as complete up to the one before alone.
 *
 * @throws if another run of the consumer notes the same at the same time; the batch is to be repeated.
 */
export const noteBeats = async (
  { client, tableName: TableName }: Table,
  beats: readonly BeatChange[],
  now = Date.now(),
): Promise<void> => {
  if (beats.length === 0) return;
  const { Item: noted = {} as Beats } = await client.send(
    new GetCommand({ TableName, Key: beatsKey, ConsistentRead: true }),
  );
  const at = new Map<string, number | undefined>();
  let lostSince = Number.POSITIVE_INFINITY;
  for (const { before, after } of beats) {
    const name = after.pk.slice(beatPrefix.length);
    const known = at.has(name) ? at.get(name) : numberOf(noted[name]);
    if (known !== undefined && known >= after.to) continue;
    if (known !== before?.to) lostSince = Math.min(lostSince, known ?? 0);
    at.set(name, after.to);
  }
  if (at.size === 0) return;
  if (lostSince < Number.POSITIVE_INFINITY) await noteGap({ client, tableName: TableName }, lostSince, now);
  const names = [...at.keys()];
  await client.send(
    new UpdateCommand({
      TableName,
      Key: beatsKey,
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: names
        .map((name) => (noted[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :was${name}`))
        .join(' AND '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        names.flatMap((name): [string, unknown][] => [
          [`:${name}`, at.get(name)],
          ...(noted[name] === undefined ? [] : [[`:was${name}`, noted[name]] as [string, unknown]]),
        ]),
      ),
    }),
  );
};

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/**
 * Notes that a batch came so late that others may have been given up. Called before it is filed: what fails until it is given up has been noted then.
 *
 * @param created - when the oldest change of the batch was written. Milliseconds since 1970.
 */
export const noteLateness = async (table: Table, created: number, now: number): Promise<void> => {
  if (now - created < lateAfterMs) return;
  await noteGap(table, Math.floor(created / hourMs) * hourMs - commitWithinMs, now);
};

/** The feed counts as complete up to `from` alone, until what it lacks is filed and this row removed. */
const noteGap = (table: Table, from: number, noted: number): Promise<void> => {
  log.warn('the feed may lack changes: a beat is missing, or a batch came late');
  return writeRows(table, [{ ...feedGapKey(timeText(from)), from: Math.max(from, 0), noted }]);
};

/** That the feed may lack changes that were written between two times, in milliseconds since 1970. */
export interface Gap {
  readonly from: number;
  /** When that was noticed. A gap that was noticed later again, and is not closed, is the same one. */
  readonly noted: number;
}

/** A stream has what is a day old at most. */
const streamMs = 24 * hourMs;

/** The beats; behind them gaps and parked charts: few, if any. A megabyte a Query, so that what is behind the beats was there when they were read. */
const progressRows = async (table: Table): Promise<readonly Row[]> => {
  const all: Row[] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await rowsBetween(table, { pk: feedProgressPartition, from: '!', to: '~', after });
    all.push(...rows);
    after = next;
  } while (after !== undefined);
  return all;
};

/**
 * Up to when everything has come out of the stream, whether or not it was filed; and where something of it may not have been. One Query.
 *
 * @returns `streamed` undefined where that is not known.
 */
export const progressOf = async (
  table: Table,
): Promise<{ readonly streamed: number | undefined; readonly gaps: readonly Gap[] }> => {
  const rows = await progressRows(table);
  const beats = rows.find(({ sk }) => sk === beatsKey.sk);
  const times = beatNames.map((name) => numberOf(beats?.[name])).filter((time) => time !== undefined);
  const gaps = rows
    .filter(({ sk }) => sk.startsWith(feedGapKey('').sk))
    .map(({ from, noted }): Gap => {
      const since = numberOf(from) ?? 0;
      return { from: since, noted: numberOf(noted) ?? since + streamMs };
    });
  return { streamed: times.length === beatNames.length ? Math.min(...times) : undefined, gaps };
};

/** Ends a gap, now that the feed has what it lacked; not if something was noticed to be missing there since. */
export const closeGap = async ({ client, tableName: TableName }: Table, { from, noted }: Gap): Promise<void> => {
  await client
    .send(
      new DeleteCommand({
        TableName,
        Key: feedGapKey(timeText(from)),
        ConditionExpression: 'attribute_not_exists(noted) OR noted <= :noted',
        ExpressionAttributeValues: { ':noted': noted },
      }),
    )
    .catch(passOverFailedCondition);
};

/**
 * Up to when the feed has every change, in milliseconds since 1970; undefined where that is not known. What it has besides is newer. To be asked
 * before the feed is read. One call.
 */
export const completeUpTo = async (table: Table): Promise<number | undefined> => {
  const rows = await progressRows(table);
  const beats = rows.find(({ sk }) => sk === beatsKey.sk);
  const missing = rows.filter(({ sk }) => sk !== beatsKey.sk);
  const all = [...beatNames.map((name) => numberOf(beats?.[name])), ...missing.map(({ from }) => numberOf(from))];
  const known = all.filter((time) => time !== undefined);
  const least = known.length === all.length ? Math.min(...known) : 0;
  return least > 0 ? least : undefined;
};
