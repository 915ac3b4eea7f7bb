import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { backOff } from './back-off.ts';
import { type DayRow, settledDay } from './calendar.ts';
import { holderOf, uniqueExpression, uniqueValues } from './commit-conditions.ts';
import { indexActions } from './commit-steps.ts';
import { failureOf, mayRepeat } from './failure.ts';
import { inParallel } from './in-parallel.ts';
import { chartKey, type RowKey, redoKey, transactionKey, unfinishedKey, unfinishedPartition } from './keys.ts';
import { putOnce } from './put-once.ts';
import type { RecordStore } from './record-store.ts';
import { type Redo, readRedoLog } from './redo-log.ts';
import { addressOf, asHistory, type RecordRow } from './rows.ts';
import { type Action, tryWrite } from './transact.ts';
import { applyIntent, readMarker, stagingMs, type TransactionMarker } from './visibility.ts';
import { writeRows } from './write-rows.ts';

// The second half of a staged transaction, and what becomes of one whose writer is gone. Every step is conditional on the mark that
// it removes, so any number of processes may settle the same transaction at once, each step any number of times, and one that stood still
// in the midst of it does no harm when it goes on.

/** Settled markers are kept for so long, for readers who have met a mark just before it was removed. Seconds. */
const keepMarkerSeconds = 30 * 24 * 3600;
/** A writer may live for so long after its deadline, and stage what it had sent before: the longest that a Lambda lives. */
const writerLifeMs = 15 * 60_000;
const concurrency = 16;

/** A staged transaction and what it owes. */
export interface Staged {
  readonly tx: string;
  readonly redo: readonly Redo[];
  /** How many rows its redo log has. */
  readonly parts: number;
}

/** Moves the marker from open to aborted; tells what has become of the transaction. A marker that is gone was aborted. */
export const abort = async ({ client, tableName }: RecordStore, tx: string): Promise<'aborted' | 'committed'> => {
  const refused = await tryWrite(
    client,
    new UpdateCommand({
      TableName: tableName,
      Key: transactionKey(tx),
      UpdateExpression: 'SET #status = :aborted',
      ConditionExpression: '#status = :open',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':aborted': 'aborted', ':open': 'open' },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  const marker = refused?.row as Partial<TransactionMarker> | undefined;
  return marker?.status === 'committed' ? 'committed' : 'aborted';
};

/**
 * Clears a row of the staged transaction that holds it: finishes a committed one, aborts one past its deadline. Where neither is
 * possible yet it returns, and the caller waits before its next try.
 */
export const resolveStaged = async (store: RecordStore, row: RecordRow): Promise<void> => {
  const tx = holderOf(row);
  if (tx === undefined) return;
  const marker = await readMarker(store.client, store.tableName, tx);
  if (marker?.status === 'open' && marker.deadline > Date.now()) return;
  const outcome = marker?.status === 'aborted' ? 'aborted' : await settle(store, tx, marker, Date.now());
  // What a slow writer stages after its transaction was aborted stands in no finisher's way but here.
  if (outcome === 'aborted') await (row.tx === tx ? unstage(store, tx, row) : clear(store, tx, row));
  // All that it owed is done: a mark that is still there came late, by a call that had been given up and repeated.
  else if (row.intent?.tx === tx) await clear(store, tx, row);
};

/** Finishes a transaction that is committed, takes back any other; the caller knows that its writer's time is up. */
const settle = async (
  store: RecordStore,
  tx: string,
  marker: TransactionMarker | undefined,
  now: number,
): Promise<'aborted' | 'committed'> => {
  if (!marker) {
    await forget(store, { tx, parts: 0 });
    return 'aborted';
  }
  const outcome = marker.status === 'open' ? await abort(store, tx) : marker.status;
  const { parts } = marker;
  const staged = { tx, parts, redo: await readRedoLog(store, tx, parts) };
  if (outcome === 'committed') await finish(store, staged);
  else {
    await undo(store, staged);
    // The writer may be slow, not dead, and go on staging: it is taken back once more when no writer can live any longer.
    if (now >= marker.deadline + writerLifeMs) await forget(store, staged);
  }
  return outcome;
};

/** Carries out what a committed transaction owes, then forgets its log. Any number may do so at the same time. */
export const finish = async (store: RecordStore, staged: Staged): Promise<void> => {
  const { tx, redo } = staged;
  // Rows under random keys: one that is there was written by another finisher, and is not written again.
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'log') await putOnce(store, step.row);
  });
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'reveal') await reveal(store, tx, step);
    else if (step.do === 'apply') await apply(store, tx, step);
    else if (step.do === 'calendar') await settleDay(store, tx, step.key);
  });
  // Only now: who finds a guard changed, or a record that is referred to free again, must find those records too.
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'unique') await settleUnique(store, tx, step);
    else if (step.do === 'release') await release(store, tx, step.key);
  });
  await forget(store, staged);
};

