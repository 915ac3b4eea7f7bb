import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../../errors.ts';
import { type Address, chartKey, recordRange, typePrefix } from '../keys.ts';
import type { RecordStore } from '../record-store.ts';
import { addressOf, type RecordRow } from '../rows.ts';
import { visibleRows } from '../visibility.ts';
import type { RecordChange } from './change.ts';

/** Calls that one chart may take of a request: some 10 MB. */
const mostOfRequest = 10;

/** Attributes that tell of a version, its marks included. */
const attributes = ['pk', 'sk', 'version', 'updated', 'custodian', 'id', 'tx', 'intent', 'layout'];

/**
 * Every version of a chart's records, of one type or of all, in no order: what the chart itself tells, without a feed. Strongly consistent, one call a started
 * megabyte of the current versions and one of the earlier ones, both at the same time.
 *
 * @param mostCalls - megabytes that may be read of the chart, twice.
 * @throws RecordError `too-costly` where the chart is larger.
 */
export const chartChanges = async (
  store: RecordStore,
  chart: string,
  type: string | undefined,
  mostCalls = mostOfRequest,
): Promise<RecordChange[]> => {
  const [from, to] =
    type === undefined ? [recordRange.from, recordRange.to] : [typePrefix(type), `${typePrefix(type)}~`];
  // A version that moves to its history meanwhile may be met twice, and is one change; read in this order, it cannot be missed.
  const current = await rowsBetween(store, chart, from, to, mostCalls);
  const earlier = await rowsBetween(store, chart, `~H#${from}`, `~H#${to}`, mostCalls);
  const records = current.filter((row) => addressOf(row) !== undefined && row.version !== undefined);
  const visible = await visibleRows(store.client, store.tableName, records);
  return [...visible, ...records.filter(({ tx }) => tx === undefined), ...earlier].flatMap((row) => {
    const at = addressOf(row) ?? ofHistory(chart, row.sk);
    if (!at) return [];
    const { id, version, updated, custodian } = row;
    return [{ ...at, ...(id === undefined ? {} : { id }), version, updated, custodian, change: 'updated' as const }];
  });
};

const ofHistory = (chart: string, sk: string): Address | undefined => {
  const [, type, place] = /^~H#([A-Z][A-Za-z]+)#([0-9a-v]*)#\d{10}$/.exec(sk) ?? [];
  return type === undefined || place === undefined ? undefined : { type, chart, place };
};

const rowsBetween = async (
  { client, tableName: TableName }: RecordStore,
  chart: string,
  from: string,
  to: string,
  mostCalls: number,
): Promise<RecordRow[]> => {
  const rows: RecordRow[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  for (let calls = 1; ; calls++) {
    const page = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ProjectionExpression: attributes.map((name) => `#${name}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: { ':pk': chartKey(chart), ':from': from, ':to': to },
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      }),
    );
    rows.push(...((page.Items ?? []) as RecordRow[]));
    ExclusiveStartKey = page.LastEvaluatedKey;
    if (!ExclusiveStartKey) return rows;
    if (calls === mostCalls) {
      throw new RecordError(
        'too-costly',
        'This chart is too large for its history to be put in order; ask for one type',
        {
          expression: '_history',
        },
      );
    }
  }
};
