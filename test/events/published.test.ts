import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { indexByDay } from '../../shared/audit/index-by-day.ts';
import { publishChanges } from '../../shared/changes/publish.ts';
import { type RecordChanged, recordChangedV1 } from '../../shared/changes/record-changed.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { type RecordRow, recordRow, type StoredRecord } from '../../shared/store/rows.ts';
import { recordingBus } from '../support/recording-bus.ts';
import { insertEvent, streamRecord } from '../support/stream-events.ts';

const folder = path.resolve(import.meta.dirname, '../../events');
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
const sampleStream = (name: string) => read(`dynamodb/${name}.json`) as DynamoDBStreamEvent;
const sampleEvent = (change: string) =>
  read(`event-bridge/record-changed.v1.${change}.json`) as {
    source: string;
    'detail-type': string;
    time: string;
    detail: RecordChanged;
  };

// The samples are of a deployment with this secret.
const ids = new IdCodec(deriveKeys(Buffer.from('the key of the samples in events')).ids);

const publish = async (event: DynamoDBStreamEvent, bus = recordingBus()) => {
  const response = await publishChanges({ bus: bus.client, busName: 'concord', ids }, event);
  return { response, bus, details: bus.accepted.map(({ Detail }) => JSON.parse(Detail ?? '') as RecordChanged) };
};
const told = (details: readonly RecordChanged[]) =>
  details.map(({ change, recordType, version }) => `${change} ${recordType} ${version}`);

/** What each file of events/dynamodb is worth on the bus. */
const worth: Readonly<Record<string, readonly string[]>> = {
  created: ['created Encounter 1'],
  updated: ['updated Encounter 2'],
  deleted: ['deleted Encounter 3'],
  staged: [],
  finalised: ['created Observation 1', 'updated Encounter 2'],
  'audit-row': [],
  'audit-row-2': [],
};

describe('events/dynamodb', () => {
  it('has no file that this test does not replay', () => {
    expect(readdirSync(path.join(folder, 'dynamodb')).sort()).toEqual(
      Object.keys(worth)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it.each(Object.entries(worth))('%s.json is published as %j', async (name, expected) => {
    const { response, details } = await publish(sampleStream(name));

    expect(told(details)).toEqual(expected);
    expect(response).toEqual({ batchItemFailures: [] });
    for (const detail of details) expect(recordChangedV1.parse(detail)).toEqual(detail);
  });

  it.each([
    ['audit-row', ['', '!refused']],
    ['audit-row-2', ['', '!refused', '']],
  ])('%s.json is filed by organisation and day, the refusal beside the access', async (name, expected) => {
    const puts: Record<string, unknown>[] = [];
    const client = {
      send: async ({ input }: PutCommand) => {
        puts.push(input.Item ?? {});
      },
    } as unknown as DynamoDBDocumentClient;

    await indexByDay(client, 'Concord', sampleStream(name));

    expect(puts.map(({ pk, log }) => [pk, log])).toEqual(
      expected.map(() => ['A#northside#2026-11-24', 'A#4ietnh7ahshfjdidn6n7q1pho4']),
    );
    expect(puts.map(({ sk }) => String(sk).slice(20))).toEqual(expected);
  });

  it('tells of a finished staged update what it would have told of a plain one', async () => {
    const plain = (await publish(sampleStream('updated'))).details;
    const staged = (await publish(sampleStream('finalised'))).details;

    expect(staged[1]).toEqual(plain[0]);
  });

  it.each(Object.keys(worth))('%s.json leads to events without a word of the record', async (name) => {
    const { bus } = await publish(sampleStream(name));

    expect(JSON.stringify(bus.accepted)).not.toMatch(/Patient|in-progress|finished|Body weight|nurse/);
  });
});

describe('events/event-bridge', () => {
  it('has the schema of the event as it is in the code', () => {
    expect(read('event-bridge/record-changed.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(recordChangedV1))),
    );
  });

  it('has one sample of each change, and no file that no test knows', () => {
    expect(readdirSync(path.join(folder, 'event-bridge')).sort()).toEqual([
      'record-changed.v1.created.json',
      'record-changed.v1.deleted.json',
      'record-changed.v1.schema.json',
      'record-changed.v1.updated.json',
    ]);
  });

  it.each(['created', 'updated', 'deleted'])(
    'shows what the sample %s.json of the stream is published as',
    async (change) => {
      const sample = sampleEvent(change);
      const { bus, details } = await publish(sampleStream(change));
      const [entry] = bus.accepted;

      expect(details).toEqual([sample.detail]);
      expect(entry).toMatchObject({
        EventBusName: 'concord',
        Source: sample.source,
        DetailType: sample['detail-type'],
      });
      // EventBridge's own time has seconds.
      expect(entry?.Time?.toISOString().replace(/\.\d+Z$/, 'Z')).toBe(sample.time);
    },
  );
});

describe('publishChanges', () => {
  const chart = ids.newChart();
  const row = (version: number): RecordRow => {
    const place = ids.newPlace(version);
    const record: StoredRecord = {
      type: 'Task',
      chart,
      place,
      id: ids.idAt(chart, place),
      version,
      updated: 0,
      custodian: 'northside',
      labels: [],
      resource: { resourceType: 'Task' },
    };
    return recordRow(record, ids);
  };
  const batch = (versions: readonly number[]) => insertEvent(versions.map((version) => ({ ...row(version) })));
  const versions = Array.from({ length: 23 }, (_, n) => n + 1);
  const versionOf = (detail: string | undefined) => (JSON.parse(detail ?? '{}') as RecordChanged).version;

  it('sends ten events a call, in the order of the stream', async () => {
    const { bus, details } = await publish(batch(versions));

    expect(bus.calls).toEqual([10, 10, 3]);
    expect(details.map(({ version }) => version)).toEqual(versions);
  });

  it('asks for the batch again from the first record whose event was refused, and sends no further call', async () => {
    const bus = recordingBus(({ Detail }) => [13, 15].includes(versionOf(Detail)));

    const { response } = await publish(batch(versions), bus);

    expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '13' }] });
    expect(bus.calls).toEqual([10, 10]);
  });

  it('names the record of the stream, not the place among the events', async () => {
    const bus = recordingBus(({ Detail }) => versionOf(Detail) === 2);
    const noRecord = { pk: 'A#chart', sk: 'x' };
    const event = insertEvent([{ ...noRecord }, { ...row(1) }, { ...noRecord }, { ...row(2) }]);

    expect((await publish(event, bus)).response).toEqual({ batchItemFailures: [{ itemIdentifier: '4' }] });
  });

  it('fails as a whole where the bus is away, so that the stream keeps the batch', async () => {
    const bus = recordingBus(() => {
      throw new Error('away');
    });

    await expect(publish(batch([1]), bus)).rejects.toThrow('away');
  });

  it('calls nobody for a batch that is worth nothing', async () => {
    const { bus } = await publish({ Records: [streamRecord('1', { ...row(1) }, undefined)] });

    expect(bus.calls).toEqual([]);
  });

  it('gives a repeated delivery the same event ids', async () => {
    const first = await publish(sampleStream('created'));
    const again = await publish(sampleStream('created'));

    expect(again.details.map(({ eventId }) => eventId)).toEqual(first.details.map(({ eventId }) => eventId));
  });
});