/**
 * Takes back what an aborted transaction staged. Hints bear the id of a record that will never be, so whoever removes them, however late,
 * removes nothing else.
 */
export const undo = async (store: RecordStore, { tx, redo }: Staged): Promise<void> => {
  await writeRows(
    store,
    [],
    redo.flatMap((step) => (step.do === 'hint' ? [step.key] : [])),
  );
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'reveal') await unstage(store, tx, step.key);
    else if (step.do !== 'log' && step.do !== 'hint') await clear(store, tx, step.key);
  });
};

/**
 * Forgets a transaction that owes nothing more. The unfinished row goes last and by itself: the rows of a batch go one by one, and
 * without this row nobody would come for the others.
 */
export const forget = async (store: RecordStore, { tx, parts }: Omit<Staged, 'redo'>): Promise<void> => {
  const { client, tableName: TableName } = store;
  await Promise.all([
    writeRows(
      store,
      [],
      Array.from({ length: parts }, (_, part) => redoKey(tx, part)),
    ),
    tryWrite(
      client,
      new UpdateCommand({
        TableName,
        Key: transactionKey(tx),
        UpdateExpression: 'SET expires = :expires',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':expires': Math.floor(Date.now() / 1000) + keepMarkerSeconds },
      }),
    ),
  ]);
  await writeRows(store, [], [unfinishedKey(tx)]);
};

/** Shows a row that the transaction created, together with the rows that lead to it and are not there yet. */
const reveal = async (store: RecordStore, tx: string, { key, puts }: Extract<Redo, { do: 'reveal' }>) => {
  const { tableName: TableName } = store;
  const rows = indexActions(TableName, { puts, removes: [] });
  if (rows.length === 0) return clear(store, tx, key);
  const marked = { ConditionExpression: 'tx = :tx', ExpressionAttributeValues: { ':tx': tx } };
  await withIndexRows(store, { TableName, Key: key, ...marked }, rows, [
    { Update: { TableName, Key: key, UpdateExpression: 'REMOVE tx', ...marked } },
  ]);
};

/**
 * Turns a committed intent into the record's version and its last version into history, both as they lie, together with the rows that lead
 * to it.
 */
const apply = async (store: RecordStore, tx: string, { key, puts, removes }: Extract<Redo, { do: 'apply' }>) => {
  const { tableName: TableName } = store;
  const { Item } = await store.client.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
  const row = Item as RecordRow | undefined;
  const address = row && addressOf(row);
  const intent = row?.intent;
  if (intent?.tx !== tx || !('version' in intent) || !address) return;
  const marked = { ConditionExpression: 'intent.tx = :tx', ExpressionAttributeValues: { ':tx': tx } };
  await withIndexRows(store, { TableName, Key: key, ...marked }, indexActions(TableName, { puts, removes }), [
    { Put: { TableName, Item: applyIntent(row, intent), ...marked } },
    { Put: { TableName, Item: asHistory(row, address) } },
  ]);
};

/** Index rows that are changed beside a record; DynamoDB takes 100 actions. */
const mostRowsAtOnce = 90;

/**
 * Changes index rows together with the last steps on their record. While the record is marked nobody writes its next version, and a
 * finisher that comes late finds it without the mark: so these rows are never those of a version that is over. Where they are more than a
 * transaction takes, the first ones go ahead, on the same condition; those by which charts show the record go last, with the record, so that a chart
 * shows it at one place at every moment.
 */
const withIndexRows = async (
  store: RecordStore,
  marked: NonNullable<Action['ConditionCheck']>,
  rows: readonly Action[],
  last: readonly Action[],
): Promise<void> => {
  let rest = rows.toSorted((a, b) => shownBy(a) - shownBy(b));
  while (rest.length > mostRowsAtOnce) {
    const some = rest.slice(0, mostRowsAtOnce);
    await ifStillMarked(store, [{ ConditionCheck: marked }, ...some]);
    rest = rest.slice(mostRowsAtOnce);
  }
  await ifStillMarked(store, [...last, ...rest]);
};

/** 2 for a row by which a chart shows a record at its present place, 1 for one that tells of it in a chart otherwise, 0 for any other. */
const shownBy = ({ Put, Delete }: Action): number => {
  const { pk = '', sk = '' } = (Put?.Item ?? Delete?.Key ?? {}) as Partial<RowKey>;
  if (!pk.startsWith(chartKey(''))) return 0;
  return /^[A-Z]\w+#\w+$/.test(sk) ? 2 : 1;
};

