import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { NotePosition } from '../../audit/chain/chained-logs.ts';
import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import type { RecordStore } from '../record-store.ts';
import type { Gap } from './completeness.ts';
import { reconciliationKey } from './feed-keys.ts';

/** A look at all charts that were touched lately, and how far it has come. */
export interface ReconciliationWalk {
  /** When it began, in milliseconds since 1970. */
  readonly begun: number;
  /** Versions that were written between these times are compared with the feed, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** The gaps that are closed by it. */
  readonly gaps: readonly Gap[];
  /** Where it goes on; undefined once it has come to its end. */
  readonly next: NotePosition | undefined;
}

export interface ReconciliationRow extends RowKey, Omit<ReconciliationWalk, 'next'> {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly next?: NotePosition;
}

export const reconciliationLayouts = /* @__PURE__ */ new Layouts<(row: ReconciliationRow) => ReconciliationWalk>(
  'reconciliation',
  {
    1: ({ begun, from, to, gaps, next }) => ({ begun, from, to, gaps, next }),
  },
);

export const reconciliationRow = ({ next, ...walk }: ReconciliationWalk): ReconciliationRow => ({
  ...reconciliationKey,
  layout: 1,
  ...walk,
  ...(next ? { next } : {}),
});

/** The walk that is under way, or the last one; undefined if there was none. */
export const lastWalk = async (store: RecordStore): Promise<ReconciliationWalk | undefined> => {
  const [row] = (await store.getMany([reconciliationKey])) as ReconciliationRow[];
  return row && reconciliationLayouts.reader(row.layout)(row);
};

/** Keeps how far a walk has come. */
export const keepWalk = async ({ client, tableName }: RecordStore, walk: ReconciliationWalk): Promise<void> => {
  await client.send(new PutCommand({ TableName: tableName, Item: reconciliationRow(walk) }));
};
