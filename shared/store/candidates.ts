import { GetCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { typesOfPatients } from '../record-types/homes.ts';
import type { SearchType } from '../record-types/search-type.ts';
import type { LinkedChart } from './chart-links.ts';
import { listPartition, registryKeys } from './index-rows.ts';
import { type Address, bearerKey, type RowKey } from './keys.ts';
import { type LinkedPage, linkedPage } from './linked-page.ts';
import type { Fetched, QueryOptions, RecordStore } from './record-store.ts';
import { type RecordRow, recordFrom, type StoredRecord } from './rows.ts';

// The rows that may lead to the answers of a search. Each plan hands out records one by one, with the position behind each, so that
// a page can end anywhere and the next one begin there. They are candidates: the search checks each record against every
// parameter and every rule of access.

/** One partition of the registry, and the beginning of the sort keys wanted in it, or the first and the last of them. */
export interface RegistryRange {
  readonly partition: string;
  readonly prefix: string;
  readonly between?: readonly [string, string];
}

/** How a search finds its candidates. */
export type Plan =
  | { readonly kind: 'records'; readonly addresses: readonly Address[] }
  | {
      readonly kind: 'charts';
      readonly charts: readonly string[];
      /** Whether what refers to records of the charts is wanted too. */
      readonly mentions: boolean;
      /** Sort keys between which lies all that is wanted, unless it lasts longer than its place tells. */
      readonly between?: readonly [from: string, to: string];
      /** All charts in which a plan finds a record, with or without mentions. */
      readonly chartsOf: (record: StoredRecord, mentions: boolean) => Promise<readonly string[]>;
    }
  | {
      readonly kind: 'bearers';
      readonly partitions: readonly string[];
      readonly locate: (id: string) => Promise<Address | undefined>;
    }
  | { readonly kind: 'registry'; readonly ranges: readonly RegistryRange[] }
  /** What heads its own chart. */
  | { readonly kind: 'listed'; readonly owner: string }
  /** Chart by chart of an organisation's patients. */
  | { readonly kind: 'patients'; readonly owner: string }
  /** Both, one after the other. */
  | { readonly kind: 'walk'; readonly owner: string }
  /** One after the other. No record is a candidate of two. */
  | { readonly kind: 'several'; readonly plans: readonly Plan[] };

/** Where a plan goes on: its own business, and sealed into the `next` link. */
export type Position = readonly (string | number)[];

export interface Candidate {
  /** Undefined where a plan only tells how far it has come, so that a page without a match can end too. */
  readonly record: StoredRecord | undefined;
  /** Begin here to find what follows. */
  readonly position: Position;
  /** Whether others follow that have been read with it, and take no further call. */
  readonly othersFollow?: boolean;
}

/** Rows to ask for at once where nothing says that most of them will be wanted. */
const listPage = 100;
/** As many at most where much has been read already: what is counted is read in fewer turns. */
const longestListPage = 1_000;

/** Types that are searched together. One plan finds records of several where it goes by id or by chart; else of the first. */
export type SearchedTypes = readonly [SearchType, ...SearchType[]];

/** Hands out candidates, newest first in a chart, each once. Reads no further than it is asked. In charts, other types come along. */
export const candidates = (
  store: RecordStore,
  types: SearchedTypes,
  plan: Plan,
  from: Position | undefined,
  options: Omit<Reader, 'store' | 'types' | 'recordType'>,
): AsyncGenerator<Candidate> => {
  const reader: Reader = { ...options, store, types, recordType: types[0] };
  switch (plan.kind) {
    case 'records':
      return fromAddresses(reader, plan.addresses, from);
    case 'charts':
      return fromCharts(reader, plan, from);
    case 'bearers':
      return fromBearers(reader, plan, from);
    case 'registry':
      return fromRegistry(reader, plan.ranges, from);
    case 'listed':
      return fromList(reader, plan.owner, from);
    case 'patients':
      return fromPatients(reader, plan.owner, from);
    case 'walk':
      return fromWalk(reader, plan.owner, from);
    case 'several':
      return fromSeveral(reader, plan.plans, from);
  }
};

async function* fromSeveral(reader: Reader, plans: readonly Plan[], from?: Position): AsyncGenerator<Candidate> {
  const [first = 0, ...within] = from ?? [];
  for (const [index, plan] of plans.entries()) {
    if (index < Number(first)) continue;
    const { store, types } = reader;
    const begin = index === first && within.length > 0 ? within : undefined;
    for await (const { record, position } of candidates(store, types, plan, begin, reader)) {
      yield { record, position: [index, ...position] };
    }
    yield { record: undefined, position: [index + 1] };
  }
}

interface Reader {
  readonly store: RecordStore;
  readonly types: SearchedTypes;
  readonly recordType: SearchType;
  readonly rowLimit: number | undefined;
  /** Called for each call, to DynamoDB or the object store, that others wait for; if it was made ahead, when its answer is looked at. */
  readonly spend: () => void;
  /** Calls that are left to be spent; as many as it takes if absent. */
  readonly left?: () => number;
  /** Asked about the first records of a chart that the search names, until it knows; if it says no, the rest of the chart is not read. */
  readonly mayEnter?: (record: StoredRecord) => boolean | undefined;
  /** Told which charts turn out to be one person's, before their records come. */
  readonly onLinked?: (linked: readonly LinkedChart[]) => void;
}

/** Charts, or values of a registry, that are read at once where one after the other is wanted. */
const mostAtOnce = 10;

/**
 * Reads for one item after the other, and ahead: for one at first, then for twice as many each time, so that what is found at once costs no
 * more than it needs, and what is not takes fewer turns. Not for more than calls are left.
 */
async function* readAhead<T, V>(
  { left = () => mostAtOnce }: Reader,
  items: Iterable<T> | AsyncIterable<T>,
  read: (item: T) => Promise<V>,
): AsyncGenerator<readonly [T, V]> {
  let size = 1;
  let waiting: T[] = [];
  const answered = async () => {
    const values = await Promise.all(waiting.map(async (item) => [item, await read(item)] as const));
    waiting = [];
    size = Math.min(2 * size, mostAtOnce);
    return values;
  };
  for await (const item of items) {
    waiting.push(item);
    if (waiting.length >= Math.min(size, left())) yield* await answered();
  }
  if (waiting.length > 0) yield* await answered();
}

/** In the order of their keys: between two pages, there may be others among them. */
async function* fromAddresses(
  { store, spend }: Reader,
  unsorted: readonly Address[],
  from?: Position,
): AsyncGenerator<Candidate> {
  const after = from === undefined ? '' : String(from[0]);
  const named = new Map(unsorted.map((address) => [addressText(address), address]));
  const addresses = [...named.keys()].sort().flatMap((text) => (text > after ? (named.get(text) ?? []) : []));
  let at = 0;
  while (at < addresses.length) {
    const batch = addresses.slice(at, at + listPage);
    spend();
    const [only] = batch;
    const one = batch.length === 1 && only ? await store.read(only) : undefined;
    const page = batch.length === 1 ? { records: one ? [one] : [], taken: 1, fetches: 0 } : await store.readPage(batch);
    spendFetches(spend, page);
    const byKey = new Map(page.records.map((record) => [addressText(record), record]));
    for (const address of batch.slice(0, page.taken)) {
      const text = addressText(address);
      const record = byKey.get(text);
      if (record) yield { record, position: [text] };
    }
    at += page.taken;
  }
}

const spendFetches = (spend: () => void, { fetches }: Fetched): void => {
  for (let fetch = 0; fetch < fetches; fetch++) spend();
};

const addressText = ({ type, chart, place }: Address) => `${type} ${chart} ${place}`;

/** Charts that links have added to those that a search names; a `next` link tells of them, and has to fit a URL. */
const mostAdded = 50;

/** A chart that a link has added, and the named chart that it was added to. */
interface Added extends LinkedChart {
  readonly to: string;
}

const noteOf = ({ to, chart, patient }: Added): string => `${to} ${chart} ${patient}`;
const addedBy = (note: string | number): Added => {
  const [to = '', chart = '', patient = ''] = String(note).split(' ');
  return { to, chart, patient };
};

/** In the order of their keys, so that a page finds its place again where others are among them meanwhile. */
async function* fromCharts(
  reader: Reader,
  { charts: unsorted, mentions, between, chartsOf }: Extract<Plan, { kind: 'charts' }>,
  from?: Position,
): AsyncGenerator<Candidate> {
  const charts = unsorted.toSorted();
  const [at = '', keyAfter = '', ...notes] = from ?? [];
  const added = notes.map(addedBy);
  reader.onLinked?.(added);
  // Behind a chart that is done, no key is left to begin at.
  const rest = charts.filter((chart) => chart > String(at) || (chart === at && keyAfter !== ''));
  const begun = (chart: string): Begun => ({
    after: chart === at ? String(keyAfter) : undefined,
    known: chart === at ? added.filter(({ to }) => to === chart) : undefined,
    mentions,
    between,
  });
  for await (const [chart, first] of readAhead(reader, rest, (each) => firstOf(reader, each, begun(each)))) {
    const seen = [
      ...charts.slice(0, charts.indexOf(chart)),
      ...added.filter(({ to }) => to < chart).map((each) => each.chart),
    ];
    if (seen.includes(chart)) continue;
    const position = (key: string): Position => [chart, key, ...added.map(noteOf)];
    const join = (linked: readonly LinkedChart[]) => {
      added.push(...linked.map((each) => ({ ...each, to: chart })));
      if (added.length > mostAdded) throw new RecordError('too-costly', 'Too many linked charts; name fewer patients');
      reader.onLinked?.(linked);
    };
    let entered = false;
    for await (const { record, key } of ofChart(reader, chart, begun(chart), first, join)) {
      const may: boolean | undefined = record?.chart === chart && !entered ? reader.mayEnter?.(record) : undefined;
      if (may === false) break;
      entered ||= may === true;
      // A record of several of these patients stands in each of their charts, and is shown in the first of them.
      const again = record && seen.length > 0 && (await chartsOf(record, mentions)).some((each) => seen.includes(each));
      yield { record: again ? undefined : record, position: position(key) };
    }
    yield { record: undefined, position: position('') };
  }
}

/** Where to begin in a chart, and what of it is wanted. */
interface Begun extends Pick<QueryOptions, 'after' | 'pointers' | 'mentions' | 'between'> {
  /** The linked charts; asked for if absent. */
  readonly known: readonly LinkedChart[] | undefined;
}

const firstOf = (reader: Reader, chart: string, { known, ...which }: Begun) =>
  linkedPage(reader.store, chart, typeWithin(reader), { limit: reader.rowLimit, ...which }, known);

/** The type whose rows of a chart are read; undefined for all. */
const typeWithin = ({ types, recordType }: Reader): string | undefined =>
  types.length === 1 ? recordType.name : undefined;

/**
 * Records of a chart and of those linked with it.
 *
 * @param first - what `firstOf` has read.
 * @param join - told of linked charts that were not known.
 */
async function* ofChart(
  reader: Reader,
  chart: string,
  { known, ...which }: Begun,
  first: LinkedPage,
  join?: (linked: readonly LinkedChart[]) => void,
): AsyncGenerator<{ record: StoredRecord | undefined; key: string }> {
  let page = first;
  let limit = reader.rowLimit;
  if (!known && page.linked.length > 0) join?.(page.linked);
  for (;;) {
    reader.spend();
    page.linked.forEach(reader.spend);
    spendFetches(reader.spend, page);
    yield* page.items;
    const after = page.next;
    if (after === undefined) return;
    yield { record: undefined, key: after };
    // Rows of deleted and moved records count too: where there are many of them, the next calls read more.
    limit = limit && 2 * limit;
    page = await linkedPage(reader.store, chart, typeWithin(reader), { ...which, after, limit }, page.linked);
  }
}

async function* fromBearers(
  reader: Reader,
  { partitions, locate }: Extract<Plan, { kind: 'bearers' }>,
  from?: Position,
): AsyncGenerator<Candidate> {
  const { store, spend } = reader;
  const rows = await Promise.all(partitions.map((partition) => bearersOf(store, partition, spend)));
  const ids = [...new Set(rows.flat())].sort();
  const addresses = await Promise.all(ids.map(locate));
  yield* fromAddresses(
    reader,
    addresses.filter((address) => address !== undefined),
    from,
  );
}

/** More bearers of one identifier than anybody means: what is shared by so many identifies nothing. */
const mostBearers = 10_000;

/**
 * Ids that bear an identifier, the one that bore it first at the front. One Query; more where thousands bear it.
 *
 * @throws RecordError `too-costly` if too many do.
 */
export const bearersOf = async (
  store: RecordStore,
  partition: string,
  spend: () => void = () => {},
): Promise<string[]> => {
  const rows: { id: string; since: number }[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    spend();
    const page: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :bearer)',
        ExpressionAttributeValues: { ':pk': partition, ':bearer': bearerKey(partition, '').sk },
        ExclusiveStartKey,
      }),
    );
    rows.push(...((page.Items ?? []) as { id: string; since: number }[]));
    if (rows.length > mostBearers) {
      throw new RecordError('too-costly', 'Too many records bear this identifier', { expression: 'identifier' });
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
};

