import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import type { RecordStore } from '../record-store.ts';
import { rowsBetween } from '../rows-between.ts';
import { tryWrite } from '../transact.ts';
import { commitWithinMs } from './completeness.ts';
import { feedProgressPartition, parkedKey, parkedPrefix } from './feed-keys.ts';

// A change that cannot be published would hold up its whole shard: a quarter of all charts, perhaps. So its chart is parked, and everybody else's changes
// go on. What of a parked chart comes out of the stream is passed over, in one piece, because what comes later must not overtake. The chart itself has it all, so it is
// published from there as soon as that works (shared/changes/retry-parked.ts).

/** Why a chart was parked: something of it is of a layout that a newer release writes, or cannot be read or told at all. */
export type ParkingReason = 'newer-release' | 'unreadable';

/** A chart of which nothing is published as it comes. */
export interface ParkedChart {
  readonly chart: string;
  readonly reason: ParkingReason;
  /** When it was parked, in milliseconds since 1970. */
  readonly since: number;
  /** Versions that were written from then on may not be published, in milliseconds since 1970. All earlier ones are. */
  readonly from: number;
  /** How often something of it was passed over since. */
  readonly skipped: number;
  /** When it was tried last to publish it, in milliseconds since 1970. */
  readonly tried: number;
}

/** The row of a parked chart. */
export interface ParkedRow extends RowKey, Omit<ParkedChart, 'chart'> {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
}

export const parkedLayouts = /* @__PURE__ */ new Layouts<(row: ParkedRow) => ParkedChart>('parked', {
  1: ({ sk, reason, since, from, skipped, tried }) => ({
    chart: sk.slice(parkedPrefix.length),
    reason,
    since,
    from,
    skipped,
    tried,
  }),
});

export const parkedRow = ({ chart, ...parked }: ParkedChart): ParkedRow => ({
  ...parkedKey(chart),
  layout: 1,
  ...parked,
});

/** Whatever has a client and knows its table. */
type Table = Pick<RecordStore, 'client' | 'tableName'>;

const parkedRange = { pk: feedProgressPartition, from: parkedPrefix, to: `${parkedPrefix}~` };

/** All parked charts, strongly consistent: mostly none, and one Query. */
export const parkedCharts = async (table: Table): Promise<ReadonlyMap<string, ParkedChart>> => {
  const parked = new Map<string, ParkedChart>();
  let after: string | undefined;
  do {
    const { rows, next } = await rowsBetween(table, { ...parkedRange, after });
    for (const row of rows as ParkedRow[]) {
      const each = parkedLayouts.reader(row.layout)(row);
      parked.set(each.chart, each);
    }
    after = next;
  } while (after !== undefined);
  return parked;
};

/** A chart, if it is parked. One call. */
export const parkedChart = async (
  { client, tableName: TableName }: Table,
  chart: string,
): Promise<ParkedChart | undefined> => {
  const { Item } = await client.send(new GetCommand({ TableName, Key: parkedKey(chart), ConsistentRead: true }));
  return Item && parkedLayouts.reader(Item['layout'])(Item as ParkedRow);
};

/**
 * Clocks differ, and requests that come at once commit in any order: what is passed over behind a version may bear a time that is earlier by so much.
 *
 * @param written - the time that a version bears.
 */
const fromOn = (written: number): number => Math.max(written - commitWithinMs, 0);

/**
 * Parks a chart; one that is parked stays so, and something more of it is passed over.
 *
 * @param written - when the oldest version was written that is not published for it.
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const parkChart = async (
  table: Table,
  {
    chart,
    reason,
    written,
    now,
  }: { readonly chart: string; readonly reason: ParkingReason; readonly written: number; readonly now: number },
): Promise<void> => {
  const Item = parkedRow({ chart, reason, since: now, from: fromOn(written), skipped: 0, tried: 0 });
  for (;;) {
    const refused = await tryWrite(
      table.client,
      new PutCommand({
        TableName: table.tableName,
        Item,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    if (!refused || (await passOver(table, chart, written))) return;
  }
};

/**
 * Notes that something of a parked chart is passed over, so that the chart stays parked until that was published.
 *
 * @param written - when the oldest version was written that is passed over.
 * @returns false if the chart is parked no more: nothing of it may be passed over then.
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const passOver = async (
  { client, tableName: TableName }: Table,
  chart: string,
  written: number,
): Promise<boolean> => {
  for (let earlier = false; ; earlier = !earlier) {
    // Sent again, it counts again, which does no harm: what matters is that the number is another one.
    const refused = await tryWrite(
      client,
      new UpdateCommand({
        TableName,
        Key: parkedKey(chart),
        UpdateExpression: `ADD skipped :one${earlier ? ' SET #from = :from' : ''}`,
        ConditionExpression: `#from ${earlier ? '>' : '<='} :from`,
        ExpressionAttributeNames: { '#from': 'from' },
        ExpressionAttributeValues: { ':one': 1, ':from': fromOn(written) },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    if (!refused) return true;
    if (!refused.row) return false;
  }
};

/**
 * Ends the parking of a chart all of which was published as it was read behind `parked`.
 *
 * @returns false if something was passed over since, so that there is more to publish.
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const unparkChart = async (
  { client, tableName: TableName }: Table,
  { chart, since, skipped }: ParkedChart,
): Promise<boolean> => {
  const refused = await tryWrite(
    client,
    new DeleteCommand({
      TableName,
      Key: parkedKey(chart),
      ConditionExpression: 'skipped = :skipped AND since = :since',
      ExpressionAttributeValues: { ':skipped': skipped, ':since': since },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  // No row is left where an own sending, or another run, was there first.
  return refused?.row === undefined;
};

/** Notes that it was tried in vain to publish a chart, so that the others come first the next time. */
export const noteTried = async ({ client, tableName: TableName }: Table, chart: string, now: number): Promise<void> => {
  await tryWrite(
    client,
    new UpdateCommand({
      TableName,
      Key: parkedKey(chart),
      UpdateExpression: 'SET tried = :now',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':now': now },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
};
