import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSEvent } from 'aws-lambda';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import recordCreated from '../../events/event-bridge/record-changed.v1.created.json' with { type: 'json' };
import { ConcordAway, concordReader } from '../../infra/receiving-side/concord-reader.ts';
import { type Copies, copiesIn, copiesTable } from '../../infra/receiving-side/copies.ts';
import { type ReceivingSide, receiveChanges } from '../../infra/receiving-side/receive-changes.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { localTable } from '../support/dynamodb.ts';

let client: ReturnType<typeof documentClient>;
let tableName: string;
beforeAll(async () => {
  const { endpoint } = await localTable();
  tableName = `copies-${randomUUID()}`;
  const bare = new DynamoDBClient({ endpoint });
  await bare.send(
    new CreateTableCommand({
      TableName: tableName,
      KeySchema: [{ AttributeName: copiesTable.key, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: copiesTable.key, AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  bare.destroy();
  client = documentClient({ endpoint });
});

/** Digits of an event id, of a number. */
const idOf = (number: number) => number.toString(16).padStart(64, '0');
let others = 1_000;

let records: Map<string, { version: number; resource: unknown }>;
let reads: string[];
let faults: unknown[];
let copies: Copies;
let record: string;
beforeEach(() => {
  records = new Map();
  reads = [];
  faults = [];
  copies = copiesIn(client, tableName, () => Date.parse('2026-11-27T12:00:00Z'));
  record = randomUUID();
});

const side = (over: Partial<ReceivingSide> = {}): ReceivingSide => ({
  organization: 'lakeside',
  concord: {
    read: async (name) => {
      reads.push(name);
      return records.get(name);
    },
  },
  copies,
  onFault: (_, fault) => faults.push(fault),
  ...over,
});

const message = (detail: object, over: object = {}) => ({
  messageId: randomUUID(),
  body: JSON.stringify({
    ...recordCreated,
    ...over,
    detail: { ...recordCreated.detail, recordType: 'Observation', recordId: record, recipient: 'lakeside', ...detail },
  }),
});
const batch = (...messages: { messageId: string; body: string }[]) => ({ Records: messages }) as unknown as SQSEvent;

const nameOfRecord = () => `Observation/${record}`;
const stands = (version: number) => records.set(nameOfRecord(), { version, resource: { version } });
const rowOf = async (name: string) =>
  (await client.send(new GetCommand({ TableName: tableName, Key: { name }, ConsistentRead: true }))).Item;
const copy = async () => {
  const row = await rowOf(nameOfRecord());
  return (
    row?.body && {
      version: row.version as number,
      resource: JSON.parse(gunzipSync(row.body as Uint8Array).toString()) as unknown,
    }
  );
};

describe('what a receiving side does with notices', () => {
  it('fetches the record that a notice names, by one call, and keeps it', async () => {
    stands(1);

    const answer = await receiveChanges(side(), batch(message({ eventId: idOf(1), version: 1 })));

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(reads).toEqual([nameOfRecord()]);
    expect(await copy()).toEqual({ version: 1, resource: { version: 1 } });
  });

  it('drops a repeat by its event id, without a call', async () => {
    stands(1);
    const event = { eventId: idOf(2), version: 1 };
    await receiveChanges(side(), batch(message(event)));
    await copies.forget({ name: nameOfRecord(), version: 1 });

    await receiveChanges(side(), batch(message(event), message(event)));

    expect(reads).toHaveLength(1);
    expect((await rowOf(`event ${idOf(2)}`))?.expires).toBe(Date.parse('2026-11-27T12:00:00Z') / 1_000 + 100 * 86_400);
  });

  it('keeps the highest version, in whatever order notices and answers come', async () => {
    stands(3);
    await receiveChanges(side(), batch(message({ eventId: idOf(13), version: 3 })));
    await receiveChanges(
      side(),
      batch(message({ eventId: idOf(11), version: 1 }), message({ eventId: idOf(12), version: 2 })),
    );
    expect(reads).toHaveLength(1);

    // An answer that was under way while a later one was kept.
    stands(2);
    await receiveChanges(side(), batch(message({ eventId: idOf(14), version: 4 })));

    expect(await copy()).toEqual({ version: 3, resource: { version: 3 } });
  });

  it('forgets what may not be read any more, and takes the same event again once it may', async () => {
    stands(1);
    await receiveChanges(side(), batch(message({ eventId: idOf(21), version: 1 })));
    records.delete(nameOfRecord());
    const second = message({ eventId: idOf(22), version: 2 });

    await receiveChanges(side(), batch(second));
    expect(await copy()).toBeUndefined();

    stands(2);
    await receiveChanges(side(), batch(second));
    expect(await copy()).toEqual({ version: 2, resource: { version: 2 } });
  });

  it('does not bring back what is gone by an answer that was under way', async () => {
    const deletion = batch(message({ eventId: idOf(42), version: 2 }));
    const late = side({
      concord: {
        read: async () => {
          await receiveChanges(side(), deletion);
          return { version: 1, resource: { version: 1 } };
        },
      },
    });

    await receiveChanges(late, batch(message({ eventId: idOf(41), version: 1 })));
    expect(await copy()).toBeUndefined();

    stands(3);
    await receiveChanges(side(), batch(message({ eventId: idOf(43), version: 3 })));
    expect(await copy()).toEqual({ version: 3, resource: { version: 3 } });
    expect(await rowOf(nameOfRecord())).not.toHaveProperty('expires');
  });

  it('forgets a later version, too, where an earlier notice finds that nothing is to be read', async () => {
    const late = side({
      concord: {
        read: async () => {
          stands(2);
          await receiveChanges(side(), batch(message({ eventId: idOf(52), version: 2 })));
          return undefined;
        },
      },
    });

    await receiveChanges(late, batch(message({ eventId: idOf(51), version: 1 })));

    expect(await copy()).toBeUndefined();
    expect(await rowOf(nameOfRecord())).toMatchObject({ version: 2, gone: true, expires: expect.any(Number) });
  });

  it('of a record that is larger than a row it keeps that it is there', async () => {
    const noise = Array.from({ length: 40_000 }, () => randomUUID()).join('');
    records.set(nameOfRecord(), { version: 1, resource: { noise } });

    await receiveChanges(side(), batch(message({ eventId: idOf(31), version: 1 })));

    expect(await rowOf(nameOfRecord())).toEqual({ name: nameOfRecord(), version: 1 });
  });

  it.each([
    ['of another organisation', message.bind(undefined, { recipient: 'northside' })],
    ['that is no notice', () => ({ messageId: 'x', body: 'hello' })],
    ['of another source', message.bind(undefined, {}, { source: 'somebody.else' })],
    ['with more than the contract says', message.bind(undefined, { patient: 'somebody' })],
  ])('leaves a message %s in the queue, and takes the others', async (_, bad) => {
    stands(1);
    const wrong = bad();

    const answer = await receiveChanges(side(), batch(wrong, message({ eventId: idOf(others++), version: 1 })));

    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: wrong.messageId }]);
    expect(faults).toHaveLength(1);
    expect(await copy()).toMatchObject({ version: 1 });
  });

  it('leaves a notice in the queue while Concord is away, and then takes it', async () => {
    const notice = message({ eventId: idOf(51), version: 1 });
    const away = { read: () => Promise.reject(new ConcordAway(503)) };

    const answer = await receiveChanges(side({ concord: away }), batch(notice));
    stands(1);
    await receiveChanges(side(), batch(notice));

    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: notice.messageId }]);
    expect(await copy()).toMatchObject({ version: 1 });
  });
});

