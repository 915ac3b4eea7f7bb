import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { type LoggedEvent, openEventBus } from '../../infra/local/event-bus.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const openBus = (file = path.join(removedAfterTest(), 'events.ndjson')) =>
  openEventBus({ name: 'concord', region: 'us-east-1', file });

/** The bus as an unmodified client meets it. */
const served = async (bus = openBus()) => {
  const services = await startAwsServices([bus.service], [bus.documents]);
  onTestFinished(services.stop);
  const client = new EventBridgeClient({
    endpoint: services.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  onTestFinished(() => client.destroy());
  const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
  return { bus, put, endpoint: services.endpoint };
};

const entry = (changes: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  EventBusName: 'concord',
  Source: 'concord.records',
  DetailType: 'RecordChanged.v1',
  Detail: '{"recordId":"1"}',
  ...changes,
});
const numbered = (number: number) => entry({ Detail: JSON.stringify({ number }) });
const numbers = (events: readonly LoggedEvent[]) =>
  events.map(({ event }) => (event.detail as { number: number }).number);

describe('the local event bus', () => {
  it('takes an event and logs it in the form in which targets get it', async () => {
    const { bus, put } = await served();

    const answer = await put(entry({ Time: new Date('2026-03-01T10:00:00.500Z'), Resources: ['a'] }));

    expect(answer.FailedEntryCount).toBe(0);
    expect(bus.after(0)).toEqual([
      {
        position: 1,
        event: {
          version: '0',
          id: answer.Entries?.[0]?.EventId,
          'detail-type': 'RecordChanged.v1',
          source: 'concord.records',
          account: '000000000000',
          time: '2026-03-01T10:00:00Z',
          region: 'us-east-1',
          resources: ['a'],
          detail: { recordId: '1' },
        },
      },
    ]);
  });

  it.each<[string, Partial<PutEventsRequestEntry>, string]>([
    ['without a source', { Source: undefined }, 'InvalidArgument'],
    ['without a detail type', { DetailType: undefined }, 'InvalidArgument'],
    ['without a detail', { Detail: undefined }, 'InvalidArgument'],
    ['for a bus that does not exist', { EventBusName: 'other' }, 'InvalidArgument'],
    ['for the default bus', { EventBusName: undefined }, 'InvalidArgument'],
    ['from a source that is reserved', { Source: 'aws.ec2' }, 'NotAuthorizedForSourceException'],
    ['with a detail that is not JSON', { Detail: '{' }, 'MalformedDetail'],
    ['with a detail that is no object', { Detail: '[1]' }, 'MalformedDetail'],
    ['with a detail type of 129 characters', { DetailType: 'a'.repeat(129) }, 'InvalidArgument'],
  ])('refuses an entry %s, and takes the entry beside it', async (_, changes, code) => {
    const { bus, put } = await served();

    const answer = await put({ ...entry(), ...changes }, entry());

    expect(answer.FailedEntryCount).toBe(1);
    expect(answer.Entries).toEqual([
      { ErrorCode: code, ErrorMessage: expect.any(String) },
      { EventId: bus.after(0)[0]?.event.id },
    ]);
    expect(bus.last).toBe(1);
  });

  it('refuses more than ten entries, or none', async () => {
    const { bus, put } = await served();

    await expect(put(...Array.from({ length: 11 }, () => entry()))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(put()).rejects.toMatchObject({ name: 'ValidationException' });
    expect(bus.last).toBe(0);
  });

  it('refuses a request beyond 256 KB in all, and takes one just below', async () => {
    const { bus, put } = await served();
    const detail = (bytes: number) => entry({ Detail: `{"a":"${'x'.repeat(bytes)}"}` });

    await expect(put(detail(131_072), detail(131_072))).rejects.toMatchObject({ name: 'ValidationException' });
    await put(detail(130_000), detail(130_000));

    expect(bus.last).toBe(2);
  });

  it('keeps its log and goes on counting after a restart, also after half a line', async () => {
    const file = path.join(removedAfterTest(), 'events.ndjson');
    const { put } = await served(openBus(file));
    await put(numbered(1), numbered(2));
    appendFileSync(file, '{"position":3,"event":{"det');

    const reopened = await served(openBus(file));
    await reopened.put(numbered(3));

    expect(numbers(reopened.bus.after(0))).toEqual([1, 2, 3]);
    expect(numbers(openBus(file).after(2))).toEqual([3]);
  });

  it('keeps the last 10,000 events and shortens its file', async () => {
    const file = path.join(removedAfterTest(), 'events.ndjson');
    const bus = openBus(file);
    const put = bus.service.operations.PutEvents;
    for (let number = 1; number <= 20_010; number += 10) {
      put?.({ Entries: Array.from({ length: 10 }, (_, index) => numbered(number + index)) });
    }

    expect(numbers(bus.after(0))).toHaveLength(10_000);
    expect(numbers(bus.after(20_008))).toEqual([20_009, 20_010]);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(10_000);
  });

  it('answers a follower as soon as an event arrives', async () => {
    const { put, endpoint } = await served();
    await put(numbered(1));
    const following = fetch(`${endpoint}/_events?after=1&wait=20`);

    await put(numbered(2));

    expect(await (await following).json()).toMatchObject({
      last: 2,
      events: [{ position: 2, event: { detail: { number: 2 } } }],
    });
  });
});
