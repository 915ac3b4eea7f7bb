import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { timeOfPlace } from '../../store/ids.ts';
import { auditChainKey, auditChainPartition, auditPartition, type RowKey } from '../../store/keys.ts';
import type { Table } from '../../store/write-rows.ts';
import type { Head } from '../digest/digest.ts';
import type { Anchors } from '../digest/read-digests.ts';
import { type Link, type LinkRow, linkHash, linkIn } from './link.ts';
import { rowHash } from './row-hash.ts';

/** What is wrong with a log. Names keys, nothing of what rows hold. */
export interface ChainFault {
  readonly kind:
    | 'altered' // a row holds something else than when it was written
    | 'missing' // a row that was written is not there
    | 'inserted' // a row is there that nobody wrote through the stream, or long after the time that it tells, and was held nowhere
    | 'overwritten' // the stream told that a row was written a second time
    | 'removed' // the stream told that a row was removed
    | 'link-altered'
    | 'link-missing'
    | 'log-missing' // a digest tells of a log of which nothing is left
    | 'chain-rebuilt' // the chain differs from what a digest says of it
    | 'not-in-digest'; // a link that a digest should tell of by now, and none does
  readonly log: string;
  /** Sort key of the row or link. */
  readonly place: string;
}

/** What a look at one log came to. */
export interface LogVerdict {
  readonly log: string;
  readonly rows: number;
  readonly faults: readonly ChainFault[];
  /** Sort keys of rows that are newer than the chain: not protected yet. */
  readonly tail: readonly string[];
  /** Rows that are in the chain and behind the newest digest: who can write to the table could still build that end of the chain anew. */
  readonly unanchored: number;
}

/** Whether a row of the log, which tells where it was held before it was filed, is what lies there. */
export type WasHeld = (row: RowKey & Readonly<Record<string, unknown>>) => Promise<boolean>;

/** What digests say of one log, and what lies beside them. */
export interface LogAnchors {
  readonly heads: readonly Pick<Head, 'number' | 'hash'>[];
  /** As of Anchors. */
  readonly complete: Anchors['complete'];
  /** Nothing is known of rows that were held, if absent: they are late. */
  readonly wasHeld?: WasHeld | undefined;
}

/** Later than the time that it tells by more than this, no request writes its trace: crashed transactions are settled within minutes. Milliseconds. */
const latestTrace = 15 * 60_000;

const placeTime = (sk: string): number => timeOfPlace(sk.replace(/!.*/, ''));

const noAnchors: LogAnchors = { heads: [], complete: { from: 0, to: 0 } };

/** Compares a log with its chain, and the chain with what digests say of it. Reads all of both. */
export const verifyLog = async (table: Table, log: string, anchors: LogAnchors = noAnchors): Promise<LogVerdict> => {
  // The chain first: a row that comes between the two reads is newer than the chain, and no fault.
  const links = (await rowsOf(table, auditChainPartition(log))) as LinkRow[];
  const rows = await rowsOf(table, auditPartition(log));
  const faults: ChainFault[] = [];
  const name = (kind: ChainFault['kind'], place: string) => faults.push({ kind, log, place });

  const covered = new Map<string, string>();
  const late = new Set<string>();
  let previous: Link | undefined;
  let newest = 0;
  let unanchored = 0;
  const anchored = anchors.heads.reduce((most, { number }) => Math.max(most, number), 0);
  for (const row of links) {
    const link = linkIn(row);
    if (link.number > anchored) {
      unanchored += link.covers.length;
      const { from, to } = anchors.complete;
      if (link.at * 1_000 >= from && link.at * 1_000 < to) name('not-in-digest', row.sk);
    }
    for (let number = (previous?.number ?? 0) + 1; number < link.number; number++)
      name('link-missing', auditChainKey(log, number).sk);
    const follows = link.number === (previous?.number ?? 0) + 1;
    // What does not fit is what the link before says, which this one has the hash of.
    if (follows && link.previous !== (previous ? linkHash(previous) : ''))
      name('link-altered', previous ? auditChainKey(log, previous.number).sk : row.sk);
    for (const [place, hash, fault] of link.covers) {
      if (fault) name(fault, place);
      else covered.set(place, hash);
      newest = Math.max(newest, placeTime(place));
      if (link.at > 0 && link.at * 1_000 - placeTime(place) > latestTrace) late.add(place);
    }
    previous = link;
  }
  const byNumber = new Map(links.map((row) => [Number(row.sk), row]));
  const gone = links.length === 0 && rows.length === 0;
  for (const { number, hash } of anchors.heads) {
    const row = byNumber.get(number);
    if (gone) name('log-missing', '');
    else if (!row) name('link-missing', auditChainKey(log, number).sk);
    else if (linkHash(linkIn(row)) !== hash) name('chain-rebuilt', row.sk);
  }

  const found = new Map(rows.map((row) => [row.sk, row]));
  for (const [place, hash] of covered) {
    const row = found.get(place);
    if (!row) name('missing', place);
    else if (rowHash(marshall(row)) !== hash) name('altered', place);
  }
  // What the table could not take for a while is late, and lies in the bucket to show it.
  const wasHeld = async (place: string): Promise<boolean> => {
    const row = found.get(place);
    return row !== undefined && (await (anchors.wasHeld?.(row) ?? false));
  };
  for (const place of late) if (!(await wasHeld(place))) name('inserted', place);
  const tail: string[] = [];
  for (const { sk } of rows) {
    if (covered.has(sk)) continue;
    if (placeTime(sk) > newest - latestTrace || (await wasHeld(sk))) tail.push(sk);
    else name('inserted', sk);
  }
  return {
    log,
    rows: rows.length,
    faults: faults.filter(
      ({ kind, place }, at) => faults.findIndex((each) => each.kind === kind && each.place === place) === at,
    ),
    tail,
    unanchored,
  };
};

const rowsOf = async (
  { client, tableName }: Table,
  partition: string,
): Promise<(RowKey & Record<string, unknown>)[]> => {
  const rows: Record<string, unknown>[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': partition },
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      }),
    );
    rows.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows as (RowKey & Record<string, unknown>)[];
};
