import {
  BatchGetCommand,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Resource } from '../fhir/resource.ts';
import { backOff } from './back-off.ts';
import { chartPage } from './chart-page.ts';
import type { DeploymentKeys } from './deployment-key.ts';
import { IdCodec } from './ids.ts';
import { type Address, chartKey, historyKey, historyPrefix, locatorKey, recordKey } from './keys.ts';
import {
  fetchesFor,
  LargeBodies,
  largeBytes,
  pageWithin,
  requireTogether,
  unpackPage,
  unpackTogether,
} from './large-bodies.ts';
import type { ObjectStore } from './object-store.ts';
import { addressOf, type RecordRow, recordFrom, type StoredRecord, sealedLike, withResource } from './rows.ts';
import { visibleRows } from './visibility.ts';

/** A page of records in the order of their keys, and where the next one begins. */
export interface Page<T> {
  readonly items: T[];
  /** Sort key of the last row read, if more may follow. */
  readonly next: string | undefined;
}

/** What reading it took besides its one call to DynamoDB. */
export interface Fetched {
  /** Calls to the object store that waited for one another. */
  readonly fetches: number;
}

export interface QueryOptions {
  /** Newest clinical date first (the default) or the order of the keys. */
  readonly order?: 'newest-first' | 'key-order';
  /** Sort key behind which to begin. */
  readonly after?: string | undefined;
  /** Sort key at which to begin: of one type's, or of all. */
  readonly from?: string | undefined;
  /** Sort keys of one type between which begins all that is wanted. What its place does not tell comes first, whatever it began. */
  readonly between?: readonly [from: string, to: string] | undefined;
  /** Whether a first page of one type should tell if its order is that of the type's date. */
  readonly byDate?: boolean;
  /** Rows to read at most; a page also ends at 1 MB, DynamoDB's limit for a query. */
  readonly limit?: number | undefined;
  /**
   * Which pointers lead to records: all, so that each record stands at its present date (the default); those out of the chart, or none. Where
   * the chart's own are not followed, its records stand where their rows are, and need no further call.
   */
  readonly pointers?: 'all' | 'others' | 'none';
  /** True shows also what belongs elsewhere and refers to records of this chart. */
  readonly mentions?: boolean;
}

/** A row, and where its record is. */
interface LocatedRow {
  readonly row: RecordRow;
  readonly at: Address;
}

/** What is shown of a resource. Pure. */
export type Reduced = (resource: Resource) => Resource;

/** Locators never change, so a process need not read one twice. Bounded, since a process may live for hours. */
const locatorCacheSize = 10_000;

/**
 * All reads of records. Each is strongly consistent: what a write acknowledged, the next read sees.
 * Read by id, by version and by chart are one DynamoDB call each; an id that a client chose costs one more at first sight.
 */
