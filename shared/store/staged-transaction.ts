import { randomBytes } from 'node:crypto';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  GetCommand,
  QueryCommand,
  type QueryCommandOutput,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { backOff } from './back-off.ts';
import { toBase32 } from './base32.ts';
import {
  type Commit,
  CommitRefused,
  existenceStep,
  expectation,
  type RecordWrite,
  type Refusal,
  requireStorable,
  type Step,
  settled,
  tryTransaction,
  type UniqueChange,
  uniqueExpression,
  uniqueValues,
} from './commit.ts';
import { inParallel } from './in-parallel.ts';
import {
  historyKey,
  type Row,
  type RowKey,
  recordKey,
  redoKey,
  transactionKey,
  unfinishedKey,
  unfinishedPartition,
} from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { addressOf, historyRow, type RecordRow, recordFrom, recordRow, versionAttributes } from './rows.ts';
import { applyIntent, readMarker } from './visibility.ts';

// DynamoDB's transactions end at 100 actions; a patient's chart arrives as a bundle of thousands. Such a commit is staged:
//
//   1. a marker `T#<tx>` (open, with a deadline) and a redo log beside it;
//   2. creates at their own keys, invisible while they carry `tx`; an intent on each row that will change, under a condition on
//      its version; the same on rows that must stay unique;
//   3. the marker moves from open to committed, together with the checks of what the commit refers to: this decides it;
//   4. the redo log is carried out, each step by a condition that makes repeating it harmless, before the request is answered.
//
// A crash before 3 leaves nothing visible, after 3 everything: readers that meet a staged row ask the marker, writers finish or
// abort what stands in their way, and `sweepTransactions` does so for what nobody meets. docs/store.md tells the whole protocol.

/** How long a writer may take from its marker to its commit; a Lambda behind API Gateway has 29 seconds. */
const deadlineMs = 30_000;
/** Markers outlive their transaction, so a row that still names one can be judged. Seconds. */
const keepMarkerSeconds = 30 * 24 * 3600;
const partBytes = 300_000;
const concurrency = 16;

/** One step that a committed transaction still owes. Each may be repeated. */
type Redo =
  | { readonly do: 'reveal'; readonly key: RowKey }
  | { readonly do: 'apply'; readonly key: RowKey }
  | { readonly do: 'unique'; readonly key: RowKey; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly do: 'put'; readonly item: Row }
  | { readonly do: 'remove'; readonly key: RowKey };

/**
 * Writes a commit of any size, all or nothing.
 *
 * @throws CommitRefused if a condition does not hold; RecordError `throttled` or `conflict`. Nothing is visible then.
 */
export const writeStaged = async (store: RecordStore, work: Commit): Promise<void> => {
  const tx = toBase32(randomBytes(15));
  const redo = redoLog(work);
  try {
    await stage(store, work, tx, redo);
    await decide(store, work, tx);
  } catch (error) {
    if (await abort(store, tx)) {
      await undo(store, tx, redo);
      throw error;
    }
    // The marker could not be aborted: the commit was written and only its answer was lost.
  }
  await finish(store, tx, redo);
};

const redoLog = (work: Commit): Redo[] => [
  ...work.writes.map(({ next, previous }): Redo => ({ do: previous ? 'apply' : 'reveal', key: recordKey(next) })),
  ...work.unique.map(({ key, add, remove }): Redo => ({ do: 'unique', key, add, remove })),
  ...work.claims.map(({ pk, sk }): Redo => ({ do: 'reveal', key: { pk, sk } })),
  ...work.puts.map((item): Redo => ({ do: 'put', item })),
  ...work.removes.map((key): Redo => ({ do: 'remove', key })),
];

