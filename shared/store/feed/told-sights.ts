import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import type { RecordStore } from '../record-store.ts';
import { tryWrite } from '../transact.ts';
import type { Table } from '../write-rows.ts';
import { toldSightsKey, toldSightsPrefix } from './feed-keys.ts';

// A Consent is looked at when the stream tells of it, and by then others of the chart may have changed, too. So what an organisation saw before cannot be found out from the chart: what
// it was told is kept instead.

/** Organisations that were told that they see something of a chart, and not since then that they see nothing. */
export interface ToldSights {
  readonly told: readonly string[];
  /** Those that may have been told, because it was begun and nothing says that it was done. */
  readonly perhaps: readonly string[];
}

export interface ToldSightsRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly told?: ReadonlySet<string>;
  readonly perhaps?: ReadonlySet<string>;
}

export const toldSightsLayouts = /* @__PURE__ */ new Layouts<(row: ToldSightsRow) => ToldSights>('toldSights', {
  1: ({ told = [], perhaps = [] }) => ({ told: [...told].sort(), perhaps: [...perhaps].sort() }),
});

export const toldSightsRow = (chart: string): ToldSightsRow => ({ ...toldSightsKey(chart), layout: 1 });

/**
 * What was told of these charts, of those of which anything was. One call a hundred, strongly consistent.
 *
 * @throws WrittenByNewerRelease.
 */
export const toldSightsOf = async (
  store: Pick<RecordStore, 'getMany'>,
  charts: readonly string[],
): Promise<ReadonlyMap<string, ToldSights>> => {
  const rows = (await store.getMany(charts.map(toldSightsKey))) as ToldSightsRow[];
  return new Map(rows.map((row) => [row.pk.slice(toldSightsPrefix.length), toldSightsLayouts.reader(row.layout)(row)]));
};

/**
 * Notes that it is begun to tell organisations that they see something of a chart. One write. Charts that are linked are told of by more than one shard of the stream, so each adds what it tells.
 *
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const noteTellingOf = (table: Table, chart: string, organizations: readonly string[]): Promise<void> =>
  change(table, chart, 'ADD perhaps :some', { ':some': new Set(organizations) });

/**
 * Notes what organisations were told last of a chart: that they see something, or nothing. A write for those that see something, and one for the others.
 *
 * @throws RecordError `throttled`; what left the table without an answer.
 */
export const noteToldOf = async (table: Table, chart: string, told: ReadonlyMap<string, boolean>): Promise<void> => {
  for (const sees of [true, false]) {
    const some = [...told].flatMap(([organization, does]) => (does === sees ? [organization] : []));
    if (some.length === 0) continue;
    const expression = sees ? 'ADD told :some DELETE perhaps :some' : 'DELETE told :some, perhaps :some';
    await change(table, chart, expression, { ':some': new Set(some) });
  }
};

const change = async (
  { client, tableName: TableName }: Table,
  chart: string,
  expression: string,
  values: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const { pk, sk, layout } = toldSightsRow(chart);
  await tryWrite(
    client,
    new UpdateCommand({
      TableName,
      Key: { pk, sk },
      UpdateExpression: `SET layout = :layout ${expression}`,
      ExpressionAttributeValues: { ...values, ':layout': layout },
    }),
  );
};
