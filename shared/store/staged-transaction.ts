import { randomBytes } from 'node:crypto';
import type { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
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
} from './commit.ts';
import { inParallel } from './in-parallel.ts';
import { type Row, type RowKey, recordKey, redoKey, transactionKey, unfinishedKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { inParts, type Redo, redoLog } from './redo-log.ts';
import { type RecordRow, recordRow, versionAttributes } from './rows.ts';
import { abort, finish, keepMarkerSeconds, resolveStaged, undo } from './settle-transaction.ts';
import { writeRows } from './write-rows.ts';

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
const concurrency = 16;

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
