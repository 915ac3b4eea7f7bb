import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { createTable, startDynamoDb } from '../../infra/local/dynamodb.ts';
import { type LocalObjectStore, startObjectStore } from '../../infra/local/object-store.ts';
import { tableDefinition } from '../../shared/store/table.ts';

/** A new folder, in memory where the system offers that: the store is twice as fast there. */
export const scratchFolder = () =>
  mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'concord-test-'));

interface SharedStores {
  readonly endpoint: string;
  readonly objects: LocalObjectStore;
}

let shared: Promise<SharedStores> | undefined;

/** The stores that the test files of this worker share. They end with the worker, and their data with them. */
const sharedStores = (): Promise<SharedStores> => {
  useDummyCredentials();
  shared ??= startShared();
  return shared;
};

const startShared = async () => {
  const folder = scratchFolder();
  const { endpoint } = await startDynamoDb({ dbPath: path.join(folder, 'dynamodb.sqlite'), removeAfter: folder });
  return { endpoint, objects: await startObjectStore(path.join(folder, 'objects')) };
};

export interface LocalTable {
  readonly endpoint: string;
  readonly tableName: string;
}

/** A new, empty table with its stream, in a store that this worker's test files share. */
export const localTable = async (): Promise<LocalTable> => {
  const { endpoint } = await sharedStores();
  const tableName = `concord-${randomUUID()}`;
  const client = new DynamoDBClient({ endpoint });
  await createTable(client, tableName);
  client.destroy();
  return { endpoint, tableName };
};

/** The same without a stream, for many rows: the embedded store slows down with the records of its stream. */
export const localTableWithoutStream = async (): Promise<LocalTable> => {
  const { endpoint } = await sharedStores();
  const tableName = `concord-${randomUUID()}`;
  const client = new DynamoDBClient({ endpoint });
  const { StreamSpecification: _stream, ...definition } = tableDefinition(tableName);
  await client.send(new CreateTableCommand(definition));
  client.destroy();
  return { endpoint, tableName };
};

export interface LocalBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly keys: () => Promise<string[]>;
  /** Gives an object its tags. */
  readonly tag: (key: string, tags: Readonly<Record<string, string>>) => Promise<void>;
}

/** A new, empty bucket, in an object store that this worker's test files share; `locked` as digests lie in. */
export const localBucket = async (options: { readonly locked?: boolean } = {}): Promise<LocalBucket> => {
  const { objects } = await sharedStores();
  const bucket = `bodies-${randomUUID()}`;
  objects.createBucket(bucket, options);
  return {
    endpoint: objects.endpoint,
    bucket,
    keys: () => objects.keys(bucket),
    tag: (key, tags) => objects.tag(bucket, key, tags),
  };
};
