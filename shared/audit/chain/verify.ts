import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { timeOfPlace } from '../../store/ids.ts';
import { auditChainKey, auditChainPartition, auditPartition, type RowKey } from '../../store/keys.ts';
import type { Table } from '../../store/write-rows.ts';
import { type Link, type LinkRow, linkHash, linkIn } from './link.ts';
import { rowHash } from './row-hash.ts';

/** What is wrong with a log. Names keys, nothing of what rows hold. */
export interface ChainFault {
  readonly kind:
    | 'altered' // a row holds something else than when it was written
    | 'missing' // a row that was written is not there
    | 'inserted' // a row is there that nobody wrote through the stream, or long after the time that it tells
    | 'overwritten' // the stream told that a row was written a second time
    | 'removed' // the stream told that a row was removed
    | 'link-altered'
    | 'link-missing'
    | 'chain-rebuilt'; // the chain differs from a head that was kept elsewhere
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
  /** The last link, to be compared with what is kept elsewhere. */
  readonly head: Head | undefined;
}

/** The end of a chain at some moment. */
export interface Head {
  readonly log: string;
  readonly number: number;
  readonly hash: string;
}

/** Later than the time that it tells by more than this, no request writes its trace: crashed transactions are settled within minutes. Milliseconds. */
const latestTrace = 15 * 60_000;

const placeTime = (sk: string): number => timeOfPlace(sk.replace(/!.*/, ''));

/**
 * Compares a log with its chain. Reads all of both.
 *
 * @param kept - heads of this log that are kept where the table's writers cannot change them.
 */
export const verifyLog = async (table: Table, log: string, kept: readonly Head[] = []): Promise<LogVerdict> => {
  // The chain first: a row that comes between the two reads is newer than the chain, and no fault.
  const links = (await rowsOf(table, auditChainPartition(log))) as LinkRow[];
  const rows = await rowsOf(table, auditPartition(log));
  const faults: ChainFault[] = [];
  const name = (kind: ChainFault['kind'], place: string) => faults.push({ kind, log, place });

  const covered = new Map<string, string>();
  let previous: Link | undefined;
  let newest = 0;
  for (const row of links) {
    const link = linkIn(row);
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
      if (link.at > 0 && link.at * 1_000 - placeTime(place) > latestTrace) name('inserted', place);
    }
    previous = link;
  }
  for (const { number, hash } of kept) {
    const row = links.find(({ sk }) => Number(sk) === number);
    if (!row) name('link-missing', auditChainKey(log, number).sk);
    else if (linkHash(linkIn(row)) !== hash) name('chain-rebuilt', row.sk);
  }

  const found = new Map(rows.map((row) => [row.sk, row]));
  for (const [place, hash] of covered) {
    const row = found.get(place);
    if (!row) name('missing', place);
    else if (rowHash(marshall(row)) !== hash) name('altered', place);
  }
  const loose = rows.map(({ sk }) => sk).filter((sk) => !covered.has(sk));
  const tail = loose.filter((sk) => placeTime(sk) > newest - latestTrace);
  for (const sk of loose) if (!tail.includes(sk)) name('inserted', sk);
  return {
    log,
    rows: rows.length,
    faults: faults.filter(
      ({ kind, place }, at) => faults.findIndex((each) => each.kind === kind && each.place === place) === at,
    ),
    tail,
    head: previous && { log, number: previous.number, hash: linkHash(previous) },
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
