import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postEntry, putEntry, transactionOf, urn } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  create,
  encounterBody,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

// How many calls to DynamoDB an interaction may make. Counts do not depend on the machine, so they are held here.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let encounter: Stored<fhir4.Encounter>;
let observation: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  encounter = await create(server, encounterBody(referenceTo(patient)));
  observation = await create(server, observationBody(referenceTo(patient)));
});
beforeEach(() => {
  server.calls.reset();
});

/** Calls so far, in no order, and how many of them waited for one another. */
const spent = () => ({ calls: [...server.calls.names].sort(), sequential: server.calls.sequential() });

describe('calls to DynamoDB', () => {
  it('read: one, and the trace beside it', async () => {
    expect((await server.get(pathOf(observation))).status).toBe(200);

    expect(spent()).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1 });
  });

  it('vread: one, and the trace beside it', async () => {
    expect((await server.get(`${pathOf(observation)}/_history/1`)).status).toBe(200);

    expect(spent()).toEqual({ calls: ['BatchGetItem', 'PutItem'], sequential: 1 });
  });

  it('create: one, references included', async () => {
    const response = await server.post(
      'Observation',
      observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } }),
    );

    expect(response.status).toBe(201);
    expect(spent()).toEqual({ calls: ['TransactWriteItems'], sequential: 1 });
  });

  it('update: a read and a transaction', async () => {
    const record = await create(server, observationBody(referenceTo(patient)));
    server.calls.reset();

    expect((await server.put(pathOf(record), record, { headers: { 'if-match': 'W/"1"' } })).status).toBe(200);

    expect(spent()).toEqual({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2 });
  });

  it('delete: its chart, read in both directions from the record, and a transaction', async () => {
    const record = await create(server, observationBody(referenceTo(patient)));
    server.calls.reset();

    expect((await server.delete(pathOf(record))).status).toBe(204);

    expect(spent()).toEqual({ calls: ['Query', 'Query', 'TransactWriteItems'], sequential: 2 });
  });

  it('search in a chart: one Query, and the trace beside it', async () => {
    expect((await server.get(`Observation?patient=${patient.id}`)).status).toBe(200);

    expect(spent()).toEqual({ calls: ['PutItem', 'Query'], sequential: 1 });
  });

  it('search in a chart with further parameters: still one Query', async () => {
    const response = await server.get(
      `Observation?subject=${referenceTo(patient)}&code=8867-4&value-quantity=gt1&status=final&_count=5`,
    );

    expect(response.status).toBe(200);
    expect(spent()).toEqual({ calls: ['PutItem', 'Query'], sequential: 1 });
  });

  it('search in a chart by date: one Query of that time and of what lasts until then', async () => {
    const response = await server.get(`Observation?patient=${patient.id}&code=8867-4&date=ge2024-01-01&_count=5`);

    expect(response.status).toBe(200);
    expect(spent()).toEqual({ calls: ['PutItem', 'Query'], sequential: 1 });
  });

  it('search by _id: one, and the trace beside it', async () => {
    expect((await server.get(`Observation?_id=${observation.id}`)).status).toBe(200);

    expect(spent()).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1 });
  });

  it('$everything: one Query beside the read of the patient', async () => {
    expect((await server.get(`${pathOf(patient)}/$everything`)).status).toBe(200);

    expect(spent()).toEqual({ calls: ['GetItem', 'PutItem', 'Query'], sequential: 1 });
  });

  it('transaction of one chart: one, of creates only', async () => {
    const fullUrl = urn();
    const observations = Array.from({ length: 40 }, () => postEntry(observationBody(fullUrl)));

    const response = await server.post('', transactionOf(postEntry(patientBody(), fullUrl), ...observations));

    expect(response.status).toBe(200);
    expect(spent()).toEqual({ calls: ['TransactWriteItems'], sequential: 1 });
  });

  it('transaction of one chart with updates: the reads at once, then one write', async () => {
    const records = await Promise.all([1, 2, 3].map(() => create(server, observationBody(referenceTo(patient)))));
    server.calls.reset();

    const response = await server.post('', transactionOf(...records.map((record) => putEntry(record))));

    expect(response.status).toBe(200);
    expect(spent().sequential).toBe(2);
    expect(server.calls.names.filter((name) => name === 'TransactWriteItems')).toHaveLength(1);
  });

  it('none at all for what token, path or body rule out', async () => {
    await server.get(pathOf(observation), { token: 'x' });
    await server.get('Observation/nobody/nothing/here');
    await server.post('Observation', { resourceType: 'Observation' });

    expect(spent()).toEqual({ calls: [], sequential: 0 });
  });

  it('one for what a role rules out, and none for the same within a minute', async () => {
    const asked = { as: { role: 'frontdesk' } };
    server.setTime(Date.UTC(2026, 10, 27));
    await server.get(pathOf(observation), asked);
    const first = spent();
    server.calls.reset();
    await server.get(pathOf(observation), asked);
    server.setTime(undefined);

    expect([first, spent()]).toEqual([
      { calls: ['PutItem'], sequential: 1 },
      { calls: [], sequential: 0 },
    ]);
  });

  it('a read of a forged id costs no more than one of a missing one', async () => {
    await server.get(`Observation/${patient.id}.${'0'.repeat(26)}`);

    expect(spent().sequential).toBeLessThanOrEqual(1);
  });
});
