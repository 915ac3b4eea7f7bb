import { QueryCommand, type QueryCommandInput, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import {
  type Address,
  chartKey,
  isLinkSign,
  type RowKey,
  recordKey,
  recordRange,
  signRange,
  typePrefix,
} from './keys.ts';
import { fetchesFor, largeBytes, pageWithin } from './large-bodies.ts';
import type { Fetched, Page, QueryOptions, RecordStore } from './record-store.ts';
import {
  addressOf,
  isMention,
  isPointer,
  type PointerRow,
  type RecordRow,
  type StoredRecord,
  targetOf,
} from './rows.ts';
import { visibleRows } from './visibility.ts';

/** A record as a page of a chart shows it, and the sort key behind which what follows it begins. */
export interface Shown {
  readonly record: StoredRecord;
  readonly key: string;
}

/**
 * Records of a chart: of one type, or of all. One Query; a page ends at 1 MB, at the limit, or where its large bodies fill an answer. Deleted
 * records are left out. A record stands at the place of its present date, and at no other one. What a pointer of the page leads to is read with one call more, unless
 * the page holds it too.
 *
 * @returns also whether the page has come by a sign that the chart is linked.
 */
export const chartPage = async (
  store: RecordStore,
  chart: string,
  type: string | undefined,
  options: QueryOptions = {},
): Promise<Page<Shown> & Fetched & { readonly signed: boolean }> => {
  const [{ Items = [], LastEvaluatedKey }, signs] = await rowsWithin(store, chart, type, options);
  const read = Items as (RecordRow | PointerRow)[];
  const led = await rowsOf(store, chart, read, options);
  const counted = new Set<string>();
  const rows = pageWithin(read, (row) => {
    const name = nameOf(row);
    if (counted.has(name)) return 0;
    counted.add(name);
    return largeBytes(led.get(name)?.row ?? {});
  });
  const next = rows.length < read.length ? rows.at(-1)?.sk : (LastEvaluatedKey?.sk as string | undefined);
  const wanted = [...new Set(rows.map(nameOf))].flatMap((name) => {
    const found = led.get(name);
    return found ? [{ name, ...found }] : [];
  });
  const unpacked = await store.recordsIn(wanted.map(({ row, address }) => ({ row, at: address })));
  const records = new Map(
    wanted.flatMap(({ name, at }, index) => {
      const record = unpacked[index];
      return record ? [[name, { record, at }] as const] : [];
    }),
  );
  const held = new Set(rows.map(placeIn));
  const shown = new Set<string>();
  const items: Shown[] = [];
  for (const row of rows) {
    const name = nameOf(row);
    const found = shown.has(name) ? undefined : records.get(name);
    if (found?.record.resource === undefined) continue;
    // The two differ only where a date has changed: then a pointer stands where the record says that it is shown. If it should be on this
    // page and is not, or the record has moved on since the page was read, its write came in between: it is shown here, not nowhere.
    const here = placeIn(row);
    if (found.at !== here && (held.has(found.at) || !(isPointer(row) || isWithin(found.at, options, next)))) continue;
    shown.add(name);
    items.push({ record: found.record, key: keyIn(row) });
  }
  // Newest first, a mention comes just before the place that it stands for, under which its record is shown.
  const behind = next === undefined || options.order === 'key-order' ? next : keyIn({ sk: next });
  return {
    items,
    next: behind,
    signed: [...read, ...signs].some(isLinkSign),
    fetches: fetchesFor(wanted.map(({ row }) => row)),
  };
};

type Rows = Pick<QueryCommandOutput, 'Items' | 'LastEvaluatedKey'>;

/** Rows of a page, and the signs of its type where the page may not come by them. */
const rowsWithin = async (
  { client, tableName: TableName }: RecordStore,
  chart: string,
  type: string | undefined,
  { between, ...options }: QueryOptions,
): Promise<readonly [Rows, readonly RowKey[]]> => {
  const query = (range: Partial<QueryCommandInput>): Promise<Rows> =>
    client.send(new QueryCommand({ TableName, ConsistentRead: true, ...range }));
  const whole = () =>
    query({ ...chartRange(chart, type, options), ...(options.limit === undefined ? {} : { Limit: options.limit }) });
  if (!between || type === undefined) return [await whole(), []];
  const signsOf = { ':pk': chartKey(chart), ...signRange(type, 'lasting') };
  const isPassed = options.after !== undefined && options.after < between[0];
  const [rows, { Items: signs = [] }] = await Promise.all([
    isPassed ? { Items: [] } : query(boundedRange(chart, between, options)),
    query({ KeyConditionExpression: keysBetween, ExpressionAttributeValues: signsOf, Limit: 2 }),
  ]);
  const found = signs as RowKey[];
  return found.every(isLinkSign) ? [rows, found] : [await whole(), found];
};

/**
 * Whether the order of a type's records in a chart is that of the date which bounds it (`boundedBy`), newest first: nothing is linked, and none
 * has no date, or one that its place does not tell. One call.
 */
export const isInOrderOfDate = async (
  { client, tableName }: RecordStore,
  chart: string,
  type: string,
): Promise<boolean> => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: keysBetween,
      ExpressionAttributeValues: { ':pk': chartKey(chart), ...signRange(type, 'all') },
      Limit: 1,
    }),
  );
  return Items.length === 0;
};