const stage = async (store: RecordStore, work: Commit, tx: string, redo: readonly Redo[]): Promise<void> => {
  const { tableName: TableName, ids } = store;
  // Packed once: compression is most of what a large bundle costs in CPU.
  const rows = new Map(work.writes.map((write) => [write, recordRow(write.next, ids)]));
  for (const [{ next, previous }, row] of rows) {
    requireStorable(row, next.type, previous ? (recordRow(previous, ids).body?.length ?? 0) : 0);
  }
  const parts = inParts(redo);
  const deadline = Date.now() + deadlineMs;
  const expires = Math.floor(Date.now() / 1000) + keepMarkerSeconds;
  await writeRows(store, [{ ...transactionKey(tx), status: 'open', deadline, parts: parts.length, expires }]);
  await writeRows(store, [unfinishedKey(tx)]);
  await writeRows(
    store,
    parts.map((steps, part) => ({ ...redoKey(tx, part), steps, expires })),
  );
  const created = [...rows].filter(([{ previous }]) => !previous);
  // Ids that clients chose may exist already, so those creates need a condition; ours are random.
  const chosen = created.filter(([{ next }]) => !ids.decode(next.id));
  const fresh = created.filter(([{ next }]) => ids.decode(next.id));
  await writeRows(
    store,
    fresh.map(([, row]) => ({ ...row, tx })),
  );
  await takeHold(store, [
    ...chosen.map(
      ([write, row]): Hold => ({
        ...creation(TableName, { ...row, tx }),
        refusal: { kind: 'version', write },
      }),
    ),
    ...work.claims.map(
      (claim): Hold => ({
        ...creation(TableName, { ...claim, tx }),
        refusal: { kind: 'claimed', key: { pk: claim.pk, sk: claim.sk } },
      }),
    ),
    ...work.writes.filter(({ previous }) => previous).map((write): Hold => intent(TableName, write, tx)),
    ...work.unique.map((change): Hold => uniqueIntent(TableName, change, tx)),
  ]);
};

/** A row that this transaction must hold before it can commit, and what it means if it cannot. */
interface Hold {
  readonly key: RowKey;
  readonly write: ConditionalWrite;
  readonly refusal: Refusal;
}

/**
 * Takes hold of rows in the order of their keys, the first one before all others: of two transactions that want the same rows, the
 * one that comes first to the first row gets them all, and neither waits for the other in a circle.
 */
const takeHold = async (store: RecordStore, holds: readonly Hold[]): Promise<void> => {
  const name = ({ key }: Hold) => `${key.pk}\n${key.sk}`;
  const [first, ...others] = [...holds].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  const refusals: Refusal[] = [];
  const take = async ({ write, refusal }: Hold) => {
    if (refusals.length === 0 && !(await conditionally(store, write))) refusals.push(refusal);
  };
  if (first) await take(first);
  await inParallel(concurrency, others, take);
  if (refusals.length > 0) throw new CommitRefused(refusals);
};

const creation = (TableName: string, Item: Row): Pick<Hold, 'key' | 'write'> => ({
  key: { pk: Item.pk, sk: Item.sk },
  write: { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } },
});

const intent = (TableName: string, write: RecordWrite, tx: string): Hold => ({
  key: recordKey(write.next),
  write: {
    Update: {
      TableName,
      Key: recordKey(write.next),
      UpdateExpression: 'SET intent = :intent',
      ConditionExpression: `version = :previous AND ${settled}`,
      ExpressionAttributeValues: {
        ':intent': { ...versionAttributes(write.next), tx },
        ':previous': write.previous?.version,
      },
    },
  },
  refusal: { kind: 'version', write },
});

const uniqueIntent = (TableName: string, change: UniqueChange, tx: string): Hold => ({
  key: change.key,
  write: {
    Update: {
      TableName,
      Key: change.key,
      UpdateExpression: 'SET intent = :intent',
      ConditionExpression: `attribute_not_exists(intent)${expectation(change.expected)}`,
      ExpressionAttributeValues: {
        ':intent': { tx, add: change.add, remove: change.remove },
        ...(change.expected && change.expected.length > 0 ? { ':expected': new Set(change.expected) } : {}),
      },
    },
  },
  refusal: { kind: 'unique', change },
});

type TransactItem = NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']>[number];
type ConditionalWrite =
  | { readonly Put: NonNullable<TransactItem['Put']> }
  | { readonly Update: NonNullable<TransactItem['Update']> };

/** One write under its condition, after whatever unfinished transaction stands in its way. False if the condition does not hold. */
const conditionally = async (store: RecordStore, write: ConditionalWrite): Promise<boolean> => {
  const withOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const action = 'Put' in write ? { Put: { ...write.Put, ...withOld } } : { Update: { ...write.Update, ...withOld } };
  for (let attempt = 0; ; attempt++) {
    const failed = await tryTransaction(store.client, [{ action }]);
    if (!failed) return true;
    const [condition] = failed.conditions;
    const row = condition?.[1];
    const held = row !== undefined && (row.tx !== undefined || row.intent !== undefined);
    if (held) await resolveStaged(store, row);
    else if (condition) return false;
    await backOff(attempt, held ? 'held' : 'busy');
  }
};

