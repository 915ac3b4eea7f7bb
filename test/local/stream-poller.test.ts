import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sweepExpired } from '../../infra/local/expiry-sweeper.ts';
import { type StreamConsumer, type StreamPollerOptions, startStreamPoller } from '../../infra/local/stream-poller.ts';
import { localTable } from '../support/dynamodb.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

type Report = { batchItemFailures: { itemIdentifier: string }[] } | undefined;

/** A table, and functions behind its stream that note what they were handed: one list of names a call. */
const streamed = async () => {
  const { endpoint, tableName } = await localTable();
  const client = new DynamoDBClient({ endpoint });
  onTestFinished(() => client.destroy());
  const folder = removedAfterTest();
  const put = async (...names: string[]) => {
    for (const name of names)
      await client.send(new PutItemCommand({ TableName: tableName, Item: { pk: { S: name }, sk: { S: 's' } } }));
  };
  const poll = async (
    handle: (names: string[], event: DynamoDBStreamEvent) => Report,
    options: Partial<StreamPollerOptions & StreamConsumer> = {},
  ) => {
    const calls: string[][] = [];
    const handler = (event: unknown) => {
      const { Records } = event as DynamoDBStreamEvent;
      const names = Records.map(({ dynamodb }) => dynamodb?.Keys?.pk?.S ?? '');
      calls.push(names);
      return handle(names, event as DynamoDBStreamEvent);
    };
    const { batchSize = 100, filters, ...rest } = options;
    const consumer = { name: 'fixture', entry: 'functions/fixture.ts', batchSize, ...(filters ? { filters } : {}) };
    const poller = await startStreamPoller({
      endpoint,
      tableName,
      folder,
      consumers: [consumer],
      load: () => Promise.resolve(handler),
      ...rest,
    });
    onTestFinished(poller.stop);
    return { calls, poller };
  };
  return { client, tableName, put, poll };
};

const accept = (): Report => undefined;

describe('the local event source mapping', () => {
  it('hands over changes in the order of the writes, in batches of the size asked for', async () => {
    const { put, poll } = await streamed();
    await put('a', 'b', 'c', 'd', 'e');

    const { calls, poller } = await poll(accept, { batchSize: 2 });
    await poller.settled();

    expect(calls).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('hands over records as JSON with both images', async () => {
    const { client, tableName, poll } = await streamed();
    const item = { pk: { S: 'a' }, sk: { S: 's' } };
    await client.send(
      new PutItemCommand({ TableName: tableName, Item: { ...item, body: { B: new Uint8Array([1, 2]) } } }),
    );
    await client.send(new PutItemCommand({ TableName: tableName, Item: { ...item, list: { L: [{ N: '1' }] } } }));
    const records: unknown[] = [];

    const { poller } = await poll((_, { Records }) => void records.push(...Records) as undefined);
    await poller.settled();

    expect(records).toMatchObject([
      { eventName: 'INSERT', dynamodb: { Keys: item, NewImage: { ...item, body: { B: 'AQI=' } } } },
      {
        eventName: 'MODIFY',
        eventSource: 'aws:dynamodb',
        dynamodb: {
          ApproximateCreationDateTime: expect.any(Number),
          SequenceNumber: expect.stringMatching(/^\d+$/),
          OldImage: { ...item, body: { B: 'AQI=' } },
          NewImage: { ...item, list: { L: [{ N: '1' }] } },
        },
      },
    ]);
  });

  it('drops a write that changed nothing', async () => {
    const { put, poll } = await streamed();
    await put('a', 'a', 'b');

    const { calls, poller } = await poll(accept);
    await poller.settled();

    expect(calls).toEqual([['a', 'b']]);
  });

  it('hands over only what a filter matches', async () => {
    const { put, poll } = await streamed();
    await put('C#1', 'A#1', 'C#2');

    const { calls, poller } = await poll(accept, {
      filters: [{ dynamodb: { NewImage: { pk: { S: [{ prefix: 'C#' }] } } } }],
    });
    await poller.settled();

    expect(calls).toEqual([['C#1', 'C#2']]);
  });

  it('repeats a batch that failed, before anything that follows it', async () => {
    const { put, poll } = await streamed();
    await put('a', 'b', 'c');
    let failures = 2;

    const { calls, poller } = await poll(
      () => {
        failures -= 1;
        if (failures >= 0) throw new Error('not now');
        return undefined;
      },
      { batchSize: 2 },
    );
    await poller.settled();

    expect(calls).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b'], ['c']]);
  });

  it('goes on from the first record that a function reports as failed', async () => {
    const { put, poll } = await streamed();
    await put('a', 'b', 'c', 'd');
    let first = true;

    const { calls, poller } = await poll((_, { Records }) => {
      const reported = first ? [Records[2], Records[1]] : [];
      first = false;
      return {
        batchItemFailures: reported.map((record) => ({ itemIdentifier: record?.dynamodb?.SequenceNumber ?? '' })),
      };
    });
    await poller.settled();

    expect(calls).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'c', 'd'],
    ]);
  });

  it('repeats the whole batch when a report names no record of it', async () => {
    const { put, poll } = await streamed();
    await put('a', 'b');
    let first = true;

    const { calls, poller } = await poll(() => {
      const report = first ? { batchItemFailures: [{ itemIdentifier: '' }] } : undefined;
      first = false;
      return report;
    });
    await poller.settled();

    expect(calls).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('goes on after a restart where it stopped, and does not lose what was written meanwhile', async () => {
    const { put, poll } = await streamed();
    const first = await poll(accept);
    await put('a');
    await first.poller.settled();
    await first.poller.stop();
    await put('b');

    const second = await poll(accept);
    await put('c');
    await second.poller.settled();

    expect(first.calls).toEqual([['a']]);
    expect(second.calls.flat()).toEqual(['b', 'c']);
  });

  it('comes back with a batch that had not been handled when it stopped', async () => {
    const { put, poll } = await streamed();
    await put('a');
    const called = Promise.withResolvers<void>();
    const first = await poll(() => {
      called.resolve();
      throw new Error('not now');
    });
    await called.promise;
    await first.poller.stop();

    const second = await poll(accept);
    await second.poller.settled();

    expect(second.calls).toEqual([['a']]);
  });

  it('says up to where all was handled once many records are, so that they can be trimmed', async () => {
    const { put, poll } = await streamed();
    await put(...Array.from({ length: 600 }, (_, index) => `n${index}`));
    const trimmed: string[] = [];

    const { poller } = await poll(accept, { trim: (_, upTo) => trimmed.push(upTo) });
    await poller.settled();

    expect(trimmed).toEqual(['600']);
  });
});

describe('sweepExpired', () => {
  it('deletes the rows whose time is up, and the stream says that the service did it', async () => {
    const { client, tableName, poll } = await streamed();
    const row = (name: string, expires?: number) => ({
      pk: { S: name },
      sk: { S: 's' },
      ...(expires === undefined ? {} : { expires: { N: String(expires) } }),
    });
    for (const Item of [row('past', 1_000), row('now', 2_000), row('later', 2_001), row('never')]) {
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
    }
    const removed: unknown[] = [];

    const deleted = await sweepExpired(client, tableName, 2_000);
    const { poller } = await poll((_, { Records }) => {
      removed.push(...Records.filter(({ eventName }) => eventName === 'REMOVE'));
      return undefined;
    });
    await poller.settled();

    expect(deleted).toBe(2);
    expect(removed).toHaveLength(2);
    expect(removed).toMatchObject([
      { userIdentity: { principalId: 'dynamodb.amazonaws.com' } },
      { userIdentity: { type: 'Service' } },
    ]);
  });
});
