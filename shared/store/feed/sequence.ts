import { setTimeout as pause } from 'node:timers/promises';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../../errors.ts';
import { log } from '../../log.ts';
import { network } from '../keys.ts';
import type { RecordStore } from '../record-store.ts';
import { tryWrite } from '../transact.ts';
import type { Table } from '../write-rows.ts';
import type { RecordChange } from './change.ts';
import { sequenceKey, sequencePartition } from './feed-keys.ts';
import { changesOf, type FeedRow } from './feed-rows.ts';
import {
  byPosition,
  type Entries,
  entryOf,
  markOf,
  numberOf,
  type SequenceRow,
  saysTheSame,
  sequenceRow,
} from './sequence-rows.ts';

// What each organisation may know of, in the order in which the publisher tells it. Rows are numbered from 1, and each is put behind the last one on the
// condition that nobody else was quicker. So whoever has seen row n has seen all before it, and nothing ever comes behind a reader's place: times of
// versions could not promise that, since what was written earlier may come out of the stream later.

/**
 * A place in a sequence: the number of a row, how many changes of that row are taken already, and five letters that tell the last row of which any was taken,
 * or nothing at the beginning. To be kept and handed back as it is.
 */
export type Place = readonly [row: number, taken: number, mark: string];

/** How far an organisation has read: in its own sequence, and in that of the network. */
export interface Cursor {
  readonly own: Place;
  readonly network: Place;
}

const firstPlace: Place = [1, 0, ''];

/** Before all that was ever told. */
export const beginning: Cursor = { own: firstPlace, network: firstPlace };

/** Rows that are looked at for what is to be appended: a batch that comes again soon, as while the bus is away, is told once. */
const lookBack = 8;

/** Longest pause before another number is tried, in milliseconds. */
const longestPauseMs = 200;

/**
 * Tells an organisation, or the network (`*`), of changes: one row, behind all that it was told before. Doing it again adds nothing while nothing, or little else,
 * has been told meanwhile; later, it tells again. A Query, and a put for each try: whoever loses has lost to another one who told something, so this ends.
 *
 * @param again - whether it is told though it was told a moment ago: whoever read that could not see it.
 * @throws RecordError `throttled`; what left the table without an answer. It may have been told then.
 */
export const appendToSequence = async (
  table: Table,
  organization: string,
  entries: Entries,
  { again = false }: { readonly again?: boolean } = {},
): Promise<void> => {
  const { client, tableName: TableName } = table;
  const row = sequenceRow(entries);
  if (row.n === 0) return;
  for (let tries = 0; ; tries++) {
    const last = await newestRows(table, organization, lookBack);
    if (!again && last.some((each) => saysTheSame(each, row))) return;
    const Item: SequenceRow = { ...sequenceKey(organization, last[0] ? numberOf(last[0]) + 1 : 1), ...row };
    const refused = await tryWrite(
      client,
      new PutCommand({
        TableName,
        Item,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    // It may have been written by a sending whose answer was lost.
    if (!refused || (refused.row && saysTheSame(refused.row as unknown as SequenceRow, row))) return;
    await pause(Math.random() * Math.min(2 ** Math.min(tries, 10), longestPauseMs));
  }
};

/** Newest first. Each of those before it is there by then, too. */
const newestRows = async ({ client, tableName: TableName }: Table, owner: string, Limit: number) => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': sequencePartition(owner) },
      ScanIndexForward: false,
      Limit,
    }),
  );
  return Items as SequenceRow[];
};

/** Behind all that an organisation and the network have been told so far. Two Queries at once, strongly consistent. */
export const endOfSequence = async (table: Table, organization: string): Promise<Cursor> => {
  const endOf = async (owner: string): Promise<Place> => {
    const [last] = await newestRows(table, owner, 1);
    return last ? [numberOf(last) + 1, 0, markOf(last)] : firstPlace;
  };
  const [own, ofNetwork] = await Promise.all([endOf(organization), endOf(network)]);
  return { own, network: ofNetwork };
};

