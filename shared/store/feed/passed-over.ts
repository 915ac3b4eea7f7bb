import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { type Row, type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import { putOnce } from '../put-once.ts';
import { rowsBetween } from '../rows-between.ts';
import type { Table } from '../write-rows.ts';
import type { RecordChange } from './change.ts';
import { passedOverKey, passedOverPartition } from './feed-keys.ts';
import { positionOf } from './feed-rows.ts';

// A version that was told, and cannot be read when somebody asks on or a notification is made, would stand in the way of all behind it, for ever if nobody mends it.
// So it is passed over, and a row notes that, until it can be read: then whoever missed it is told of it once more (shared/changes/retell.ts).

/** A change that an organisation was told of and did not get to see. */
export interface PassedOver {
  readonly organization: string;
  readonly change: RecordChange;
}

export interface PassedOverRow extends RowKey, PassedOver {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
}

export const passedOverLayouts = /* @__PURE__ */ new Layouts<(row: PassedOverRow) => PassedOver>('passedOver', {
  1: ({ organization, change }) => ({ organization, change }),
});

export const passedOverRow = ({ organization, change }: PassedOver): PassedOverRow => {
  const { type, chart, place, id, version, updated, custodian, change: kind } = change;
  return {
    ...passedOverKey(`${positionOf(change)}#${organization}`),
    layout: 1,
    organization,
    change: { type, chart, place, ...(id === undefined ? {} : { id }), version, updated, custodian, change: kind },
  };
};

/**
 * Notes that a change was passed over; once, however often it was. One write.
 *
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const notePassedOver = (table: Table, passed: PassedOver): Promise<void> =>
  putOnce(table, passedOverRow(passed));

/** Some of what was passed over, oldest first: behind a place, and where to go on. One Query. */
export const passedOverBehind = async (
  table: Table,
  after: string | undefined,
  limit: number,
): Promise<{ readonly rows: readonly PassedOverRow[]; readonly next: string | undefined }> => {
  const { rows, next } = await rowsBetween(table, { pk: passedOverPartition, from: '!', to: '~', after, limit });
  return { rows: rows as readonly Row[] as readonly PassedOverRow[], next };
};

/** Ends the note: it was told again, or is not for that organisation any more. */
export const endPassedOver = async ({ client, tableName: TableName }: Table, { pk, sk }: RowKey): Promise<void> => {
  await client.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
};
