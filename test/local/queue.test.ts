import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { type QueueConsumer, startQueuePoller } from '../../infra/local/queue-poller.ts';
import { type LocalQueue, openQueue } from '../../infra/local/queue-service.ts';
import { wakeQueue } from '../../shared/delivery/wake-queue.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const visibilityTimeoutMs = 90_000;
const clock = { now: 0 };
let file: string;
beforeEach(() => {
  useDummyCredentials();
  clock.now = 1_000_000;
  file = path.join(removedAfterTest(), 'wakes.ndjson');
});

const opened = (over: Partial<Parameters<typeof openQueue>[0]> = {}): LocalQueue =>
  openQueue({
    name: 'concord-wakes',
    region: 'us-east-1',
    account: '000000000000',
    endpoint: 'http://127.0.0.1:1',
    file,
    visibilityTimeoutMs,
    maxReceiveCount: 2,
    now: () => clock.now,
    ...over,
  });

const send = ({ service, url }: LocalQueue, input: object): unknown =>
  service.operations['SendMessageBatch']?.({ QueueUrl: url, ...input });
const entry = (Id: string, more: object = {}) => ({ Id, MessageBody: 'a message', ...more });
const bodiesOf = (queue: LocalQueue): string[] => {
  const taken = queue.take();
  return taken ? [taken.body, ...bodiesOf(queue)] : [];
};

describe('the stand-in of SQS', () => {
  it('gives a message to one consumer, and again once its time is over, and puts it aside after so many times', () => {
    const queue = opened();
    send(queue, { Entries: [entry('1')] });

    expect(queue.take()).toMatchObject({ body: 'a message', receives: 1, sent: 1_000_000 });
    expect(queue.take()).toBeUndefined();
    clock.now += visibilityTimeoutMs;
    expect(queue.take()).toMatchObject({ receives: 2 });
    clock.now += visibilityTimeoutMs;
    expect(queue.take()).toBeUndefined();
    expect(queue.dead()).toEqual(['a message']);
  });

  it('keeps what was put aside over a restart, and gives it out again once it is moved back', () => {
    const queue = opened({ maxReceiveCount: 1 });
    send(queue, { Entries: [entry('1')] });
    queue.take();
    clock.now += visibilityTimeoutMs;
    queue.take();
    const later = opened();
    expect([later.dead(), later.take()]).toEqual([['a message'], undefined]);
    const move = later.service.operations['StartMessageMoveTask'];
    expect(() => move?.({ SourceArn: later.arn })).toThrow("doesn't exist");

    move?.({ SourceArn: later.deadArn });

    expect([opened().dead(), later.take()]).toEqual([[], expect.objectContaining({ body: 'a message', receives: 1 })]);
  });

  it('forgets what is dealt with, and keeps what is delayed back until then', () => {
    const queue = opened();
    send(queue, { Entries: [entry('1', { DelaySeconds: 900 }), entry('2', { MessageBody: 'now' })] });
    const now = queue.take();
    queue.remove(now?.id ?? '');

    expect(now?.body).toBe('now');
    expect(queue.nextVisibleAt()).toBe(1_900_000);
    clock.now = 1_900_000;
    expect(bodiesOf(queue)).toEqual(['a message']);
  });

  it('has what it acknowledged and what was not dealt with after a kill', () => {
    const before = opened();
    send(before, { Entries: [entry('1', { MessageBody: 'done' })] });
    before.remove(before.take()?.id ?? '');
    send(before, { Entries: [entry('1', { MessageBody: 'taken' }), entry('2', { MessageBody: 'left' })] });
    before.take();

    expect(bodiesOf(opened()).toSorted()).toEqual(['left', 'taken']);
  });

  it.each([
    ['another queue', { QueueUrl: 'http://127.0.0.1:1/000000000000/other' }, 'QueueDoesNotExist'],
    ['no entries', { Entries: [] }, 'EmptyBatchRequest'],
    [
      'eleven entries',
      { Entries: Array.from({ length: 11 }, (_, n) => entry(String(n))) },
      'TooManyEntriesInBatchRequest',
    ],
    ['two of an id', { Entries: [entry('1'), entry('1')] }, 'BatchEntryIdsNotDistinct'],
    ['an id with a blank', { Entries: [entry('a b')] }, 'InvalidBatchEntryId'],
    ['more than a megabyte', { Entries: [entry('1', { MessageBody: 'a'.repeat(1_048_577) })] }, 'BatchRequestTooLong'],
  ])('refuses a request with %s', (_, input, name) => {
    const queue = opened();

    expect(() => send(queue, { Entries: [entry('1')], ...input })).toThrow(
      expect.objectContaining({ name: `com.amazonaws.sqs#${name}` }) as Error,
    );
    expect(queue.take()).toBeUndefined();
  });

  it.each([
    ['a delay of more than a quarter of an hour', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['no body', { MessageBody: '' }, 'MissingParameter'],
    ['a letter that SQS does not take', { MessageBody: 'a\u0000b' }, 'InvalidMessageContents'],
  ])('refuses an entry with %s, and takes the others', (_, wrong, Code) => {
    const queue = opened();

    expect(send(queue, { Entries: [entry('1', wrong), entry('2', { MessageBody: 'right' })] })).toMatchObject({
      Successful: [{ Id: '2' }],
      Failed: [{ Id: '1', SenderFault: true, Code }],
    });
    expect(bodiesOf(queue)).toEqual(['right']);
  });
});

describe('wakeQueue', () => {
  const served = async (operation: (input: Readonly<Record<string, unknown>>) => unknown) => {
    const { endpoint, stop } = await startAwsServices([
      { target: 'AmazonSQS', operations: { SendMessageBatch: operation } },
    ]);
    const client = documentClient();
    onTestFinished(async () => {
      client.destroy();
      await stop();
    });
    return wakeQueue(client, { queueUrl: 'http://queue/', endpoint });
  };
  const wakes = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ organization: 'northside', id: `s${n}` }));

  it('sends ten a call, and of each the Subscription alone', async () => {
    const sent: { readonly MessageBody: string; readonly DelaySeconds?: number }[][] = [];
    const wake = await served(({ Entries, QueueUrl }) => {
      expect(QueueUrl).toBe('http://queue/');
      sent.push(Entries as (typeof sent)[number]);
      return { Successful: [], Failed: [] };
    });
    await wake(wakes(12));
    await wake([{ organization: 'northside', id: 'later', delaySeconds: 5 }]);
    await wake([]);

    expect(sent.map(({ length }) => length).toSorted()).toEqual([1, 10, 2]);
    expect(sent.flat()).toContainEqual({ Id: '3', MessageBody: '{"organization":"northside","id":"s3"}' });
    expect(sent[2]?.[0]).toMatchObject({ DelaySeconds: 5 });
  });

  it('sends again what was not taken, and nothing else', async () => {
    const sent: string[][] = [];
    const wake = await served(({ Entries }) => {
      const ids = (Entries as { readonly Id: string }[]).map(({ Id }) => Id);
      sent.push(ids);
      return { Failed: sent.length === 1 ? [{ Id: '1', Code: 'InternalError' }] : [] };
    });
    await wake(wakes(3));

    expect(sent).toEqual([['0', '1', '2'], ['1']]);
  });

  it('says so where the queue refuses, or takes something never', async () => {
    const queue = opened();
    const refused = await served((input) => queue.service.operations['SendMessageBatch']?.(input));
    const never = await served(() => ({ Failed: [{ Id: '0', Code: 'InternalError' }] }));

    await expect(refused(wakes(1))).rejects.toMatchObject({ name: 'QueueServiceQueueDoesNotExist' });
    await expect(never(wakes(1))).rejects.toMatchObject({ name: 'QueueServiceInternalError' });
  });
});