/** A change that an organisation was told of. */
export interface ToldChange {
  readonly change: RecordChange;
  /** Whose sequence told of it: the organisation, or the network. */
  readonly recipient: string;
  /** Behind this change. */
  readonly after: Cursor;
}

/** Rows that are read of a sequence at once, at most. */
const mostRows = 25;

/**
 * What an organisation and the network were told of behind a cursor, oldest first, versions of one record in their order. What was told twice comes twice.
 * Two Queries at once and a BatchGet, strongly consistent. Whether it may still be read is not asked here.
 *
 * @param limit - changes at most; there may be fewer, though more follow. At least one, unless it is the end.
 * @returns the changes, and whether they reach to the end as it was.
 * @throws RecordError `deleted`, `cursor-lost`, where the cursor is of something that was never told, or is told no more: the table was restored to a time before it.
 */
export const changesAfter = async (
  store: RecordStore,
  organization: string,
  cursor: Cursor,
  limit: number,
): Promise<{ readonly changes: readonly ToldChange[]; readonly end: boolean }> => {
  const [own, shared] = await Promise.all([
    stretchAfter(store, organization, cursor.own, limit),
    stretchAfter(store, network, cursor.network, limit),
  ]);
  const keys = [...own.rows, ...shared.rows].flatMap((row) => entryOf(row).filed);
  const filed = new Map(((await store.getMany(keys)) as unknown as FeedRow[]).map((row) => [nameOf(row), row]));
  const waiting = {
    own: placedChanges(own.rows, cursor.own, filed),
    network: placedChanges(shared.rows, cursor.network, filed),
  };
  const changes: ToldChange[] = [];
  let after = cursor;
  while (changes.length < limit) {
    const side = olderOf(waiting.own[0], waiting.network[0]);
    const next = side && waiting[side].shift();
    if (!side || !next) break;
    after = { ...after, [side]: next.after };
    changes.push({ change: next.change, recipient: side === 'own' ? organization : network, after });
  }
  const left = waiting.own.length + waiting.network.length;
  const end = left === 0 && !own.more && !shared.more;
  if (changes.length > 0 || end) return { changes, end };
  // All of it was passed over: what follows is behind.
  const behind = { own: behindAll(own.rows, cursor.own), network: behindAll(shared.rows, cursor.network) };
  return changesAfter(store, organization, behind, limit);
};

const behindAll = (rows: readonly SequenceRow[], place: Place): Place => {
  const last = rows.at(-1);
  return last ? [numberOf(last) + 1, 0, markOf(last)] : place;
};

interface Placed {
  readonly change: RecordChange;
  readonly after: Place;
}

/** Each sequence has its own order; between the two, the older change is first. */
const olderOf = (own: Placed | undefined, ofNetwork: Placed | undefined): keyof Cursor | undefined => {
  if (!own || !ofNetwork) return own ? 'own' : ofNetwork && 'network';
  return own.change.updated <= ofNetwork.change.updated ? 'own' : 'network';
};

const nameOf = ({ pk, sk }: { readonly pk: string; readonly sk: string }) => `${pk}\n${sk}`;

/** The changes of some rows behind a place, each with the place behind it. */
const placedChanges = (
  rows: readonly SequenceRow[],
  [from, taken]: Place,
  filed: ReadonlyMap<string, FeedRow>,
): Placed[] =>
  rows.flatMap((row) => {
    const entry = entryOf(row);
    const number = numberOf(row);
    const mark = markOf(row);
    const ofFeed = entry.filed.flatMap((key) => {
      const found = filed.get(nameOf(key));
      if (found) return changesOf(found);
      // Nobody removes one; whose it was is told anew by the reconciliation, which need not make the same rows.
      log.warn('a sequence leads to a row of the feed that is not there: it is passed over');
      log.count('ChangesUnpublished');
      return [];
    });
    return [...ofFeed, ...entry.changes]
      .toSorted(byPosition)
      .map((change, index, { length }): Placed => {
        const after: Place = index + 1 === length ? [number + 1, 0, mark] : [number, index + 1, mark];
        return { change, after };
      })
      .slice(number === from ? taken : 0);
  });

