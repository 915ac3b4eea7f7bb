import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { RecordError } from '../errors.ts';
import { backOff } from './back-off.ts';
import { type Address, type Row, type RowKey, recordKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { historyRow, labelBytes, type RecordRow, recordRow, type StoredRecord } from './rows.ts';
import { resolveStaged } from './settle-transaction.ts';
import { writeStaged } from './staged-transaction.ts';

/** One record's next version. */
export interface RecordWrite {
  readonly next: StoredRecord;
  /** The version that it replaces; undefined for a create. */
  readonly previous?: StoredRecord | undefined;
  /** Rows that lead to this version, to be put with it: pointers, registry rows, bearers of its identifiers. */
  readonly puts: readonly Row[];
  /** Those that led to the previous version and to this one no more. */
  readonly removes: readonly RowKey[];
}

/** A record outside the commit that must exist when it happens. */
export interface ExistenceCheck {
  readonly address: Address;
  /** If given, the record must be this organisation's; one of another is answered as if it did not exist. */
  readonly custodian?: string | undefined;
  /** Names what refers to it, for the refusal. */
  readonly label: string;
}

/** A change of what conditional creates with one condition have made. */
export interface UniqueChange {
  readonly key: RowKey;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** Refuses the commit unless these ids, and no others, stand there so far. */
  readonly expected?: readonly string[] | undefined;
}

/** All that one request writes. It happens wholly or not at all. */
export interface Commit {
  readonly writes: readonly RecordWrite[];
  readonly checks: readonly ExistenceCheck[];
  readonly unique: readonly UniqueChange[];
  /** Rows of the access log: each is put once, under a random key, and never changed. */
  readonly log: readonly Row[];
  /** Rows that must not exist yet. */
  readonly claims: readonly Row[];
}

/** Which condition of a commit did not hold. */
export type Refusal =
  | { readonly kind: 'version'; readonly write: RecordWrite }
  | { readonly kind: 'missing'; readonly check: ExistenceCheck }
  | { readonly kind: 'unique'; readonly change: UniqueChange }
  | { readonly kind: 'claimed'; readonly key: RowKey };

/** Nothing was written, because these conditions did not hold. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
  readonly refusals: readonly Refusal[];
  constructor(refusals: readonly Refusal[]) {
    super('A condition of the write did not hold');
    this.refusals = refusals;
  }
}

type Action = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
/** One action of a transaction, and what it means if its condition does not hold. */
export interface Step {
  readonly action: Action;
  readonly refusal?: Refusal;
}

// DynamoDB takes 100 actions and 4 MB; the rest is left for what the service counts beside the values.
const mostActions = 96;
const mostBytes = 3_500_000;

/** A row that no staged transaction is about to create or change. */
export const settled = 'attribute_not_exists(tx) AND attribute_not_exists(intent)';

/**
 * Writes a commit: as one DynamoDB transaction where it fits, else by the staged protocol.
 *
 * @throws CommitRefused if a condition does not hold; RecordError `too-large`, or `throttled` or `conflict` if the rows stay busy or
 * held. Nothing is written then.
 */
export const commit = async (store: RecordStore, work: Commit): Promise<void> => {
  if (actionsOf(work) > mostActions) return writeStaged(store, work);
  const steps = stepsOf(store, work);
  if (estimateBytes(steps) > mostBytes) return writeStaged(store, work);
  for (let attempt = 0; ; attempt++) {
    const failed = await tryTransaction(store.client, steps);
    if (!failed) return;
    const refusals: Refusal[] = [];
    let held = false;
    for (const [index, row] of failed.conditions) {
      const step = steps[index];
      if (row && (row.tx !== undefined || row.intent !== undefined)) {
        held = true;
        await resolveStaged(store, row);
      } else if (step?.refusal) refusals.push(step.refusal);
      else throw new Error('A row that should be new exists already');
    }
    if (refusals.length > 0) throw new CommitRefused(refusals);
    await backOff(attempt, held ? 'held' : 'busy');
  }
};

const actionsOf = ({ writes, checks, unique, claims, log }: Commit): number =>
  writes.reduce((sum, { previous, puts, removes }) => sum + (previous ? 2 : 1) + puts.length + removes.length, 0) +
  [checks, unique, claims, log].reduce((sum, { length }) => sum + length, 0);

// A row of DynamoDB has 400 KB; the rest is left for its other attributes. A staged update keeps both versions in one row for a moment.
const largestRow = 390_000;

/**
 * Refuses what no row can hold.
 *
 * @throws RecordError `too-large`.
 */
export const requireStorable = (row: Pick<RecordRow, 'body' | 'labels'>, type: string, besides = 0): void => {
  const labels = labelBytes({ labels: [...(row.labels ?? [])] });
  if ((row.body?.length ?? 0) + labels + besides <= largestRow) return;
  throw new RecordError('too-large', `A ${type} may have ${largestRow / 1000} KB once it is compressed`, {
    reason: 'record-too-large',
    expression: type,
  });
};

const stepsOf = (store: RecordStore, work: Commit): Step[] => {
  const { tableName: TableName, ids } = store;
  const returnOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const steps: Step[] = [];
  for (const write of work.writes) {
    const { next, previous } = write;
    const Item = recordRow(next, ids);
    requireStorable(Item, next.type);
    const refusal: Refusal = { kind: 'version', write };
    if (!previous) {
      const ConditionExpression = 'attribute_not_exists(pk)';
      steps.push({ action: { Put: { TableName, Item, ConditionExpression, ...returnOld } }, refusal });
      continue;
    }
    steps.push({
      action: {
        Put: {
          TableName,
          Item,
          ConditionExpression: `version = :previous AND ${settled}`,
          ExpressionAttributeValues: { ':previous': previous.version },
          ...returnOld,
        },
      },
      refusal,
    });
    steps.push({ action: { Put: { TableName, Item: historyRow(previous, ids) } } });
  }
  for (const check of work.checks) steps.push(existenceStep(TableName, check));
  for (const change of work.unique)
    steps.push({ action: { Update: uniqueUpdate(TableName, change) }, refusal: { kind: 'unique', change } });
  for (const Item of work.claims) {
    const key = { pk: Item.pk, sk: Item.sk };
    steps.push({
      action: { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)', ...returnOld } },
      refusal: { kind: 'claimed', key },
    });
  }
  for (const Item of work.writes.flatMap(({ puts }) => puts)) steps.push({ action: { Put: { TableName, Item } } });
  for (const { pk, sk } of work.writes.flatMap(({ removes }) => removes))
    steps.push({ action: { Delete: { TableName, Key: { pk, sk } } } });
  for (const Item of work.log) steps.push({ action: { Put: { TableName, Item } } });
  return steps;
};

/** A deleted record has a row without a body, so the body is what must exist. */
export const existenceStep = (TableName: string, check: ExistenceCheck): Step => ({
  action: {
    ConditionCheck: {
      TableName,
      Key: recordKey(check.address),
      ConditionExpression: `attribute_exists(body) AND ${settled}${check.custodian === undefined ? '' : ' AND custodian = :custodian'}`,
      ...(check.custodian === undefined ? {} : { ExpressionAttributeValues: { ':custodian': check.custodian } }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  },
  refusal: { kind: 'missing', check },
});

const uniqueUpdate = (TableName: string, { key, add, remove, expected }: UniqueChange) => ({
  TableName,
  Key: { pk: key.pk, sk: key.sk },
  UpdateExpression: uniqueExpression(add),
  ConditionExpression: `attribute_not_exists(intent)${expectation(expected)}`,
  ExpressionAttributeValues: {
    ...uniqueValues(add, remove),
    ...(expected && expected.length > 0 ? { ':expected': new Set(expected) } : {}),
  },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});

/** A set cannot be added to and deleted from in one expression: a change does one or the other. */
export const uniqueExpression = (add: readonly string[]): string =>
  add.length > 0 ? 'ADD ids :ids' : 'DELETE ids :ids';

export const uniqueValues = (add: readonly string[], remove: readonly string[]) => ({
  ':ids': new Set(add.length > 0 ? add : remove),
});

/** Condition that exactly the expected ids are borne; a set that lost its last id is no attribute any more. */
export const expectation = (expected: readonly string[] | undefined): string => {
  if (expected === undefined) return '';
  return expected.length === 0 ? ' AND attribute_not_exists(ids)' : ' AND ids = :expected';
};

/** Tells nothing if the transaction was written, else which conditions failed, with the rows as they were; none if it was only busy. */
export const tryTransaction = async (
  client: DynamoDBDocumentClient,
  steps: readonly Step[],
): Promise<undefined | { conditions: [index: number, row: RecordRow | undefined][] }> => {
  try {
    await client.send(new TransactWriteCommand({ TransactItems: steps.map(({ action }) => action) }));
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'TransactionInProgressException' || error.name === 'ThrottlingException')
      return { conditions: [] };
    if (error.name !== 'TransactionCanceledException') throw error;
    const reasons = (error as Error & { CancellationReasons?: CancellationReason[] }).CancellationReasons ?? [];
    const fault = reasons.find(({ Code }) => Code === 'ValidationError' || Code === 'ItemCollectionSizeLimitExceeded');
    if (fault) throw error;
    return {
      conditions: reasons.flatMap(({ Code, Item }, index) =>
        Code === 'ConditionalCheckFailed'
          ? [[index, Item && (unmarshall(Item as never) as RecordRow)] as [number, RecordRow | undefined]]
          : [],
      ),
    };
  }
};

interface CancellationReason {
  readonly Code?: string;
  readonly Item?: Record<string, unknown>;
}

/** An upper estimate of what the service counts: bodies dominate, the rest is names and keys. */
const estimateBytes = (steps: readonly Step[]): number =>
  steps.reduce((sum, { action }) => {
    const item: Record<string, unknown> = action.Put?.Item ?? {};
    const body = item.body instanceof Uint8Array ? item.body.length : 0;
    return sum + body + 1_000;
  }, 0);
