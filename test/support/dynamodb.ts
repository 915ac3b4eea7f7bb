import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { createTable, startDynamoDb } from '../../infra/local/dynamodb.ts';

/** A new folder, in memory where the system offers that: the store is twice as fast there. */
export const scratchFolder = () =>
  mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'concord-test-'));

let shared: Promise<string> | undefined;

/** Endpoint of the store that the test files of this worker share. It ends with the worker, and its data with it. */
const sharedEndpoint = () => {
  useDummyCredentials();
  shared ??= startShared();
  return shared;
};

const startShared = async () => {
  const folder = scratchFolder();
  return (await startDynamoDb({ dbPath: path.join(folder, 'dynamodb.sqlite'), removeAfter: folder })).endpoint;
};

/** A new, empty table with its stream, in a store that this worker's test files share. */
export const localTable = async (): Promise<{ endpoint: string; tableName: string }> => {
  const endpoint = await sharedEndpoint();
  const tableName = `concord-${randomUUID()}`;
  const client = new DynamoDBClient({ endpoint });
  await createTable(client, tableName);
  client.destroy();
  return { endpoint, tableName };
};