/** Rows behind a place that tell of `limit` changes, or fewer, and whether more follow. */
const stretchAfter = async (
  table: Table,
  owner: string,
  [row, taken, mark]: Place,
  limit: number,
): Promise<{ readonly rows: readonly SequenceRow[]; readonly more: boolean }> => {
  const isFirst = row === 1 && taken === 0;
  const from = taken > 0 || isFirst ? row : row - 1; // the row that the mark is of
  const { rows, more } = await rowsFrom(table, owner, from, Math.min(limit, mostRows) + 2);
  const [known] = rows;
  if (!isFirst && (!known || markOf(known) !== mark)) {
    throw new RecordError('deleted', 'Nothing was told up to here: begin anew, without a cursor', {
      reason: 'cursor-lost',
    });
  }
  const wanted: SequenceRow[] = [];
  const behind = rows.filter((each) => numberOf(each) >= row);
  let count = -taken;
  for (const each of behind) {
    if (count >= limit) break;
    wanted.push(each);
    count += entryOf(each).count;
  }
  return { rows: wanted, more: more || wanted.length < behind.length };
};

/**
 * Rows from a number on. A Query is no snapshot: it may pass by a place before a row is put there, and meet the row behind it. So what stands behind a gap
 * is read again, and the row is there by then.
 *
 * @throws Error if a row is missing for good, which nobody ever removes.
 */
const rowsFrom = async (
  { client, tableName: TableName }: Table,
  owner: string,
  first: number,
  limit: number,
): Promise<{ readonly rows: readonly SequenceRow[]; readonly more: boolean }> => {
  const rows: SequenceRow[] = [];
  let missing: number | undefined;
  for (;;) {
    const next = first + rows.length;
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk >= :from',
        ExpressionAttributeValues: { ':pk': sequencePartition(owner), ':from': sequenceKey(owner, next).sk },
        Limit: limit - rows.length,
      }),
    );
    const found = Items as SequenceRow[];
    const gap = found.findIndex((row, index) => numberOf(row) !== next + index);
    if (gap === -1) return { rows: [...rows, ...found], more: LastEvaluatedKey !== undefined };
    if (next === missing && gap === 0) throw new Error('A sequence lacks a row');
    rows.push(...found.slice(0, gap));
    missing = first + rows.length;
  }
};

/** A cursor as text, of digits, small letters, dots and a dash. */
export const cursorText = ({ own, network }: Cursor): string => [own, network].map(placeText).join('-');

const placeText = ([row, taken, mark]: Place): string => [row, taken, ...(mark === '' ? [] : [mark])].join('.');

const cursorPattern =
  /^([1-9]\d{0,9})\.(0|[1-9]\d{0,5})(?:\.([0-9a-v]{5}))?-([1-9]\d{0,9})\.(0|[1-9]\d{0,5})(?:\.([0-9a-v]{5}))?$/;

/**
 * Reads a cursor. One that was made up shows no more than its bearer may read anyway.
 *
 * @throws RecordError `invalid` for any other text.
 */
export const cursorFrom = (text: string): Cursor => {
  const [, ...parts] = cursorPattern.exec(text) ?? [];
  const place = (at: number): Place => [Number(parts[at]), Number(parts[at + 1]), parts[at + 2] ?? ''];
  const cursor = { own: place(0), network: place(3) };
  const isWhole = ({ length }: typeof parts, [row, taken, mark]: Place) =>
    length > 0 && (mark !== '' || (row === 1 && taken === 0));
  if (!isWhole(parts, cursor.own) || !isWhole(parts, cursor.network)) {
    throw new RecordError('invalid', 'This is no cursor of the feed', { expression: 'after' });
  }
  return cursor;
};
