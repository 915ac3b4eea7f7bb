import { GetCommand, QueryCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { backOff } from './back-off.ts';
import { uniqueExpression, uniqueValues } from './commit.ts';
import { inParallel } from './in-parallel.ts';
import { type RowKey, redoKey, transactionKey, unfinishedKey, unfinishedPartition } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { type Redo, readRedoLog } from './redo-log.ts';
import { addressOf, asHistory, type RecordRow } from './rows.ts';
import { applyIntent, readMarker } from './visibility.ts';
import { writeRows } from './write-rows.ts';

// The second half of a staged transaction, and what becomes of one whose writer is gone. Every step is conditional on the mark that
// it removes, so any number of processes may settle the same transaction at once, and each step any number of times.

/** Markers outlive their transaction, so a row that still names one can be judged. Seconds. */
export const keepMarkerSeconds = 30 * 24 * 3600;
const concurrency = 16;

/** Moves the marker from open to aborted; false if it was committed. */
export const abort = async (store: RecordStore, tx: string): Promise<boolean> => {
  let aborted = false;
  await ifStillMarked(async () => {
    await store.client.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: transactionKey(tx),
        UpdateExpression: 'SET #status = :aborted',
        ConditionExpression: 'attribute_not_exists(#status) OR #status <> :committed',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':aborted': 'aborted', ':committed': 'committed' },
      }),
    );
    aborted = true;
  });
  return aborted;
};

/**
 * Clears a row of the staged transaction that holds it: finishes a committed one, aborts one past its deadline. Where neither is
 * possible yet it returns, and the caller waits before its next try.
 */
export const resolveStaged = async (store: RecordStore, row: RecordRow): Promise<void> => {
  const tx = row.tx ?? row.intent?.tx;
  if (tx === undefined) return;
  const marker = await readMarker(store.client, store.tableName, tx);
  if (marker?.status === 'open' && marker.deadline > Date.now()) return;
  const status = marker?.status === 'open' ? ((await abort(store, tx)) ? 'aborted' : 'committed') : marker?.status;
  await settle(store, tx, status);
  // A writer that was slower than its deadline may have staged this row after its transaction was aborted and its log forgotten.
  if (status !== 'committed') await (row.tx === tx ? unstage(store, tx, row) : clear(store, tx, row));
};

const settle = async (store: RecordStore, tx: string, status: 'committed' | 'aborted' | undefined): Promise<void> => {
  if (status === undefined) return;
  const redo = await readRedoLog(store, tx);
  await (status === 'committed' ? finish(store, tx, redo) : undo(store, tx, redo));
};

/** Carries out what a committed transaction owes, then forgets its log. Any number may do so at the same time. */
export const finish = async (store: RecordStore, tx: string, redo: readonly Redo[]): Promise<void> => {
  // First what has no condition: while a record still carries its mark, nobody can write its next version, whose index rows these
  // here would undo.
  const puts = redo.flatMap((step) => (step.do === 'put' ? [step.item] : []));
  const removes = redo.flatMap((step) => (step.do === 'remove' ? [step.key] : []));
  await writeRows(store, puts, removes);
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'reveal') await clear(store, tx, step.key);
    else if (step.do === 'apply') await apply(store, tx, step.key);
    else if (step.do === 'unique') await settleUnique(store, tx, step);
  });
  await forget(store, tx);
};

/** Takes back what an aborted transaction staged. */
export const undo = async (store: RecordStore, tx: string, redo: readonly Redo[]): Promise<void> => {
  await inParallel(concurrency, redo, async (step) => {
    if (step.do === 'reveal') await unstage(store, tx, step.key);
    else if (step.do === 'apply' || step.do === 'unique') await clear(store, tx, step.key);
  });
  await forget(store, tx);
};

