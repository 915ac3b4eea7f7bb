import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { transactionKey } from './keys.ts';
import type { RecordRow } from './rows.ts';

/** The marker of a staged transaction. It moves once, by condition, from open to committed or aborted. */
export interface TransactionMarker {
  readonly status: 'open' | 'committed' | 'aborted';
  /** Until then its writer may still commit it; afterwards anybody may abort it. Milliseconds since 1970. */
  readonly deadline: number;
  /** How many parts its redo log has. */
  readonly parts: number;
}

/** What a transaction has come to. A marker that is gone was aborted: committed ones stay until nothing names them. */
export const readMarker = async (
  client: DynamoDBDocumentClient,
  TableName: string,
  transaction: string,
): Promise<TransactionMarker | undefined> =>
  (await client.send(new GetCommand({ TableName, Key: transactionKey(transaction), ConsistentRead: true }))).Item as
    | TransactionMarker
    | undefined;

/**
 * Rows as a reader may see them: without creates of transactions that are not committed, and with the intents of those that are.
 * Costs a call for each transaction met, none for the usual rows.
 */
export const visibleRows = async (
  client: DynamoDBDocumentClient,
  tableName: string,
  rows: readonly RecordRow[],
): Promise<RecordRow[]> => {
  const transactions = new Set(rows.flatMap(({ tx, intent }) => [tx, intent?.tx].filter((name) => name !== undefined)));
  if (transactions.size === 0) return [...rows];
  const committed = new Set<string>();
  await Promise.all(
    [...transactions].map(async (name) => {
      if ((await readMarker(client, tableName, name))?.status === 'committed') committed.add(name);
    }),
  );
  return rows.flatMap((row) => {
    if (row.tx !== undefined && !committed.has(row.tx)) return [];
    const { tx: _tx, intent, ...current } = row;
    return intent && committed.has(intent.tx) ? [applyIntent(current, intent)] : [current];
  });
};

/** The row that a committed intent makes of the current one. */
export const applyIntent = (current: RecordRow, intent: NonNullable<RecordRow['intent']>): RecordRow => {
  const { body: _body, labels: _labels, ...kept } = current;
  const { tx: _tx, ...next } = intent;
  return { ...kept, ...next };
};