/**
 * What conditional creates with one condition have made. A staged transaction that is about to add to it is left out, even if it is
 * committed: its rows may not be there for a search yet, and whoever expects the ids without it is refused and looks again.
 */
export const guardedIds = async ({ client, tableName }: RecordStore, key: RowKey): Promise<string[]> => {
  const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
  return [...((Item?.ids as Set<string> | undefined) ?? [])];
};

/** What was read before it is known whether it is wanted. */
interface Ahead {
  readonly page: RegistryPage;
  readonly calls: number;
  /** Rows that were asked for. */
  readonly limit: number;
}

const keyOf = ({ partition, prefix, between }: RegistryRange): string => `${partition} ${between?.join(' ') ?? prefix}`;

/** In the order of their keys, so that a page finds its place again where others are among them meanwhile. */
async function* fromRegistry(
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
      for (const { row, record } of read.page.rows) {
        const counts = record !== undefined && isFirstRow(reader, ranges, index, row, record);
        yield { record: counts ? record : undefined, position: [keyOf(range), row.sk] };
      }
    }
    yield { record: undefined, position: [`${keyOf(range)}!`] };
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
  readonly rows: { readonly row: RowKey; readonly record: StoredRecord | undefined }[];
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
        record: row.version === undefined ? byKey.get(addressText(address)) : recordFrom(row, address, store.ids),
      };
    }),
    next: firstLeft ? page.at(-1)?.sk : (LastEvaluatedKey?.sk as string | undefined),
  };
};

