import { type DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Commit, RecordWrite } from '../../shared/store/commit.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import type { RowKey } from '../../shared/store/keys.ts';
import { openStore } from '../../shared/store/open-store.ts';
import { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { localBucket, localTable } from './dynamodb.ts';

/** A call to DynamoDB or the object store on its way: what it is, and the sending of it. */
export interface Call {
  readonly name: string;
  readonly input: Record<string, unknown>;
  readonly send: (input?: Record<string, unknown>) => Promise<unknown>;
}

/** Decides what becomes of a call. */
export type Interceptor = (call: Call) => Promise<unknown>;

/** An empty table with an empty bucket, and the store on them. */
export const testStore = async (): Promise<RecordStore> => (await testStoreAndBucket()).store;

/** The same, with the keys of all objects in the bucket. */
export const testStoreAndBucket = async (): Promise<{ store: RecordStore; objectKeys: () => Promise<string[]> }> => {
  const { endpoint, tableName } = await localTable();
  const { keys: objectKeys, endpoint: at, bucket } = await localBucket();
  return { store: await openStore(documentClient({ endpoint }), tableName, { endpoint: at, bucket }), objectKeys };
};

interface AnyCommand {
  input: Record<string, unknown>;
}

/** The same store through clients of which every call passes by the interceptor. */
export const intercepted = (
  { client, tableName, keys, objects }: RecordStore,
  interceptor: Interceptor,
): RecordStore => {
  const send = (command: AnyCommand) =>
    interceptor({
      name: command.constructor.name.replace('Command', ''),
      input: command.input,
      send: (input) => {
        const Command = command.constructor as new (input: Record<string, unknown>) => AnyCommand;
        return client.send(new Command(input ?? command.input) as never);
      },
    });
  const passing = Object.assign(Object.create(client) as DynamoDBDocumentClient, { send });
  return new RecordStore(passing, tableName, keys, {
    at: objects.at,
    put: async (key, bytes, until) =>
      void (await interceptor({ name: 'PutObject', input: { key }, send: () => objects.put(key, bytes, until) })),
    get: async (key) =>
      (await interceptor({ name: 'GetObject', input: { key }, send: () => objects.get(key) })) as Uint8Array,
    delete: async (key) =>
      void (await interceptor({ name: 'DeleteObject', input: { key }, send: () => objects.delete(key) })),
  });
};

/** A row as it lies in the table. */
export const rowAt = async ({ client, tableName }: RecordStore, { pk, sk }: RowKey) =>
  (await client.send(new GetCommand({ TableName: tableName, Key: { pk, sk }, ConsistentRead: true }))).Item;

/** All rows of a partition, which is one page. */
export const rowsOf = async ({ client, tableName }: RecordStore, pk: string) => {
  const { Items, LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    }),
  );
  if (LastEvaluatedKey) throw new Error(`${pk} is more than a page`);
  return (Items ?? []) as (RowKey & Record<string, unknown>)[];
};

/** All rows of the table but the deployment's key. */
export const allRows = async ({ client, tableName }: RecordStore): Promise<(RowKey & Record<string, unknown>)[]> => {
  const rows: Record<string, unknown>[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      }),
    );
    rows.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows.filter(({ pk }) => pk !== '!deployment') as (RowKey & Record<string, unknown>)[];
};

/** A write of which only what matters to a test is given. */
export type WriteParts = Pick<RecordWrite, 'next'> & Partial<RecordWrite>;

/** A commit of these parts and nothing else; a write without index rows has none. */
export const commitOf = ({
  writes = [],
  ...parts
}: Partial<Omit<Commit, 'writes'>> & { readonly writes?: readonly WriteParts[] }): Commit => ({
  writes: writes.map((write) => ({ puts: [], removes: [], ...write })),
  checks: [],
  unique: [],
  log: [],
  claims: [],
  ...parts,
});

/** The first version of a record in a chart. */
export const newRecord = (store: RecordStore, chart: string, over: Partial<StoredRecord> = {}): StoredRecord => {
  const place = over.place ?? store.ids.newPlace(Date.UTC(2026, 0, 1));
  const type = over.type ?? 'Observation';
  return {
    type,
    chart,
    place,
    id: store.ids.idAt(chart, place),
    version: 1,
    updated: Date.UTC(2026, 10, 24),
    custodian: 'northside',
    labels: [],
    resource: { resourceType: type, status: 'final' },
    ...over,
  };
};

/** The version after this one. */
export const nextOf = (record: StoredRecord, over: Partial<StoredRecord> = {}): StoredRecord => ({
  ...record,
  version: record.version + 1,
  updated: record.updated + 1_000,
  ...over,
});