export class RecordStore {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly keys: DeploymentKeys;
  readonly ids: IdCodec;
  /** Has the bodies that are too large for a row. */
  readonly objects: ObjectStore;
  readonly #largeBodies: LargeBodies;
  readonly #locators: Map<string, Address>;
  /** What is shown of whatever is read; undefined where that is all of it. */
  readonly #reduced: Reduced | undefined;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    keys: DeploymentKeys,
    objects: ObjectStore,
    locators = new Map<string, Address>(),
    reduced?: Reduced,
  ) {
    this.client = client;
    this.tableName = tableName;
    this.keys = keys;
    this.ids = new IdCodec(keys.ids);
    this.objects = objects;
    this.#largeBodies = new LargeBodies(objects, this.ids);
    this.#locators = locators;
    this.#reduced = reduced;
  }

  /**
   * The same store, for a reader who is shown less of records: nothing else of them is ever there, whatever they are looked at for. It is not
   * written through.
   */
  reducedBy(reduced: Reduced): RecordStore {
    return new RecordStore(this.client, this.tableName, this.keys, this.objects, this.#locators, reduced);
  }

  /** The same store, with all that records say. */
  get whole(): RecordStore {
    return this.#reduced ? new RecordStore(this.client, this.tableName, this.keys, this.objects, this.#locators) : this;
  }

  /** Whether records are read as less than they are. */
  get isReduced(): boolean {
    return this.#reduced !== undefined;
  }

  /** The same store, asked by other clients. */
  over(client: DynamoDBDocumentClient, objects: ObjectStore): RecordStore {
    return new RecordStore(client, this.tableName, this.keys, objects, undefined, this.#reduced);
  }

  /** The same store through another client, which knows what this one has learnt. */
  through(client: DynamoDBDocumentClient): RecordStore {
    return new RecordStore(client, this.tableName, this.keys, this.objects, this.#locators, this.#reduced);
  }

  /**
   * Where a record of this type and id is, or would be. An id of ours says so itself, and a type that never belongs to a patient is
   * its own chart; any other id that a client chose has a locator row.
   *
   * @returns undefined if a client chose the id and nothing was ever stored under it.
   */
  async locate(type: string, id: string, heads: boolean): Promise<Address | undefined> {
    const decoded = this.ids.decode(id);
    if (decoded) return { type, ...decoded };
    if (heads) return { type, chart: id, place: '' };
    const name = `${type}/${id}`;
    const known = this.#locators.get(name);
    if (known) return known;
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.tableName, Key: locatorKey(type, id), ConsistentRead: true }),
    );
    return Item && this.#located(type, id, Item);
  }

  #located(type: string, id: string, row: Readonly<Record<string, unknown>>): Address {
    const address = { type, chart: String(row.chart), place: String(row.place) };
    if (row.tx !== undefined) return address; // staged: if its transaction is aborted, the id may get another place
    if (this.#locators.size >= locatorCacheSize) this.#locators.clear();
    this.#locators.set(`${type}/${id}`, address);
    return address;
  }

  /** The same for several ids of one type, in their order: one call a hundred of those that a client chose. */
  async locateMany(type: string, ids: readonly string[], heads: boolean): Promise<(Address | undefined)[]> {
    const chosen = heads
      ? []
      : ids.filter((id) => this.ids.decode(id) === undefined && !this.#locators.has(`${type}/${id}`));
    const asked = new Set(chosen.length > 1 ? chosen : []);
    const rows = await this.getMany([...asked].map((id) => locatorKey(type, id)));
    const found = new Map(rows.map((row) => [row.pk, row]));
    return Promise.all(
      ids.map(async (id) => {
        if (!asked.has(id)) return this.locate(type, id, heads);
        const row = found.get(locatorKey(type, id).pk);
        return row && this.#located(type, id, { ...row });
      }),
    );
  }

  /** The current version of a record, its deletion included. One call. */
  async read(address: Address): Promise<StoredRecord | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.tableName, Key: recordKey(address), ConsistentRead: true }),
    );
    return (await this.recordsIn(await this.#visible(Item ? [Item as RecordRow] : [])))[0];
  }

  /**
   * The current versions of several records, in no order; those that do not exist are left out. One call a hundred, in parallel.
   *
   * @throws RecordError `too-costly` if they are too large to be held together.
   */
  async readMany(addresses: readonly Address[]): Promise<StoredRecord[]> {
    const rows = (await this.getMany(addresses.map(recordKey))) as RecordRow[];
    requireTogether(rows);
    return this.recordsIn(await this.#visible(rows));
  }

  /** The same for the first of these addresses: as many as one page may bring, at least one. */
  async readPage(addresses: readonly Address[]): Promise<Fetched & { records: StoredRecord[]; taken: number }> {
    const name = ({ pk, sk }: { pk: string; sk: string }) => `${pk}\n${sk}`;
    const rows = new Map((await this.getMany(addresses.map(recordKey))).map((row) => [name(row), row as RecordRow]));
    const page = pageWithin(
      addresses.map((address) => rows.get(name(recordKey(address))) ?? {}),
      largeBytes,
    );
    const found = page.filter((row): row is RecordRow => 'pk' in row);
    const visible = await this.#visible(found);
    const records = await this.firstRecordsIn(visible);
    const left = visible[records.length]?.at;
    const taken = left ? addresses.findIndex((each) => name(recordKey(each)) === name(recordKey(left))) : page.length;
    return { records, taken, fetches: fetchesFor(found) };
  }

  /**
   * One version of a record: the row of the current one and the history row come in one call. That call is no snapshot: a version that moves to
   * history meanwhile may be missed by both reads. It is in history then, and a second call finds it.
   */
  async readVersion(address: Address, version: number): Promise<StoredRecord | undefined> {
    const rows = await this.getMany([recordKey(address), historyKey(address, version)]);
    const current = rows.filter(({ sk }) => sk === recordKey(address).sk) as RecordRow[];
    const [visible] = await visibleRows(this.client, this.tableName, current);
    if (!visible) return undefined;
    const history = rows.filter(({ sk }) => sk !== recordKey(address).sk) as RecordRow[];
    // A committed update that is not finished yet still has its last version in the record's own row.
    const known = [visible, ...history, ...current].find((row) => row.version === version);
    const moved =
      known || version < 1 || version > visible.version ? [] : await this.getMany([historyKey(address, version)]);
    const asked = known ?? (moved[0] as RecordRow | undefined);
    return asked && (await this.recordsIn([{ row: sealedLike(asked, visible), at: address }]))[0];
  }

  /**
   * Versions of one record, newest first. The current version is read before the earlier ones, so a version that moves to history
   * meanwhile is found there.
   *
   * @param before - the version to begin behind; all if absent.
   */
  async history(address: Address, options: { before?: number; limit: number }): Promise<Page<StoredRecord>> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.tableName, Key: recordKey(address), ConsistentRead: true }),
    );
    const row = Item as RecordRow | undefined;
    const [current] = await visibleRows(this.client, this.tableName, row ? [row] : []);
    if (!row || !current) return { items: [], next: undefined };
    const before = options.before ?? current.version + 1;
    const { Items = [] } = await this.client.send(
      new QueryCommand({
        TableName: this.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': chartKey(address.chart),
          ':from': historyPrefix(address),
          ':to': historyKey(address, before - 1).sk,
        },
        ScanIndexForward: false,
        Limit: options.limit,
      }),
    );
    const earlier = (Items as RecordRow[]).filter(({ version }) => version < current.version);
    // A committed update that is not finished yet still has its last version in the record's own row.
    const newest = row.version < current.version ? [current, row] : [current];
    const versions = [...newest.filter(({ version }) => version < before), ...earlier];
    const page = pageWithin(versions.slice(0, options.limit), largeBytes);
    const items = await this.firstRecordsIn(page.map((row) => ({ row: sealedLike(row, current), at: address })));
    const last = items.at(-1);
    // Versions are numbered without a gap, so the first one is the end.
    return {
      items,
      next: last && last.version > 1 ? String(last.version) : undefined,
    };
  }

  /** Records of a chart, of one type or of all, as `chartPage` reads them. One call, and one more where pointers lead out of the page. */
  async chart(
    chart: string,
    type: string | undefined,
    options: QueryOptions = {},
  ): Promise<Page<StoredRecord> & Fetched> {
    const { items, ...page } = await chartPage(this, chart, type, options);
    return { items: items.map(({ record }) => record), ...page };
  }

  /** Rows under any keys, in no order. One call a hundred, in parallel; keys that a busy table left over are asked for again. */
  async getMany(keys: readonly { pk: string; sk: string }[]): Promise<{ pk: string; sk: string }[]> {
    const unique = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, { pk: key.pk, sk: key.sk }])).values()];
    const batches = Array.from({ length: Math.ceil(unique.length / 100) }, (_, n) =>
      unique.slice(n * 100, n * 100 + 100),
    );
    const pages = await Promise.all(
      batches.map(async (batch) => {
        const rows: Record<string, unknown>[] = [];
        let rest: Record<string, unknown>[] | undefined = batch;
        let attempt = 0;
        while (rest && rest.length > 0) {
          const answer: BatchGetCommandOutput = await this.client.send(
            new BatchGetCommand({ RequestItems: { [this.tableName]: { Keys: rest, ConsistentRead: true } } }),
          );
          rows.push(...(answer.Responses?.[this.tableName] ?? []));
          rest = answer.UnprocessedKeys?.[this.tableName]?.Keys;
          if (rest && rest.length > 0) await backOff(attempt++);
        }
        return rows;
      }),
    );
    return pages.flat() as unknown as { pk: string; sk: string }[];
  }

  /** Those of rows that may be seen, in their order. */
  async #visible(rows: readonly RecordRow[]): Promise<LocatedRow[]> {
    const visible = await visibleRows(this.client, this.tableName, rows);
    return visible.flatMap((row) => {
      const at = addressOf(row);
      return at ? [{ row, at }] : [];
    });
  }

  /**
   * Records of rows that may be seen, in their order. Bodies that lie in the object store are fetched.
   *
   * @throws RecordError `too-costly` if they are too large to be held together.
   */
  async recordsIn(rows: readonly LocatedRow[]): Promise<StoredRecord[]> {
    return unpackTogether(await this.#unpacking(rows));
  }

  /** The first of them, as far as a page has room; at least one. */
  async firstRecordsIn(rows: readonly LocatedRow[]): Promise<StoredRecord[]> {
    return unpackPage(await this.#unpacking(rows));
  }

  /** Each is unpacked when it is asked for. */
  async #unpacking(rows: readonly LocatedRow[]): Promise<Iterable<StoredRecord>> {
    const objects = await this.#largeBodies.of(rows);
    const recordOf = (row: RecordRow, at: Address, object?: Uint8Array) => this.recordOf(row, at, object);
    return (function* () {
      for (const [index, { row, at }] of rows.entries()) yield recordOf(row, at, objects.get(index));
    })();
  }

  /** The record of a row, as `recordFrom` has it, or as much of it as is shown. */
  recordOf(row: RecordRow, address: Address, object?: Uint8Array): StoredRecord {
    const record = recordFrom(row, address, this.ids, object);
    if (!this.#reduced || !record.resource) return record;
    return withResource(record, this.#reduced(record.resource));
  }
}