/** What heads its own chart, in the order of its keys. */
async function* fromList(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  for await (const { row, record } of listed(reader, owner, from?.[0])) {
    yield { record, position: [row.sk] };
  }
}

/** Everything of a type that an organisation keeps: first what heads its own chart, then chart by chart of its patients. */
async function* fromWalk(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  const [stage = 'own', ...within] = from ?? [];
  if (stage === 'own') {
    for await (const { record, position } of fromList(reader, owner, within)) {
      yield { record, position: ['own', ...position] };
    }
  }
  if (!typesOfPatients.has(reader.recordType.name)) return;
  for await (const { record, position } of fromPatients(reader, owner, stage === 'charts' ? within : undefined)) {
    yield { record, position: ['charts', ...position] };
  }
}

async function* fromPatients(reader: Reader, owner: string, from?: Position): AsyncGenerator<Candidate> {
  const [listAfter, keyAfter, chartAt] = from ?? [];
  let before = listAfter;
  // A position inside a chart names the patient before it, so the chart is found again, whoever has come in between.
  const begun = (chart: string): Begun => ({
    after: chart === chartAt && keyAfter !== undefined ? String(keyAfter) : undefined,
    known: [],
    pointers: 'none',
  });
  const patients = eachOf(listRows(reader, owner, 'Patient', before));
  for await (const [{ chart, sk }, first] of readAhead(reader, patients, (row) =>
    firstOf(reader, row.chart, begun(row.chart)),
  )) {
    for await (const { record, key } of ofChart(reader, chart, begun(chart), first)) {
      yield { record, position: [before ?? '', key, chart] };
    }
    before = sk;
    yield { record: undefined, position: [before] };
  }
}

