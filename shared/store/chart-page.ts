import { QueryCommand, type QueryCommandInput, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import {
  type Address,
  chartKey,
  isLinkSign,
  isSign,
  lastOf,
  placeOfLasting,
  type RowKey,
  recordKey,
  recordRange,
  typePrefix,
} from './keys.ts';
import { fetchesFor, largeBytes, pageWithin } from './large-bodies.ts';
import type { Fetched, Page, QueryOptions, RecordStore } from './record-store.ts';
import {
  addressOf,
  isMention,
  isPointer,
  type LastingRow,
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
 * Records of a chart: of one type, or of all. One Query; a page ends at 1 MB, at the limit, or where its bodies leave no room. Deleted
 * records are left out. A record stands at the place of its present date, and at no other one. What a pointer of the page leads to is read with one call more, unless
 * the page holds it too.
 *
 * @returns also whether the page has come by a sign that the chart is linked, and whether by none that the order of the chart is not that of the
 * type's date (`boundedBy`), where that was asked.
 */
export const chartPage = async (
  store: RecordStore,
  chart: string,
  type: string | undefined,
  options: QueryOptions = {},
): Promise<Page<Shown> & Fetched & Pick<Rows, 'signed' | 'byDate'>> => {
  const { rows: read, next: behindRead, signed, byDate } = await rowsWithin(store, chart, type, options);
  const led = await rowsOf(store, chart, read, options);
  const counted = new Set<string>();
  const fitting = pageWithin(read, (row) => {
    const name = nameOf(row);
    if (counted.has(name)) return 0;
    counted.add(name);
    return largeBytes(led.get(name)?.row ?? {});
  });
  const wanted = [...new Set(fitting.map(nameOf))].flatMap((name) => {
    const found = led.get(name);
    return found ? [{ name, ...found }] : [];
  });
  const unpacked = await store.firstRecordsIn(wanted.map(({ row, address }) => ({ row, at: address })));
  const left = wanted[unpacked.length]?.name;
  const rows =
    left === undefined
      ? fitting
      : fitting.slice(
          0,
          fitting.findIndex((row) => nameOf(row) === left),
        );
  const next = rows.length < read.length ? rows.at(-1)?.sk : behindRead;
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
    signed,
    byDate,
    fetches: fetchesFor(wanted.map(({ row }) => row)),
  };
};

interface Rows {
  readonly rows: readonly (RecordRow | PointerRow)[];
  readonly next: string | undefined;
  readonly signed: boolean;
  readonly byDate: boolean;
}

/**
 * Rows of the newest that a search for a range of dates reads at first if the range has an end: behind it, there may be as many before the signs
 * of its type. They cost some 25 to 50 read units, and few charts have more. If they do, another Query goes to where the range ends.
 */
const newestRead = 500;
/** Rows that a page of a range reads more than it shows: those of the day before, which may last until it begins. */
const dayBefore = 200;
/** Rows of what lasts that make a page: each leads to a record that is read apart. */
const mostLasting = 100;

/** Rows of a page, and what the signs of its type say, where it comes by them. */
const rowsWithin = async (
  { client, tableName: TableName }: RecordStore,
  chart: string,
  type: string | undefined,
  options: QueryOptions,
): Promise<Rows> => {
  const query = async (range: Partial<QueryCommandInput>, most: number | undefined) => {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({ TableName, ConsistentRead: true, ...range, ...(most === undefined ? {} : { Limit: most }) }),
    );
    return { items: Items as (RecordRow | PointerRow)[], next: LastEvaluatedKey?.sk as string | undefined };
  };
  const { between, after, limit } = options;
  if (!between || type === undefined) {
    const { items, next } = await query(chartRange(chart, type, options), limit);
    const rows = items.filter((row) => !isSign(row) || isLinkSign(row));
    return { rows, next, signed: rows.some(isLinkSign), byDate: !items.some(isSign) };
  }
  const [from, to] = between;
  const last = lastOf(type, 'records');
  // What lasts stands behind the type, so a search that begins there finds it, and the sign of a link, in the same Query.
  const begins = after === undefined || after > to;
  let high = begins ? lastOf(type, 'lasting') : to;
  const inRange = limit && limit + dayBefore;
  let most = begins && to < last ? Math.max(inRange ?? 0, newestRead) : inRange;
  const read: (RecordRow | PointerRow)[] = [];
  let next = after;
  do {
    const page = await query(newestBetween(chart, from, high, next), most);
    read.push(...page.items);
    next = page.next;
    // Signs are read to their end, however few rows are wanted: a link must not be missed.
    if (next !== undefined && next > to) [high, most, next] = next > last ? [high, undefined, next] : [to, inRange, to];
  } while (next !== undefined && next >= to);
  const signs = read.filter(isSign);
  const rows = read.filter((row) => (isSign(row) ? isLasting(row) && mayMeet(row, between) : row.sk <= to));
  const end = rows.filter(isSign)[mostLasting - 1];
  return {
    rows: end ? rows.slice(0, rows.indexOf(end) + 1) : rows,
    next: end ? end.sk : next,
    signed: signs.some(isLinkSign),
    byDate: signs.length === 0,
  };
};

const isLasting = (row: RowKey): row is LastingRow => 'begins' in row;

/** Whether what lasts may be what a range looks for, and is not found there by its place. */
const mayMeet = (row: LastingRow, [from, to]: readonly [string, string]): boolean => {
  const at = (time: string) => row.sk.replace(/~.*/, time);
  const place = placeOfLasting(row);
  return at(row.begins) <= to && at(row.ends) >= from && !(place >= from && place <= to);
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
const keyIn = (row: Pick<RowKey, 'sk'>): string => (/#~*$/.test(placeIn(row)) ? row.sk : placeIn(row));

/**
 * Whether a page has passed by a sort key: behind the one that it began after, up to the last one that it read, and not before the range, where
 * records stand by their signs alone.
 */
const isWithin = (key: string, { order, after, between }: QueryOptions, next = key): boolean => {
  if (between && key < between[0]) return false;
  const follows = (a: string, b: string) => (order === 'key-order' ? a > b : a < b);
  return (after === undefined || follows(key, after)) && !follows(key, next);
};

const keysBetween = 'pk = :pk AND sk BETWEEN :from AND :to';

const chartRange = (chart: string, type: string | undefined, { order, after, from, byDate }: QueryOptions) => {
  const forward = order === 'key-order';
  const first = type === undefined ? recordRange.from : typePrefix(type);
  const last = type === undefined ? recordRange.to : lastOf(type, byDate ? 'signs' : 'records');
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

/** Newest first between two sort keys, behind a third one. */
const newestBetween = (chart: string, from: string, to: string, after = to) => ({
  KeyConditionExpression: keysBetween,
  ExpressionAttributeValues: { ':pk': chartKey(chart), ':from': from, ':to': to },
  ScanIndexForward: false,
  ...(after < to ? { ExclusiveStartKey: { pk: chartKey(chart), sk: after } } : {}),
});