describe('the function behind a queue', () => {
  const consumer: QueueConsumer = {
    name: 'wakes',
    entry: 'functions/deliver.ts',
    timeoutMs: 60_000,
    visibilityTimeoutMs,
    maximumConcurrency: 2,
    maxReceiveCount: 2,
  };
  interface Given {
    readonly body: string;
    readonly finish: (error?: Error) => void;
  }
  /** What a function is given, each to be finished by the test. */
  const polled = (queue: LocalQueue) => {
    const given: Given[] = [];
    const poller = startQueuePoller(queue, consumer, async () => (event) => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const { Records } = event as { readonly Records: readonly { readonly body: string }[] };
      expect(Records).toHaveLength(1);
      given.push({ body: Records[0]?.body ?? '', finish: (error) => (error ? reject(error) : resolve(undefined)) });
      return promise;
    });
    onTestFinished(() => {
      for (const { finish } of given) finish();
      return poller.stop();
    });
    return { given, poller };
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };

  it('works so many messages at once and no more, each by itself', async () => {
    const queue = opened();
    const { given, poller } = polled(queue);
    send(queue, { Entries: ['a', 'b', 'c'].map((body) => entry(body, { MessageBody: body })) });
    await until(() => given.length === 2);

    given[1]?.finish();
    await until(() => given.length === 3);
    for (const { finish } of given) finish();
    await poller.idle();
    expect(given.map(({ body }) => body).toSorted()).toEqual(['a', 'b', 'c']);
    expect(queue.nextVisibleAt()).toBeUndefined();
  });

  it('is given a message on which it failed once its time is over, and not before', async () => {
    const queue = opened();
    const { given, poller } = polled(queue);
    send(queue, { Entries: [entry('1')] });
    await until(() => given.length === 1);
    given[0]?.finish(new Error('killed'));
    await poller.idle();

    expect(given).toHaveLength(1);
    expect(queue.nextVisibleAt()).toBe(clock.now + visibilityTimeoutMs);
  });
});