const forget = async (store: RecordStore, tx: string): Promise<void> => {
  const marker = await readMarker(store.client, store.tableName, tx);
  const parts = Array.from({ length: marker?.parts ?? 0 }, (_, part) => redoKey(tx, part));
  await store.client.send(
    new UpdateCommand({
      TableName: store.tableName,
      Key: transactionKey(tx),
      UpdateExpression: 'SET expires = :expires',
      ExpressionAttributeValues: { ':expires': Math.floor(Date.now() / 1000) + keepMarkerSeconds },
    }),
  );
  await writeRows(store, [], parts);
  // Last and by itself: the rows of a batch go one by one, and without this row nobody would come for the others.
  await writeRows(store, [], [unfinishedKey(tx)]);
};

/** Removes this transaction's mark from a row, whatever it is; nothing if the row no longer carries it. */
const clear = async (store: RecordStore, tx: string, key: RowKey): Promise<void> =>
  ifStillMarked(() =>
    store.client.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: { pk: key.pk, sk: key.sk },
        UpdateExpression: 'REMOVE tx, intent',
        ConditionExpression: 'tx = :tx OR intent.tx = :tx',
        ExpressionAttributeValues: { ':tx': tx },
      }),
    ),
  );

const unstage = async (store: RecordStore, tx: string, key: RowKey): Promise<void> =>
  ifStillMarked(() =>
    store.client.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            Delete: {
              TableName: store.tableName,
              Key: { pk: key.pk, sk: key.sk },
              ConditionExpression: 'tx = :tx',
              ExpressionAttributeValues: { ':tx': tx },
            },
          },
        ],
      }),
    ),
  );

/** Turns a committed intent into the record's version and its last version into history. */
const apply = async (store: RecordStore, tx: string, key: RowKey): Promise<void> => {
  const { tableName: TableName } = store;
  const { Item } = await store.client.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
  const row = Item as RecordRow | undefined;
  const address = row && addressOf(row);
  if (row?.intent?.tx !== tx || !address) return;
  const { intent, ...current } = row;
  await ifStillMarked(() =>
    store.client.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            Put: {
              TableName,
              Item: applyIntent(current, intent),
              ConditionExpression: 'intent.tx = :tx',
              ExpressionAttributeValues: { ':tx': tx },
            },
          },
          { Put: { TableName, Item: asHistory(current, address) } },
        ],
      }),
    ),
  );
};

const settleUnique = async (
  store: RecordStore,
  tx: string,
  { key, add, remove }: { key: RowKey; add: readonly string[]; remove: readonly string[] },
): Promise<void> =>
  ifStillMarked(() =>
    store.client.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: { pk: key.pk, sk: key.sk },
        UpdateExpression: `REMOVE intent ${uniqueExpression(add)}`,
        ConditionExpression: 'intent.tx = :tx',
        ExpressionAttributeValues: { ':tx': tx, ...uniqueValues(add, remove) },
      }),
    ),
  );

/** Runs a step that another finisher may have done already; a busy row is tried again. */
const ifStillMarked = async (step: () => Promise<unknown>): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    try {
      await step();
      return;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === 'ConditionalCheckFailedException') return;
      const reasons = (error as Error & { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? [];
      if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return;
      const busy = ['TransactionConflictException', 'TransactionCanceledException', 'ThrottlingException'];
      if (!busy.includes(error.name)) throw error;
      await backOff(attempt);
    }
  }
};

/**
 * Finishes or aborts the staged transactions that a crash left behind. Harmless beside writers at work.
 *
 * @param now - open transactions whose deadline is later are left to their writers. Milliseconds since 1970; infinite where no writer
 * can be left.
 * @returns how many were settled.
 */
export const sweepTransactions = async (store: RecordStore, now = Date.now()): Promise<number> => {
  let settled = 0;
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
      const tx = String(sk);
      const marker = await readMarker(store.client, store.tableName, tx);
      if (marker?.status === 'open' && marker.deadline > now) continue;
      const open = !marker || marker.status === 'open';
      await settle(store, tx, open ? ((await abort(store, tx)) ? 'aborted' : 'committed') : marker.status);
      settled++;
    }
  });
  return settled;
};
