import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { breakGlassOpenedType, breakGlassOpenedV1 } from '../../shared/changes/break-glass-opened.ts';
import { consentChangedType, consentChangedV1 } from '../../shared/changes/consent-changed.ts';
import { publishChanges } from '../../shared/changes/publish.ts';
import { rowChange } from '../../shared/changes/row-change.ts';
import {
  chartKey,
  linksKey,
  presenceKey,
  programmeVisitKey,
  type RowKey,
  referralKey,
  visitKey,
} from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { recordRow } from '../../shared/store/rows.ts';
import { passedTo } from '../support/feed.ts';
import { publisherOn } from '../support/publisher.ts';
import { recordingBus } from '../support/recording-bus.ts';
import { newRecord, testStore } from '../support/test-store.ts';

// What is told of a chart being opened, and by what rows of the stream: samples of both.

const folder = path.resolve(import.meta.dirname, '../../events');
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
const chart = '4ietnh7ahshfjdidn6n7q1pho4';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
  const patient = newRecord(store, chart, {
    type: 'Patient',
    place: '',
    id: chart,
    resource: { resourceType: 'Patient' },
  });
  await store.client.send(new PutCommand({ TableName: store.tableName, Item: recordRow(patient, store.ids) }));
});

/** Lets a table become what a batch tells of, row by row, publishes each, and gives what the bus gets of a type. */
const replayed = async (name: string, type: string) => {
  const bus = recordingBus();
  for (const record of (read(`dynamodb/${name}.json`) as DynamoDBStreamEvent).Records) {
    const { before, after } = rowChange<RowKey & { readonly body?: string }>(record);
    const { pk, sk } = after ?? before ?? { pk: '', sk: '' };
    const TableName = store.tableName;
    // Bytes are text in an event that has passed through JSON.
    const body = after?.body === undefined ? {} : { body: Buffer.from(after.body, 'base64') };
    if (after) await store.client.send(new PutCommand({ TableName, Item: { ...after, ...body } }));
    else await store.client.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
    // The samples are old, and would count as late.
    const report = await publishChanges(publisherOn(store, { bus }), { Records: [record] }, 0);
    expect(report).toEqual({ batchItemFailures: [] });
  }
  const entries = bus.accepted.filter(({ DetailType }) => DetailType === type);
  return entries.map(({ Source, DetailType, Time, Detail }) => ({
    source: Source,
    'detail-type': DetailType,
    // EventBridge's own time has seconds.
    time: Time?.toISOString().replace(/\.\d+Z$/, 'Z'),
    detail: JSON.parse(Detail ?? '') as { recipient: string },
  }));
};

const sample = (name: string) => {
  const { source, time, detail, ...others } = read(`event-bridge/${name}.json`) as Record<string, unknown>;
  return { source, 'detail-type': others['detail-type'], time, detail };
};

describe('ConsentChanged.v1', () => {
  it('shows what a Consent is published as that is given, narrowed and withdrawn', async () => {
    const samples = ['gained', 'changed', 'lost'].map((change) => sample(`consent-changed.v1.${change}`));
    const events = await replayed('consent', consentChangedType);

    expect(events).toEqual(samples);
    for (const { detail } of events) expect(consentChangedV1.parse(detail)).toEqual(detail);
    expect(JSON.stringify(events)).not.toMatch(/Consent\/|Observation|northside/);
  });

  it('has the schema that the code has', () => {
    expect(read('event-bridge/consent-changed.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(consentChangedV1))),
    );
  });
});

describe('BreakGlassOpened.v1', () => {
  it('shows what a broken glass is published as, to its custodian and to the organisation of who broke it', async () => {
    const events = await replayed('break-glass', breakGlassOpenedType);

    expect(events.map(({ detail }) => detail.recipient)).toEqual(['northside', 'hillside']);
    expect(events[0]).toEqual(sample('break-glass-opened.v1'));
    for (const { detail } of events) expect(breakGlassOpenedV1.parse(detail)).toEqual(detail);
    expect(JSON.stringify(events)).not.toContain('0b4a7c5e');
  });

  it('has the schema that the code has', () => {
    expect(read('event-bridge/break-glass-opened.v1.schema.json')).toEqual(
      JSON.parse(JSON.stringify(z.toJSONSchema(breakGlassOpenedV1))),
    );
  });
});

describe('what the publisher is given of a chart that is opened', () => {
  const passes = (record: DynamoDBRecord) => passedTo('publish-changes', [record]).length === 1;
  const keys = (sk: string) => ({ pk: { S: chartKey(chart) }, sk: { S: sk } });
  const inserted = (sk: string): DynamoDBRecord => ({
    eventName: 'INSERT',
    dynamodb: { Keys: keys(sk), NewImage: { ...keys(sk), version: { N: '1' } } },
  });

  it('is what Consents come to, that it ends, and a broken glass', () => {
    const records = ['consent', 'break-glass'].flatMap(
      (name) => (read(`dynamodb/${name}.json`) as DynamoDBStreamEvent).Records,
    );
    const history = ({ dynamodb }: DynamoDBRecord) => dynamodb?.Keys?.sk?.S?.startsWith('~H#') ?? false;

    expect(records.map(passes)).toEqual(records.map((record) => !history(record)));
    expect(passes(inserted(referralKey({ type: 'Consent', chart, place: '78m7n5g000qlc95lpl10' }).sk))).toBe(true);
  });

  it('is not that a patient was seen or sent, nor what is linked', () => {
    const address = { chart, place: '78m7n5g000qlc95lpl10' };
    const rows = [
      visitKey({ ...address, type: 'Encounter' }),
      referralKey({ ...address, type: 'ServiceRequest' }),
      programmeVisitKey({ ...address, type: 'Encounter' }),
      presenceKey(chart, 'lakeside'),
      linksKey(chart),
    ];

    expect(rows.map(({ sk }) => passes(inserted(sk)))).toEqual(rows.map(() => false));
  });
});