/** Sends a transaction whose first condition is a mark; without the mark, another finisher has been here. */
const ifStillMarked = async ({ client }: RecordStore, TransactItems: Action[]): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new TransactWriteCommand({ TransactItems }));
      return;
    } catch (error) {
      if (failureOf(error) === 'condition') return;
      await backOff(attempt, mayRepeat(error));
    }
  }
};

/** Removes this transaction's mark from a row, whatever it is; nothing if the row no longer carries it. */
const clear = async ({ client, tableName }: RecordStore, tx: string, { pk, sk }: RowKey): Promise<void> => {
  await tryWrite(
    client,
    new UpdateCommand({
      TableName: tableName,
      Key: { pk, sk },
      UpdateExpression: 'REMOVE tx, intent',
      ConditionExpression: 'tx = :tx OR intent.tx = :tx',
      ExpressionAttributeValues: { ':tx': tx },
    }),
  );
};

/** Lets go of a record that is referred to, and counts the reference: who has read the record before must look again. */
const release = async ({ client, tableName }: RecordStore, tx: string, { pk, sk }: RowKey): Promise<void> => {
  await tryWrite(
    client,
    new UpdateCommand({
      TableName: tableName,
      Key: { pk, sk },
      UpdateExpression: 'REMOVE intent ADD refs :one',
      ConditionExpression: 'intent.tx = :tx',
      ExpressionAttributeValues: { ':tx': tx, ':one': 1 },
    }),
  );
};

const unstage = async ({ client, tableName }: RecordStore, tx: string, { pk, sk }: RowKey): Promise<void> => {
  await tryWrite(
    client,
    new DeleteCommand({
      TableName: tableName,
      Key: { pk, sk },
      ConditionExpression: 'tx = :tx',
      ExpressionAttributeValues: { ':tx': tx },
    }),
  );
};

const settleUnique = async (
  { client, tableName }: RecordStore,
  tx: string,
  { key: { pk, sk }, add, remove, replaces }: Extract<Redo, { do: 'unique' }>,
): Promise<void> => {
  await tryWrite(
    client,
    new UpdateCommand({
      TableName: tableName,
      Key: { pk, sk },
      UpdateExpression: `REMOVE intent ${uniqueExpression({ add, replaces })}`,
      ConditionExpression: 'intent.tx = :tx',
      ExpressionAttributeValues: { ':tx': tx, ...uniqueValues(add, remove) },
    }),
  );
};

/** While the row carries the intent nobody else changes it, so what is read is what is written over. */
const settleDay = async ({ client, tableName: TableName }: RecordStore, tx: string, Key: RowKey): Promise<void> => {
  const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  const settled = Item && settledDay(Item as DayRow, tx);
  if (!settled) return;
  await tryWrite(
    client,
    new PutCommand({
      TableName,
      Item: settled,
      ConditionExpression: 'intent.tx = :tx',
      ExpressionAttributeValues: { ':tx': tx },
    }),
  );
};

/**
 * Finishes or aborts the staged transactions that a crash left behind. Harmless beside writers at work. One that cannot be settled does not
 * keep the others waiting.
 *
 * @param now - open transactions whose deadline is later are left to their writers. Milliseconds since 1970; infinite where no writer
 * can be left.
 * @returns how many were settled.
 * @throws what stood against the first that could not be.
 */
export const sweepTransactions = async (store: RecordStore, now = Date.now()): Promise<number> =>
  (await sweepUnfinished(store, now)).settled;

/**
 * The same, telling also since when the oldest of those that were left to their writers is under way: what they write may become visible
 * later. Milliseconds since 1970, infinite where none was left.
 */
export const sweepUnfinished = async (
  store: RecordStore,
  now = Date.now(),
): Promise<{ readonly settled: number; readonly begun: number }> => {
  let settled = 0;
  let begun = Number.POSITIVE_INFINITY;
  const failures: unknown[] = [];
  await inParallel(4, [...'0123456789abcdefghijklmnopqrstuv'], async (letter) => {
    const { Items = [] } = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': unfinishedPartition(letter) },
      }),
    );
    for (const { sk } of Items) {
      try {
        const left = await swept(store, String(sk), now);
        if (left === undefined) settled++;
        else begun = Math.min(begun, left);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  if (failures.length > 0) throw failures[0];
  return { settled, begun };
};

/**
 * Settles an unfinished transaction, unless its writer may still be at work on it.
 *
 * @returns undefined if it did; else since when that which it may still make visible is under way.
 */
const swept = async (store: RecordStore, tx: string, now: number): Promise<number | undefined> => {
  const marker = await readMarker(store.client, store.tableName, tx);
  if (marker?.status === 'open' && marker.deadline > now) return marker.deadline - stagingMs;
  if (marker?.status === 'aborted' && marker.deadline + writerLifeMs > now) return Number.POSITIVE_INFINITY;
  await settle(store, tx, marker, now);
  return undefined;
};
