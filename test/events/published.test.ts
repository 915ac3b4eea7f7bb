import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { indexByDay } from '../../shared/audit/index-by-day.ts';
import { type AppointmentChanged, appointmentChangedV1 } from '../../shared/changes/appointment-changed.ts';
import { ServiceAway } from '../../shared/changes/parking.ts';
import { type Publisher, publishChanges } from '../../shared/changes/publish.ts';
import { type RecordChanged, recordChangedV1 } from '../../shared/changes/record-changed.ts';
import { reminderDueV1 } from '../../shared/changes/reminder-due.ts';
import { referenceTo } from '../../shared/store/body.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { RecordStore } from '../../shared/store/record-store.ts';
import { type RecordRow, recordRow, type StoredRecord } from '../../shared/store/rows.ts';
import { recordingBus } from '../support/recording-bus.ts';
import { insertEvent, streamRecord } from '../support/stream-events.ts';
import { testStore } from '../support/test-store.ts';

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
const keys = deriveKeys(Buffer.from('the key of the samples in events'));
const ids = new IdCodec(keys.ids);

/** The detail of either event. */
type Told = Partial<Pick<RecordChanged, 'recordType'>> &
  Omit<RecordChanged, 'change' | 'recordType'> &
  Omit<AppointmentChanged, 'change'> & { readonly change?: string };

let store: RecordStore;
beforeAll(async () => {
  const { client, tableName, objects } = await testStore();
  store = new RecordStore(client, tableName, keys, objects);
});

/** Whoever keeps a record alone: no Consent of the samples is in the table. */
const recipientsOf: Publisher['recipientsOf'] = (changes) =>
  Promise.resolve(changes.map(({ change }) => [change.custodian]));

/** What sharing.test.ts replays. */
const openingsTold: Publisher['openingsTold'] = () => Promise.resolve([]);

const publish = async (event: DynamoDBStreamEvent, bus = recordingBus()) => {
  // The samples are old, and would count as late.
  const response = await publishChanges(
    { bus: bus.client, busName: 'concord', store, recipientsOf, openingsTold },
    event,
    0,
  );
  const events = bus.accepted.map(({ DetailType, Detail }) => ({
    type: DetailType ?? '',
    detail: JSON.parse(Detail ?? '') as Told,
  }));
  return { response, bus, events, details: events.map(({ detail }) => detail) };
};
const told = (details: readonly Told[]) =>
  details.map(({ change = 'due', recordType = 'appointment', version }) => `${change} ${recordType} ${version}`);

/** What each file of events/dynamodb is worth on the bus. */
const worth: Readonly<Record<string, readonly string[]>> = {
  created: ['created Encounter 1'],
  updated: ['updated Encounter 2'],
  deleted: ['deleted Encounter 3'],
  staged: [],
  finalised: ['created Observation 1', 'updated Encounter 2'],
  'audit-row': [],
  'audit-row-2': [],
  appointment: [
    'created Appointment 1',
    'booked appointment 1',
    'updated Appointment 2',
    'moved appointment 2',
    'updated Appointment 3',
    'changed appointment 3',
    'updated Appointment 4',
    'cancelled appointment 4',
  ],
  reminder: ['due appointment 2'],
};
/** What the `detail` of each `detail-type` is. */
const schemas: Readonly<Record<string, { parse: (detail: unknown) => unknown }>> = {
  'RecordChanged.v1': recordChangedV1,
  'AppointmentChanged.v1': appointmentChangedV1,
  'AppointmentReminderDue.v1': reminderDueV1,
};

/** What sharing.test.ts replays, since it depends on what else stands in the chart. */
const ofCharts = ['break-glass', 'consent'];

describe('events/dynamodb', () => {
  it('has no file that no test replays', () => {
    expect(readdirSync(path.join(folder, 'dynamodb')).sort()).toEqual(
      [...Object.keys(worth), ...ofCharts].map((name) => `${name}.json`).sort(),
    );
  });

  it.each(Object.entries(worth))('%s.json is published as %j', async (name, expected) => {
    const { response, events, details } = await publish(sampleStream(name));

    expect(told(details)).toEqual(expected);
    expect(response).toEqual({ batchItemFailures: [] });
    for (const { type, detail } of events) expect(schemas[type]?.parse(detail)).toEqual(detail);
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

    expect(JSON.stringify(bus.accepted)).not.toMatch(
      /Patient|in-progress|finished|Body weight|nurse|2026-12-01|Comes by bus/,
    );
  });
});

