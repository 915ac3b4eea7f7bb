import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { serveSystem } from '../../shared/http/serve-system.ts';
import type { Services } from '../../shared/http/services.ts';
import { accessTokenVerifier } from '../../shared/http/verify-access-token.ts';
import { encounter } from '../../shared/record-types/encounter.ts';
import { observation } from '../../shared/record-types/observation.ts';
import { patient } from '../../shared/record-types/patient.ts';
import { commit } from '../../shared/store/commit.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { accessToken, nothingDenied, testConfig } from '../support/callers.ts';
import { commitOf, newRecord, testStore } from '../support/test-store.ts';

const folder = path.resolve(import.meta.dirname, '../../events/api-gateway');

// The ids that stand in the files; each run puts the ids of its own records in their place.
const samplePatient = '4ietnh7ahshfjdidn6n7q1pho4';
const sampleEncounter = '4ietnh7ahshfjdidn6n7q1pho4.04mu1idii2d6i3kfkah047ol1k';
const sampleObservation = '4ietnh7ahshfjdidn6n7q1pho4.89pmp2oj3qg9gak0h49bij5rh0';

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

let store: RecordStore;
let services: Services;
let records: { patient: StoredRecord; encounter: StoredRecord; observation: StoredRecord };

beforeAll(async () => {
  store = await testStore();
  services = {
    verify: accessTokenVerifier(await testConfig(store.tableName), nothingDenied()),
    store: async () => store,
    policy: usualPolicy,
    programmes: () => new Set(),
    now: Date.now,
  };
  const chart = store.ids.newChart();
  const subject = { reference: `Patient/${chart}` };
  const inChart = (type: string, resource: object) =>
    newRecord(store, chart, {
      type,
      place: store.ids.newPlace(Date.UTC(2026, 10, 24)),
      resource: { resourceType: type, ...resource },
    });
  records = {
    patient: newRecord(store, chart, { type: 'Patient', place: '', resource: { resourceType: 'Patient' } }),
    encounter: inChart('Encounter', { status: 'in-progress', class: { code: 'AMB' }, subject }),
    observation: inChart('Observation', {
      status: 'final',
      code: { text: 'x' },
      subject,
      effectiveDateTime: '2026-11-24',
    }),
  };
  await commit(store, commitOf({ writes: Object.values(records).map((next) => ({ next })) }));
});

const sample = (file: string): APIGatewayProxyEvent => {
  const text = readFileSync(path.join(folder, file), 'utf8')
    .replaceAll(sampleEncounter, records.encounter.id)
    .replaceAll(sampleObservation, records.observation.id)
    .replaceAll(samplePatient, records.patient.id);
  return JSON.parse(text) as APIGatewayProxyEvent;
};

const answerTo = async (file: string, token?: string) => {
  const event = sample(file);
  const Authorization = `Bearer ${token ?? (await accessToken({ role: 'physician' }))}`;
  const handler = handlers[file]?.();
  if (!handler) throw new Error(`No test knows ${file}`);
  const result = await handler({ ...event, headers: { ...event.headers, Authorization } }, {} as Context);
  return {
    status: result.statusCode,
    headers: result.headers ?? {},
    body: JSON.parse(result.body) as Record<string, unknown>,
  };
};

/** Every file, and the function that gets such an event. */
const handlers: Readonly<Record<string, () => Handler>> = {
  'create-patient.json': () => serveRecords([patient], {}, () => services) as unknown as Handler,
  'read-observation.json': () => serveRecords([observation], {}, () => services) as unknown as Handler,
  'search-observations.json': () => serveRecords([observation], {}, () => services) as unknown as Handler,
  'transaction.json': () => serveSystem([patient, encounter, observation], {}, () => services) as unknown as Handler,
  'update-encounter.json': () => serveRecords([encounter], {}, () => services) as unknown as Handler,
};

describe('events/api-gateway', () => {
  it('has no file that this test does not replay', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(handlers));
  });

  it.each(Object.keys(handlers))('%s holds no token', (file) => {
    const event = sample(file);

    expect(Object.keys(event.headers).map((name) => name.toLowerCase())).not.toContain('authorization');
    expect(JSON.stringify(event)).not.toMatch(/eyJ|Bearer/);
  });

  it.each(Object.keys(handlers))('%s is refused with a token that is none', async (file) => {
    expect((await answerTo(file, 'none')).status).toBe(401);
  });

  it('create-patient.json makes a patient', async () => {
    const { status, headers, body } = await answerTo('create-patient.json');

    expect(status).toBe(201);
    expect(body).toMatchObject({ resourceType: 'Patient', birthDate: '1985-02-11', meta: { versionId: '1' } });
    expect(headers.Location).toBe(`https://api.concord.example/fhir/Patient/${String(body.id)}/_history/1`);
  });

  it('read-observation.json reads one', async () => {
    const { status, body } = await answerTo('read-observation.json');

    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Observation', id: records.observation.id });
  });

  it('search-observations.json finds those of a patient in a month', async () => {
    const { status, body } = await answerTo('search-observations.json');

    expect(status).toBe(200);
    expect(body).toMatchObject({
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ resource: { id: records.observation.id } }],
    });
  });

  it('update-encounter.json writes the next version, and is refused once that is written', async () => {
    const first = await answerTo('update-encounter.json');
    const second = await answerTo('update-encounter.json');

    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ status: 'finished', meta: { versionId: '2' } });
    expect(second.status).toBe(412);
  });

  it('transaction.json writes all of its records, referring to one another', async () => {
    const { status, body } = await answerTo('transaction.json');

    expect(status).toBe(200);
    expect(body).toMatchObject({ type: 'transaction-response' });
    const written = await store.chart(records.patient.chart, undefined);
    const made = written.items.filter(({ id }) => !Object.values(records).some((record) => record.id === id));
    const [visit, finding] = ['Encounter', 'Observation'].map((type) => made.find((record) => record.type === type));
    expect(finding?.resource?.encounter).toEqual({ reference: `Encounter/${visit?.id}` });
  });
});
