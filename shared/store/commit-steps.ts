import { RecordError } from '../errors.ts';
import type { Commit, RecordWrite } from './commit.ts';
import { existenceStep, placeOf, refusalOf, uniqueUpdate } from './commit-conditions.ts';
import type { Step } from './commit-refusal.ts';
import type { RecordStore } from './record-store.ts';
import { historyRow, labelBytes, type RecordRow, recordRow } from './rows.ts';
import type { Action } from './transact.ts';
import { uploadStep } from './uploads.ts';

// A row of DynamoDB has 400 KB; the rest is left for its other attributes. A staged update keeps both versions in one row for a moment.
// Bodies take little of it, except those that were written before there was an object store.
const largestRow = 390_000;

/**
 * Refuses what no row can hold.
 *
 * @throws RecordError `too-large`.
 */
export const requireStorable = (row: Pick<RecordRow, 'body' | 'labels'>, type: string, besides = 0): void => {
  const labels = labelBytes({ labels: [...(row.labels ?? [])] });
  if ((row.body?.length ?? 0) + labels + besides <= largestRow) return;
  throw new RecordError('too-large', `Labels and compressed body of a ${type} may have ${largestRow / 1000} KB`, {
    reason: 'record-too-large',
    expression: `${type}.meta.security`,
  });
};

/**
 * A commit as the actions of one transaction.
 *
 * @throws RecordError `too-large`.
 */
export const stepsOf = (store: RecordStore, work: Commit): Step[] => {
  const { tableName: TableName, ids } = store;
  const returnOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const steps: Step[] = [];
  for (const write of work.writes) {
    const { next, previous } = write;
    const Item = write.row ?? recordRow(next, ids);
    requireStorable(Item, next.type);
    steps.push({ action: { Put: { TableName, Item, ...placeOf(write), ...returnOld } }, refusal: refusalOf(write) });
    if (previous) steps.push({ action: { Put: { TableName, Item: historyRow(previous, ids) } } });
  }
  for (const check of work.checks) steps.push(existenceStep(TableName, check));
  for (const change of work.unique) {
    steps.push({
      action: { Update: uniqueUpdate(TableName, change) },
      refusal: () => ({ kind: 'unique', change }),
    });
  }
  for (const Item of work.claims) {
    const key = { pk: Item.pk, sk: Item.sk };
    steps.push({
      action: { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)', ...returnOld } },
      refusal: () => ({ kind: 'claimed', key }),
    });
  }
  for (const action of work.writes.flatMap((write) => indexActions(TableName, write))) steps.push({ action });
  for (const Item of work.log)
    steps.push({ action: { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } } });
  if (work.upload) steps.push(uploadStep(TableName, work.upload));
  return steps;
};

/** The change of the rows that lead to a record. */
export const indexActions = (TableName: string, { puts, removes }: Pick<RecordWrite, 'puts' | 'removes'>): Action[] => [
  ...puts.map((Item) => ({ Put: { TableName, Item } })),
  ...removes.map(({ pk, sk }) => ({ Delete: { TableName, Key: { pk, sk } } })),
];

/** An upper estimate of what the service counts: bodies and labels dominate, the rest is names and keys. */
export const estimateBytes = (steps: readonly Step[]): number =>
  steps.reduce((sum, { action }) => {
    const item: Record<string, unknown> = action.Put?.Item ?? {};
    const body = item.body instanceof Uint8Array ? item.body.length : 0;
    const labels = item.labels instanceof Set ? labelBytes({ labels: [...item.labels] as string[] }) : 0;
    return sum + body + labels + 1_000;
  }, 0);