describe('events/event-bridge', () => {
  it('has the schema of the event as it is in the code', () => {
    expect(read('event-bridge/record-changed.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(recordChangedV1))),
    );
    expect(read('event-bridge/appointment-changed.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(appointmentChangedV1))),
    );
    expect(read('event-bridge/appointment-reminder-due.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(reminderDueV1))),
    );
  });

  it('has one sample of each change, and no file that no test knows', () => {
    expect(readdirSync(path.join(folder, 'event-bridge')).sort()).toEqual([
      'appointment-changed.v1.booked.json',
      'appointment-changed.v1.cancelled.json',
      'appointment-changed.v1.changed.json',
      'appointment-changed.v1.moved.json',
      'appointment-changed.v1.schema.json',
      'appointment-reminder-due.v1.json',
      'appointment-reminder-due.v1.schema.json',
      'break-glass-opened.v1.json',
      'break-glass-opened.v1.schema.json',
      'consent-changed.v1.changed.json',
      'consent-changed.v1.gained.json',
      'consent-changed.v1.lost.json',
      'consent-changed.v1.schema.json',
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

describe('AppointmentChanged.v1', () => {
  it.each(['booked', 'moved', 'changed', 'cancelled'])(
    'shows what a change is published as that is %s',
    async (change) => {
      const sample = read(`event-bridge/appointment-changed.v1.${change}.json`) as {
        source: string;
        'detail-type': string;
        time: string;
        detail: AppointmentChanged;
      };
      const { bus } = await publish(sampleStream('appointment'));

      const entry = bus.accepted.find(
        ({ DetailType, Detail }) => DetailType === sample['detail-type'] && Detail?.includes(change),
      );

      expect(JSON.parse(entry?.Detail ?? '')).toEqual(sample.detail);
      expect(entry).toMatchObject({ EventBusName: 'concord', Source: sample.source });
      expect(entry?.Time?.toISOString().replace(/\.\d+Z$/, 'Z')).toBe(sample.time);
    },
  );

  const chart = ids.newChart();
  const place = ids.newPlace(0);
  const at = (start: string) => ({ start: `2026-12-01T${start}:00Z`, end: `2026-12-01T${start.slice(0, 2)}:30:00Z` });
  const rowOf = (version: number, said: object | undefined): RecordRow =>
    recordRow(
      {
        type: 'Appointment',
        chart,
        place,
        id: ids.idAt(chart, place),
        version,
        updated: 0,
        custodian: 'northside',
        labels: [],
        resource: said && ({ resourceType: 'Appointment', participant: [], ...said } as StoredRecord['resource']),
      },
      ids,
    );
  const changeOf = async (before: RecordRow | undefined, after: RecordRow) => {
    const { events } = await publish({ Records: [streamRecord('1', before && { ...before }, { ...after })] });
    return events.filter(({ type }) => type === 'AppointmentChanged.v1').map(({ detail }) => detail.change);
  };
  const booked = { status: 'booked', ...at('09:00') };

  it.each([
    ['nothing', undefined, booked, 'booked'],
    ['nothing', undefined, { status: 'proposed' }, 'changed'],
    ['a hold', { status: 'pending', ...at('09:00') }, booked, 'booked'],
    ['a booking', booked, { ...booked, ...at('10:00') }, 'moved'],
    ['a booking', booked, { ...booked, end: '2026-12-01T10:00:00Z' }, 'moved'],
    ['a booking', booked, { ...booked, comment: 'x' }, 'changed'],
    ['a booking', booked, { ...booked, status: 'arrived' }, 'changed'],
    ['a booking', booked, { ...booked, status: 'fulfilled' }, 'changed'],
    ['a booking', booked, { ...booked, status: 'noshow' }, 'changed'],
    ['a booking', booked, { ...booked, status: 'cancelled' }, 'cancelled'],
    ['a booking', booked, { ...booked, status: 'entered-in-error' }, 'cancelled'],
    ['a booking', booked, { status: 'proposed' }, 'cancelled'],
    ['a booking', booked, undefined, 'cancelled'],
    ['a cancelled one', { ...booked, status: 'cancelled' }, undefined, 'changed'],
    ['a cancelled one', { ...booked, status: 'cancelled' }, booked, 'booked'],
  ])('tells of %s that becomes another: %j → %j', async (_, before, after, expected) => {
    expect(await changeOf(before && rowOf(1, before), rowOf(2, after))).toEqual([expected]);
  });

  it('tells once of what was staged, as if it had been written at once', async () => {
    const after = rowOf(1, booked);

    expect(await changeOf({ ...after, tx: 't' } as RecordRow, after)).toEqual(['booked']);
  });

  it('tells no more than that it changed of one whose body lies elsewhere', async () => {
    const after = rowOf(2, booked);
    const elsewhere = { ...after, body: referenceTo(after.body ?? new Uint8Array(), chart) };

    expect(await changeOf(rowOf(1, booked), elsewhere)).toEqual(['changed']);
    expect(await changeOf({ ...elsewhere, version: 1 }, after)).toEqual(['changed']);
  });
});

describe('AppointmentReminderDue.v1', () => {
  it('shows what a new row is published as, and one that is changed or removed is not', async () => {
    const sample = read('event-bridge/appointment-reminder-due.v1.json') as { 'detail-type': string; detail: unknown };
    const { events } = await publish(sampleStream('reminder'));

    expect(events).toEqual([{ type: sample['detail-type'], detail: sample.detail }]);
    const row = { pk: 'N#northside', sk: 'x#y#1440', layout: 1, id: 'y', version: 1, at: 0 };
    const others = [streamRecord('1', row, { ...row, at: 1 }), streamRecord('2', row, undefined)];
    expect((await publish({ Records: others })).events).toEqual([]);
  });
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
      throw new ServiceAway('away');
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
