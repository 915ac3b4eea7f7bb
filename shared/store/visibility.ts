import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { transactionKey } from './keys.ts';
import type { Intent, RecordRow } from './rows.ts';

/** How long the writer of a staged transaction may stage, in milliseconds; a Lambda behind API Gateway has 29 seconds. */
export const stagingMs = 30_000;

/** The marker of a staged transaction. It moves once, by condition, from open to committed or aborted. */
export interface TransactionMarker {
  readonly status: 'open' | 'committed' | 'aborted';
  /** Until then its writer stages; afterwards anybody may abort it. Milliseconds since 1970. */
  readonly deadline: number;
  /** How many rows its redo log has. */
  readonly parts: number;
}

/**
 * What a transaction has come to. A marker that is gone was aborted or is settled: it gets its expiry when nothing is left to do, so none
 * that was committed is gone while a row still waits for it.
 */
export const readMarker = async (
  client: DynamoDBDocumentClient,
  TableName: string,
  transaction: string,
): Promise<TransactionMarker | undefined> =>
  (await client.send(new GetCommand({ TableName, Key: transactionKey(transaction), ConsistentRead: true }))).Item as
    | TransactionMarker
    | undefined;

/** The next version in a row's intent; undefined where the row is only held, or free. */
const nextIn = ({ intent }: RecordRow): Intent | undefined => (intent && 'version' in intent ? intent : undefined);

/**
 * Rows as a reader may see them: without creates of transactions that are not committed, with the intents of those that are, and without what was purged.
 * Costs a call for each transaction met, none for the usual rows.
 */
export const visibleRows = async (
  client: DynamoDBDocumentClient,
  tableName: string,
  rows: readonly RecordRow[],
): Promise<RecordRow[]> => (await settledRows(client, tableName, rows)).filter(({ purged }) => purged === undefined);

const settledRows = async (
  client: DynamoDBDocumentClient,
  tableName: string,
  rows: readonly RecordRow[],
): Promise<RecordRow[]> => {
  const transactions = new Set(
    rows.flatMap((row) => [row.tx, nextIn(row)?.tx].filter((name): name is string => name !== undefined)),
  );
  if (transactions.size === 0) return [...rows];
  const committed = new Set<string>();
  await Promise.all(
    [...transactions].map(async (name) => {
      if ((await readMarker(client, tableName, name))?.status === 'committed') committed.add(name);
    }),
  );
  return rows.flatMap((row) => {
    if (row.tx !== undefined && !committed.has(row.tx)) return [];
    const next = nextIn(row);
    if (next && committed.has(next.tx)) return [applyIntent(row, next)];
    const { tx: _tx, intent: _intent, ...current } = row;
    return [current];
  });
};

/** The row that an intent makes of a record's row: its key and what the intent says, and nothing that belonged to the version before. */
export const applyIntent = ({ pk, sk, layout, id }: RecordRow, { tx: _tx, ...next }: Intent): RecordRow => ({
  pk,
  sk,
  layout,
  ...(id === undefined ? {} : { id }),
  ...next,
});