/** The moment that decides: the marker moves to committed if everything that the commit refers to still exists. */
const decide = async (store: RecordStore, work: Commit, tx: string): Promise<void> => {
  const { tableName: TableName } = store;
  // What exceeds a transaction is checked just before it. Those are entries of the directory: few, and hardly ever deleted.
  const checks = work.checks.map((check) => existenceStep(TableName, check));
  await inParallel(concurrency, checks.slice(90), async (step) => {
    for (let attempt = 0; ; attempt++) {
      const failed = await tryTransaction(store.client, [step]);
      if (!failed) return;
      await refuseOrWait(store, failed.conditions, [step], attempt);
    }
  });
  const steps: Step[] = [
    {
      action: {
        Update: {
          TableName,
          Key: transactionKey(tx),
          UpdateExpression: 'SET #status = :committed',
          ConditionExpression: '#status = :open',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':open': 'open', ':committed': 'committed' },
        },
      },
    },
    ...checks.slice(0, 90),
  ];
  for (let attempt = 0; ; attempt++) {
    const failed = await tryTransaction(store.client, steps);
    if (!failed) return;
    if (failed.conditions.some(([index]) => index === 0)) {
      throw new RecordError('conflict', 'The transaction took too long and was given up; nothing was written');
    }
    await refuseOrWait(store, failed.conditions, steps, attempt);
  }
};

const refuseOrWait = async (
  store: RecordStore,
  conditions: readonly [number, RecordRow | undefined][],
  steps: readonly Step[],
  attempt: number,
): Promise<void> => {
  const refusals: Refusal[] = [];
  for (const [index, row] of conditions) {
    const refusal = steps[index]?.refusal;
    if (row && (row.tx !== undefined || row.intent !== undefined)) await resolveStaged(store, row);
    else if (refusal) refusals.push(refusal);
  }
  if (refusals.length > 0) throw new CommitRefused(refusals);
  await backOff(attempt);
};

/** Moves the marker from open to aborted; false if it was committed. */
const abort = async (store: RecordStore, tx: string): Promise<boolean> => {
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

const readRedoLog = async (store: RecordStore, tx: string): Promise<Redo[]> => {
  const steps: Redo[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :part)',
        ExpressionAttributeValues: { ':pk': transactionKey(tx).pk, ':part': 'R#' },
        ExclusiveStartKey,
      }),
    );
    for (const part of page.Items ?? []) steps.push(...(part.steps as Redo[]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return steps;
};

/** Carries out what a committed transaction owes, then forgets its log. Any number may do so at the same time. */
const finish = async (store: RecordStore, tx: string, redo: readonly Redo[]): Promise<void> => {
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
const undo = async (store: RecordStore, tx: string, redo: readonly Redo[]): Promise<void> => {
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
  await writeRows(store, [], [unfinishedKey(tx), ...parts]);
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
  const { tableName: TableName, ids } = store;
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
          {
            Put: {
              TableName,
              Item: { ...historyRow(recordFrom(current, address, ids), ids), ...historyKey(address, current.version) },
            },
          },
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

/** Puts and deletes without a condition, 25 a call; what a busy table left over is sent again. */
const writeRows = async (store: RecordStore, puts: readonly Row[], removes: readonly RowKey[] = []): Promise<void> => {
  type Request = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];
  const requests: Request[] = [
    ...puts.map((Item) => ({ PutRequest: { Item } })),
    ...removes.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })),
  ];
  const batches: Request[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = JSON.stringify(request).length; // an upper estimate: a batch takes 25 rows and 16 MB
    const last = batches.at(-1);
    if (last && last.length < 25 && bytes + size < 8_000_000) last.push(request);
    else batches.push([request]);
    bytes = last === batches.at(-1) ? bytes + size : size;
  }
  await inParallel(concurrency, batches, async (batch) => {
    let rest = batch;
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt > 0) await backOff(attempt - 1);
      const { UnprocessedItems } = await store.client.send(
        new BatchWriteCommand({ RequestItems: { [store.tableName]: rest } }),
      );
      rest = UnprocessedItems?.[store.tableName] ?? [];
    }
  });
};

const inParts = (redo: readonly Redo[]): Redo[][] => {
  const parts: Redo[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const step of redo) {
    const size = 100 + (step.do === 'put' ? JSON.stringify(step.item).length : 200);
    if (bytes + size > partBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(step);
    bytes += size;
  }
  return parts;
};

/**
 * Finishes or aborts the staged transactions that a crash left behind. Harmless beside writers at work.
 *
 * @returns how many were settled.
 */
export const sweepTransactions = async (store: RecordStore): Promise<number> => {
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
      if (marker?.status === 'open' && marker.deadline > Date.now()) continue;
      const open = !marker || marker.status === 'open';
      await settle(store, tx, open ? ((await abort(store, tx)) ? 'aborted' : 'committed') : marker.status);
      settled++;
    }
  });
  return settled;
};
