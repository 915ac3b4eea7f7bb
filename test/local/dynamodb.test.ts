import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { createTable, dynamoDbBinary, startDynamoDb } from '../../infra/local/dynamodb.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { streamSequenceNumbers } from '../support/stream-sequence-numbers.ts';

const listensAt = (endpoint: string) =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );

const started = async (dbPath: string) => {
  useDummyCredentials();
  const store = await startDynamoDb({ dbPath });
  onTestFinished(store.stop);
  const client = new DynamoDBClient({ endpoint: store.endpoint });
  onTestFinished(() => client.destroy());
  const streams = new DynamoDBStreamsClient({ endpoint: store.endpoint });
  onTestFinished(() => streams.destroy());
  const put = (name: string) =>
    client.send(new PutItemCommand({ TableName: 'table', Item: { pk: { S: name }, sk: { S: 's' } } }));
  return { store, client, put, sequenceNumbers: () => streamSequenceNumbers(client, streams, 'table') };
};

describe('the embedded DynamoDB', () => {
  it('keeps its data when it is stopped and started again', async () => {
    const dbPath = path.join(removedAfterTest(), 'db.sqlite');
    const before = await started(dbPath);
    await createTable(before.client, 'table');
    await before.put('a');
    await before.store.stop();

    const after = await started(dbPath);

    expect(await createTable(after.client, 'table')).toBe(false);
    const { Item } = await after.client.send(
      new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'a' }, sk: { S: 's' } }, ConsistentRead: true }),
    );
    expect(Item).toEqual({ pk: { S: 'a' }, sk: { S: 's' } });
    expect(await listensAt(before.store.endpoint)).toBe(false);
  });

  it('forgets stream records that were read, and goes on counting', async () => {
    const { store, client, put, sequenceNumbers } = await started(path.join(removedAfterTest(), 'db.sqlite'));
    await createTable(client, 'table');
    for (const name of ['a', 'b', 'c']) await put(name);

    store.trimStream('table', '2');
    const trimmed = await sequenceNumbers();
    store.trimStream('table', '3');
    await put('d');

    expect(trimmed).toEqual(['3']);
    expect(await sequenceNumbers()).toEqual(['3', '4']);
  });

  it('says in plain words that a port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };

    await expect(startDynamoDb({ port })).rejects.toMatchObject({
      name: 'CannotStart',
      message: expect.stringMatching(new RegExp(`^Port ${port} is taken`)),
    });
  });

  it('names both ways out where there is no binary for the machine', () => {
    expect(() => dynamoDbBinary('plan9', 'mips')).toThrow(
      expect.objectContaining({
        name: 'CannotStart',
        message: expect.stringMatching(/plan9, mips.*DYNAMODB_ENDPOINT.*npm ci/s),
      }),
    );
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'ends with its parent, even if that is ended by %s, and removes scratch data',
    async (signal) => {
      const folder = scratchFolder();
      const module = pathToFileURL(path.resolve(import.meta.dirname, '../../infra/local/dynamodb.ts')).href;
      const script = `
      const { startDynamoDb } = await import('${module}');
      const { endpoint } = await startDynamoDb({ dbPath: '${folder}/db.sqlite', removeAfter: '${folder}' });
      console.log(endpoint);
      setInterval(() => undefined, 1_000);`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [endpoint] = (await once(parent.stdout, 'data')).map((chunk) => String(chunk).trim());
      const runs = await listensAt(endpoint ?? '');

      parent.kill(signal);

      expect(runs).toBe(true);
      await expect.poll(() => listensAt(endpoint ?? '')).toBe(false);
      await expect.poll(() => existsSync(folder)).toBe(false);
    },
  );
});