async function* eachOf<T>(lots: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const lot of lots) yield* lot;
}

/** What heads its own chart, of one type, in the order of its keys. */
async function* listed(
  reader: Reader,
  owner: string,
  from: string | number | undefined,
): AsyncGenerator<{ row: RowKey; record: StoredRecord | undefined }> {
  const { store, recordType, spend } = reader;
  const read = (rows: readonly ListRow[]) =>
    store.readPage(rows.map(({ chart, place }) => ({ type: recordType.name, chart, place })));
  for await (const [rows, first] of readAhead(reader, listRows(reader, owner, recordType.name, from), read)) {
    let page = first;
    for (let at = 0; ; page = await read(rows.slice(at))) {
      spend();
      spendFetches(spend, page);
      const byChart = new Map(page.records.map((record) => [record.chart, record]));
      for (const row of rows.slice(at, at + page.taken)) yield { row, record: byChart.get(row.chart) };
      at += page.taken;
      if (at >= rows.length) break;
    }
  }
}

type ListRow = RowKey & Pick<Address, 'chart' | 'place'>;

/** Rows of a list, a hundred each time. Its pages grow: who reads on is about to read all of it. */
async function* listRows(
  { store, spend }: Reader,
  owner: string,
  type: string,
  from: string | number | undefined,
): AsyncGenerator<readonly ListRow[]> {
  const pk = listPartition(owner, type);
  let after = from === undefined || from === '' ? undefined : String(from);
  let limit = listPage;
  do {
    spend();
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
      }),
    );
    const rows = Items as ListRow[];
    for (let at = 0; at < rows.length; at += listPage) yield rows.slice(at, at + listPage);
    after = LastEvaluatedKey?.sk as string | undefined;
    limit = grown(limit);
  } while (after !== undefined);
}

const grown = (limit: number): number => Math.min(2 * limit, longestListPage);