/** A record's row, and the sort key at which its charts show it: while an update is staged, that is still the place of the version before. */
interface Found {
  readonly row: RecordRow;
  readonly address: Address;
  readonly at: string;
}

/** Rows of the records of a page and of those that its pointers lead to, by name. */
const rowsOf = async (
  store: RecordStore,
  chart: string,
  rows: readonly (RecordRow | PointerRow)[],
  { pointers = 'all', mentions = false }: QueryOptions,
): Promise<Map<string, Found>> => {
  const isFollowed = (row: PointerRow) =>
    isMention(row) ? mentions : pointers === 'all' || (pointers === 'others' && row.home !== chart);
  const own = rows.filter((row): row is RecordRow => !isPointer(row));
  const names = new Set(own.map(nameOf));
  const elsewhere = rows
    .filter(isPointer)
    .filter((row) => isFollowed(row) && !names.has(nameOf(row)))
    .map((row) => recordKey(targetOf(row)));
  const followed = elsewhere.length === 0 ? [] : ((await store.getMany(elsewhere)) as RecordRow[]);
  const all = [...own, ...followed];
  const places = new Map(all.map((row) => [nameOf(row), row.shown]));
  const visible = await visibleRows(store.client, store.tableName, all);
  return new Map(
    visible.flatMap((row): [string, Found][] => {
      const address = addressOf(row);
      const name = nameOf(row);
      if (!address) return [];
      const shown = pointers === 'all' || address.chart !== chart ? places.get(name) : undefined;
      const at = `${typePrefix(address.type)}${shown ?? address.place}`;
      return [[name, { row, address, at }]];
    }),
  );
};

/** Names the record that a row holds or points to. */
const nameOf = (row: RecordRow | PointerRow): string => {
  const { pk, sk } = isPointer(row) ? recordKey(targetOf(row)) : row;
  return `${pk}\n${sk}`;
};

/** The place that a row stands for: a mention's sort key has more behind it. */
const placeIn = ({ sk }: Pick<RowKey, 'sk'>): string => sk.split('!')[0] ?? sk;

/** The sort key under which a row's record is shown, the same in every chart. What heads a chart is mentioned under its chart's name. */
const keyIn = (row: Pick<RowKey, 'sk'>): string => (placeIn(row).endsWith('#') ? row.sk : placeIn(row));

/** Whether a page has passed by a sort key: behind the one that it began after, up to the last one that it read. */
const isWithin = (key: string, { order, after }: QueryOptions, next = key): boolean => {
  const follows = (a: string, b: string) => (order === 'key-order' ? a > b : a < b);
  return (after === undefined || follows(key, after)) && !follows(key, next);
};

const keysBetween = 'pk = :pk AND sk BETWEEN :from AND :to';

const chartRange = (chart: string, type: string | undefined, { order, after, from }: QueryOptions) => {
  const forward = order === 'key-order';
  const first = type === undefined ? recordRange.from : typePrefix(type);
  const last = type === undefined ? recordRange.to : `${typePrefix(type)}~`;
  return {
    KeyConditionExpression: keysBetween,
    ExpressionAttributeValues: {
      ':pk': chartKey(chart),
      ':from': forward ? (from ?? first) : first,
      ':to': forward ? last : (from ?? last),
    },
    ScanIndexForward: forward,
    ...(after === undefined ? {} : { ExclusiveStartKey: { pk: chartKey(chart), sk: after } }),
  };
};

/** Newest first between two sort keys. A page that was not bounded may have ended beyond them. */
const boundedRange = (chart: string, [from, to]: readonly [string, string], { after = '~' }: QueryOptions) => ({
  KeyConditionExpression: keysBetween,
  ExpressionAttributeValues: { ':pk': chartKey(chart), ':from': from, ':to': to },
  ScanIndexForward: false,
  ...(after > to ? {} : { ExclusiveStartKey: { pk: chartKey(chart), sk: after } }),
});
