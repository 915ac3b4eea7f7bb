import { randomBytes } from 'node:crypto';
import { PutCommand, type PutCommandInput, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { log } from '../log.ts';
import { backOff, pauseBeforeRetry } from './back-off.ts';
import { toBase32 } from './base32.ts';
import type { Calendars } from './calendar-steps.ts';
import type { Commit, ExistenceCheck, UniqueChange } from './commit.ts';
import {
  absence,
  existence,
  existenceStep,
  expectation,
  expectedValue,
  holderOf,
  placeOf,
  refusalOf,
} from './commit-conditions.ts';
import { CommitRefused, type Refusal, type Step, tookTooLong } from './commit-refusal.ts';
import { requireStorable, stepsOf } from './commit-steps.ts';
import { type Division, divide, type StagedWrite } from './divide-commit.ts';
import { inParallel } from './in-parallel.ts';
import { type Row, type RowKey, recordKey, transactionKey, unfinishedKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { packRedo, redoLog, redoRows } from './redo-log.ts';
import { bodyOf, type Held, type Intent, labelBytes } from './rows.ts';
import { abort, finish, forget, resolveStaged, type Staged, undo } from './settle-transaction.ts';
import { tryWrite } from './transact.ts';
import { transact } from './transact-steps.ts';
import { stagingMs, type TransactionMarker } from './visibility.ts';
import { writeRows } from './write-rows.ts';

// DynamoDB's transactions end at 100 actions; a patient's chart arrives as a bundle of thousands. Such a commit is staged:
//
//   1. a marker `T#<tx>` (open, with a deadline), the row that says it is unfinished, and a redo log;
//   2. creates at their own keys, invisible while they carry `tx`; an intent on each row that will change, under a condition on
//      its version; the same on rows that must stay unique;
//   3. the marker moves from open to committed, together with the checks of what the commit refers to, and with what else has room in
//      that transaction: this decides it;
//   4. the redo log is carried out, each step on the condition that the row still carries the mark, before the request is answered.
//
// A crash before 3 leaves nothing visible, after 3 everything: readers that meet a staged row ask the marker, writers finish or
// abort what stands in their way, and `sweepTransactions` does so for what nobody meets. docs/store.md tells the whole protocol.

const concurrency = 16;

/** How often the redo log is carried out anew before it is left to others. Each step of it is tried for some 1.5 seconds. */
const finishingRounds = 3;

/**
 * Writes a commit of any size, all or nothing.
 *
 * @throws CommitRefused if a condition does not hold; RecordError `throttled` or `conflict`: nothing is visible then, or ever.
 *   RecordError `incomplete` if it is decided, and others have to finish it. Any other error leaves open whether it is decided.
 */
export const writeStaged = async (
  store: RecordStore,
  work: Commit,
  calendars: Calendars | undefined,
): Promise<void> => {
  const tx = toBase32(randomBytes(15));
  const parts = divide(store, work);
  for (const { next, previous, row } of parts.staged.writes) {
    requireStorable(row, next.type, previous ? (bodyOf(previous)?.length ?? 0) + labelBytes(previous) : 0);
  }
  const redo = redoLog(parts, calendars?.keys ?? []);
  const redoParts = redoRows(tx, packRedo(redo));
  const transaction: Staged = { tx, redo, parts: redoParts.length };
  const deadline = Date.now() + stagingMs;
  await begin(store, { ...transactionKey(tx), status: 'open', deadline, parts: redoParts.length });
  try {
    await stage(store, { tx, parts, redoParts, calendars, proceed: stopAt(deadline) });
    await decide(store, tx, parts);
  } catch (error) {
    if (await takenBack(store, transaction, error)) throw error;
    // It could not be taken back: it was decided, and only the answer was lost.
  }
  await finishOwn(store, transaction);
};

/** Nobody waits for a writer beyond its deadline, so it stages nothing behind the back of whoever took its work back. */
const stopAt = (deadline: number) => () => {
  if (Date.now() > deadline) throw tookTooLong();
};

/** Marker and unfinished row come together, so that no marker is without somebody who looks after it. */
const begin = async (store: RecordStore, marker: RowKey & TransactionMarker): Promise<void> => {
  const { tableName: TableName } = store;
  await transact(store, [
    { action: { Put: { TableName, Item: marker, ConditionExpression: 'attribute_not_exists(pk)' } } },
    { action: { Put: { TableName, Item: unfinishedKey(marker.pk.slice('T#'.length)) } } },
  ]);
};

interface Staging {
  readonly tx: string;
  readonly parts: Division;
  readonly redoParts: readonly Row[];
  readonly calendars: Calendars | undefined;
  readonly proceed: () => void;
}

const stage = async (store: RecordStore, { tx, parts, redoParts, calendars, proceed }: Staging): Promise<void> => {
  const { staged, hints, held } = parts;
  await writeRows(store, redoParts, [], proceed);
  const fresh = staged.writes.flatMap((write): Row[] => (write.fresh ? [{ ...write.row, tx }] : []));
  await writeRows(store, [...fresh, ...hints], [], proceed);
  // Ids that clients chose may exist already, so those creates need a condition.
  const chosen = staged.writes.filter((write) => !write.previous && !write.fresh);
  const holds = [
    ...chosen.map((write) => creation({ ...write.row, tx }, { kind: 'version', write })),
    ...staged.claims.map((claim) =>
      creation({ ...claim, tx }, { kind: 'claimed', key: { pk: claim.pk, sk: claim.sk } }),
    ),
    ...staged.writes.filter(({ previous }) => previous).map((write) => intentOn(write, tx)),
    ...staged.unique.map((change) => uniqueIntent(change, tx)),
    ...held.map((check) => holdOn(check, tx)),
    ...(calendars?.holds(tx) ?? []),
  ];
  await takeHold(store, tx, holds, proceed);
};

/** A row that this transaction must hold before it can commit, and what it means if it cannot. */
type Hold = { readonly key: RowKey; readonly refusal: NonNullable<Step['refusal']> } & (
  | { readonly put: Omit<PutCommandInput, 'TableName'> }
  | { readonly update: () => Omit<UpdateCommandInput, 'TableName' | 'Key'> }
);

/**
 * Takes hold of rows in the order of their keys, the first one before all others: of two transactions that want the same rows, the
 * one that comes first to the first row gets them all, and neither waits for the other in a circle.
 */
const takeHold = async (store: RecordStore, tx: string, holds: readonly Hold[], proceed: () => void): Promise<void> => {
  const name = ({ key }: Hold) => `${key.pk}\n${key.sk}`;
  const [first, ...others] = [...holds].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  const refusals: Refusal[] = [];
  const take = async (hold: Hold) => {
    if (refusals.length > 0) return;
    const refusal = await taken(store, tx, hold, proceed);
    if (refusal) refusals.push(refusal);
  };
  if (first) await take(first);
  await inParallel(concurrency, others, take);
  if (refusals.length > 0) throw new CommitRefused(refusals);
};

/** Takes hold of one row, after whatever unfinished transaction stands in the way. Tells why it cannot be had. */
const taken = async (store: RecordStore, tx: string, hold: Hold, proceed: () => void): Promise<Refusal | undefined> => {
  for (let attempt = 0; ; ) {
    proceed();
    const refused = await tryWrite(store.client, writeOf(store.tableName, hold));
    const holder = holderOf(refused?.row);
    // An earlier sending of the same write may have been carried out, and only its answer was lost.
    if (!refused || holder === tx) return undefined;
    if (refused.row && holder !== undefined) {
      await resolveStaged(store, refused.row);
      await backOff(attempt++, 'held');
      continue;
    }
    const refusal = hold.refusal(refused.row);
    if (refusal) return refusal;
    await pauseBeforeRetry(0);
  }
};

const writeOf = (TableName: string, hold: Hold) => {
  const withOld = { TableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  return 'put' in hold
    ? new PutCommand({ ...hold.put, ...withOld })
    : new UpdateCommand({ ...hold.update(), ...withOld, Key: hold.key });
};

const creation = (Item: Row, refusal: Refusal): Hold => ({
  key: { pk: Item.pk, sk: Item.sk },
  put: { Item, ConditionExpression: 'attribute_not_exists(pk)' },
  refusal: () => refusal,
});

const intentOn = (write: StagedWrite, tx: string): Hold => {
  const { pk, sk, ...next } = write.row;
  const { ConditionExpression, ExpressionAttributeValues } = placeOf(write);
  const intent: Intent = { ...next, tx };
  return {
    key: { pk, sk },
    update: () => ({
      UpdateExpression: 'SET intent = :intent',
      ConditionExpression,
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ':intent': intent },
    }),
    refusal: refusalOf(write),
  };
};

const uniqueIntent = (change: UniqueChange, tx: string): Hold => ({
  key: { pk: change.key.pk, sk: change.key.sk },
  update: () => ({
    UpdateExpression: 'SET intent = :intent',
    ConditionExpression: `attribute_not_exists(intent)${expectation(change.expected)}`,
    ExpressionAttributeValues: {
      ':intent': { tx, add: change.add, remove: change.remove },
      ...expectedValue(change.expected),
    },
  }),
  refusal: () => ({ kind: 'unique', change }),
});

const holdOn = (check: ExistenceCheck, tx: string): Hold => {
  const { ConditionExpression, ExpressionAttributeValues } = existence(check);
  const held: Held = { tx };
  return {
    key: recordKey(check.address),
    update: () => ({
      UpdateExpression: 'SET intent = :intent',
      ConditionExpression,
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ':intent': held },
    }),
    refusal: absence(check),
  };
};

/** The moment that decides: the marker moves to committed if everything else that is to hold does. */
const decide = async (store: RecordStore, tx: string, { deciding, before }: Division): Promise<void> => {
  const { tableName: TableName } = store;
  await inParallel(concurrency, before, (check) => transact(store, [existenceStep(TableName, check)]));
  await transact(store, [
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
      refusal: () => {
        throw tookTooLong();
      },
    },
    ...stepsOf(store, deciding),
  ]);
};

/**
 * Takes back what was staged, after an error that stopped it; false if it was decided before. What cannot be done now the sweeper will do:
 * the sender need not wait for it, nor be told of another error than the first.
 */
const takenBack = async (store: RecordStore, staged: Staged, error: unknown): Promise<boolean> => {
  try {
    if ((await abort(store, staged.tx)) === 'committed') return false;
    await undo(store, staged);
    // After an unanswered call something may yet be staged; then the sweeper looks once more, when no writer can be at work.
    if (error instanceof CommitRefused || error instanceof RecordError) await forget(store, staged);
  } catch {
    return true;
  }
  return true;
};

/**
 * Finishes what is decided.
 *
 * @throws RecordError `incomplete` if that is not possible now. No other error: whatever it is, the commit was not refused.
 */
const finishOwn = async (store: RecordStore, staged: Staged): Promise<void> => {
  for (let round = 1; ; round++) {
    try {
      return await finish(store, staged);
    } catch (error) {
      if (round < finishingRounds) continue;
      log.fault('a staged transaction is decided and cannot be finished now', error);
      throw new RecordError(
        'incomplete',
        'The transaction is written, but not every search will find all of it for some minutes; do not send it again',
      );
    }
  }
};