describe('what reads records of Concord', () => {
  type Call = readonly [url: string, headers: Readonly<Record<string, string>>, body: string];
  let now = 0;
  const reading = (...answers: (Response | Error)[]) => {
    const calls: Call[] = [];
    const reader = concordReader({
      baseUrl: 'https://concord.example/fhir',
      tokenUrl: 'https://pool.example/oauth2/token',
      credentials: async () => ({ clientId: 'lakeside', clientSecret: 'secret' }),
      now: () => now,
      fetch: async (url, init) => {
        calls.push([url, init.headers, init.body ?? '']);
        expect(init.redirect).toBe('error');
        const answer = answers.shift();
        if (!answer) throw new Error('Nothing more was expected');
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    return { calls, ...reader };
  };
  const token = (name: string) => Response.json({ access_token: name, expires_in: 3_600 });
  const found = (id: string, versionId = '7') => Response.json({ resourceType: 'Patient', id, meta: { versionId } });

  it('signs in once for the life of a token, and reads by one call', async () => {
    const { calls, read } = reading(token('one'), found('a'), found('b'), token('two'), found('c'));
    now = 0;
    expect(await read('Patient/a')).toMatchObject({ version: 7, resource: { id: 'a' } });
    now = 3_539_000;
    await read('Patient/b');
    now = 3_540_000;
    await read('Patient/c');

    expect(calls.map(([url, { authorization }]) => [url, authorization])).toEqual([
      ['https://pool.example/oauth2/token', `Basic ${Buffer.from('lakeside:secret').toString('base64')}`],
      ['https://concord.example/fhir/Patient/a', 'Bearer one'],
      ['https://concord.example/fhir/Patient/b', 'Bearer one'],
      ['https://pool.example/oauth2/token', expect.any(String)],
      ['https://concord.example/fhir/Patient/c', 'Bearer two'],
    ]);
    expect(calls[0]?.[2]).toBe('grant_type=client_credentials&scope=system%2F*.cruds');
  });

  it.each([404, 410])('takes %s for a record that is not there', async (status) => {
    const { read } = reading(token('one'), new Response('', { status }));

    expect(await read('Patient/a')).toBeUndefined();
  });

  it('signs in again where a token has ended before its time, once', async () => {
    const refused = () => new Response('', { status: 401 });
    const { read } = reading(token('one'), refused(), token('two'), found('a'), refused(), token('three'), refused());

    expect(await read('Patient/a')).toMatchObject({ version: 7 });
    await expect(read('Patient/a')).rejects.toThrow('Concord gives no answer: 401');
  });

  it.each([
    ['a fault', new Response('Rivera', { status: 500 }), 'Concord gives no answer: 500'],
    ['no connection', new TypeError('fetch failed for Rivera'), 'Concord gives no answer: TypeError'],
    ['another record', Response.json({ resourceType: 'Patient', id: 'b', meta: { versionId: '1' } }), 'another record'],
  ])('tells of %s without a word of what was answered', async (_, answer, text) => {
    const { read } = reading(token('one'), answer);

    const fault = await read('Patient/a').catch((error: unknown) => error);

    expect(fault).toBeInstanceOf(ConcordAway);
    expect(String(fault)).toContain(text);
    expect(String(fault)).not.toContain('Rivera');
  });
});
