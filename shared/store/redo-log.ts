import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Commit } from './commit.ts';
import { type Row, type RowKey, recordKey, transactionKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';

/** A part of the log is a row of its own, and a row has 400 KB. */
const partBytes = 300_000;

/** One step that a committed transaction still owes. Each may be repeated. */
export type Redo =
  | { readonly do: 'reveal'; readonly key: RowKey }
  | { readonly do: 'apply'; readonly key: RowKey }
  | { readonly do: 'unique'; readonly key: RowKey; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly do: 'put'; readonly item: Row }
  | { readonly do: 'remove'; readonly key: RowKey };

/** What a commit does once it is decided. */
export const redoLog = (work: Commit): Redo[] => [
  ...work.writes.map(({ next, previous }): Redo => ({ do: previous ? 'apply' : 'reveal', key: recordKey(next) })),
  ...work.unique.map(({ key, add, remove }): Redo => ({ do: 'unique', key, add, remove })),
  ...work.claims.map(({ pk, sk }): Redo => ({ do: 'reveal', key: { pk, sk } })),
  ...[...work.writes.flatMap(({ puts }) => puts), ...work.log].map((item): Redo => ({ do: 'put', item })),
  ...work.writes.flatMap(({ removes }) => removes).map((key): Redo => ({ do: 'remove', key })),
];

/** The log in parts that fit a row each. */
export const inParts = (redo: readonly Redo[]): Redo[][] => {
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

/** The log of a transaction, as its writer left it; empty once it is forgotten. */
export const readRedoLog = async (store: RecordStore, tx: string): Promise<Redo[]> => {
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
