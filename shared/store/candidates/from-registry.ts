import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { registryKeys } from '../index-rows.ts';
import type { Address, RowKey } from '../keys.ts';
import { type RecordRow, type StoredRecord } from '../rows.ts';
import type { Candidate, Position, RegistryRange } from './plan.ts';
import { addressText, grown, listPage, type Reader, readAhead, rightBehind, spendFetches } from './reader.ts';

/** What was read before it is known whether it is wanted. */
interface Ahead {
  readonly page: RegistryPage;
  readonly calls: number;
  /** Rows that were asked for. */
  readonly limit: number;
}

const keyOf = ({ partition, prefix, between }: RegistryRange): string => `${partition} ${between?.join(' ') ?? prefix}`;

/** In the order of their keys, so that a page finds its place again where others are among them meanwhile. */
export async function* fromRegistry(
  reader: Reader,
  unsorted: readonly RegistryRange[],
  from?: Position,
): AsyncGenerator<Candidate> {
  const [begin = '', keyAfter] = from ?? [];
  const ranges = unsorted.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const rest = [...ranges.entries()].filter(([, range]) => keyOf(range) >= String(begin));
  const ahead = async (range: RegistryRange, after: string | undefined, limit = listPage): Promise<Ahead> => {
    let calls = 0;
    const page = await registryPage({ ...reader, spend: () => void calls++ }, range, after, limit);
    return { page, calls, limit };
  };
  const behind = async (range: RegistryRange, { page: { rows, next }, limit }: Ahead): Promise<Ahead | undefined> =>
    next === undefined ? undefined : ahead(range, next, rows.length < limit ? listPage : grown(limit));
  const afterIn = (range: RegistryRange) =>
    keyOf(range) === begin && keyAfter !== undefined ? String(keyAfter) : undefined;
  for await (const [[index, range], first] of readAhead(reader, rest, ([, each]) => ahead(each, afterIn(each)))) {
    for (let read: Ahead | undefined = first; read; read = await behind(range, read)) {
      for (let call = 0; call < read.calls; call++) reader.spend();
      for (const { row, recordOf } of read.page.rows) {
        const record = recordOf();
        const counts = record !== undefined && isFirstRow(reader, ranges, index, row, record);
        yield { record: counts ? record : undefined, position: [keyOf(range), row.sk] };
      }
    }
    yield { record: undefined, position: [rightBehind(keyOf(range))] };
  }
}

/** A record may stand in several rows of the ranges asked for; only the first of them counts, whichever page it is on. */
const isFirstRow = (
  { store, recordType }: Reader,
  ranges: readonly RegistryRange[],
  at: number,
  row: RowKey,
  record: StoredRecord,
): boolean => {
  const own = registryKeys(store, recordType, record);
  const earlier = (index: number, key: RowKey) => index < at || (index === at && key.sk < row.sk);
  return !own.some((key) => ranges.some((range, index) => isIn(range, key) && earlier(index, key)));
};

const isIn = ({ partition, prefix, between }: RegistryRange, { pk, sk }: RowKey): boolean => {
  const [from, to] = between ?? ['', sk];
  return pk === partition && sk.startsWith(prefix) && sk >= from && sk <= to;
};

const conditionFor = ({ partition, prefix, between }: RegistryRange) => {
  const [from, to] = between ?? [prefix];
  const ofRange = to === undefined ? ' AND begins_with(sk, :from)' : ' AND sk BETWEEN :from AND :to';
  return {
    KeyConditionExpression: `pk = :pk${from === '' ? '' : ofRange}`,
    ExpressionAttributeValues: {
      ':pk': partition,
      ...(from === '' ? {} : { ':from': from }),
      ...(to === undefined ? {} : { ':to': to }),
    },
  };
};

interface RegistryPage {
  /** A record that its row repeats is unpacked when it is asked for: a thousand of them, each a thousand times as large, have no room. */
  readonly rows: { readonly row: RowKey; readonly recordOf: () => StoredRecord | undefined }[];
  readonly next: string | undefined;
}

const registryPage = async (
  { store, recordType, spend }: Reader,
  range: RegistryRange,
  after: string | undefined,
  limit: number,
): Promise<RegistryPage> => {
  spend();
  const { Items = [], LastEvaluatedKey } = await store.client.send(
    new QueryCommand({
      TableName: store.tableName,
      ConsistentRead: true,
      ...conditionFor(range),
      Limit: limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: { pk: range.partition, sk: after } }),
    }),
  );
  const rows = Items as (RecordRow & { chart: string; place: string })[];
  const addressOfRow = ({ chart, place }: { chart: string; place: string }): Address => ({
    type: recordType.name,
    chart,
    place,
  });
  const bare = rows.filter(({ version }) => version === undefined);
  if (bare.length > 0) spend();
  const read = bare.length === 0 ? undefined : await store.readPage(bare.slice(0, listPage).map(addressOfRow));
  if (read) spendFetches(spend, read);
  const byKey = new Map(read?.records.map((record) => [addressText(record), record]));
  // Large records may leave no room for the rest, which then makes the next page.
  const firstLeft = read && bare[read.taken];
  const page = firstLeft ? rows.slice(0, rows.indexOf(firstLeft)) : rows;
  return {
    rows: page.map((row) => {
      const address = addressOfRow(row);
      return {
        row,
        recordOf: () => (row.version === undefined ? byKey.get(addressText(address)) : store.recordOf(row, address)),
      };
    }),
    next: firstLeft ? page.at(-1)?.sk : (LastEvaluatedKey?.sk as string | undefined),
  };
};
