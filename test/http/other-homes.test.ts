import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postEntry, putEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import { type LocalTable, localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  create,
  encounterBody,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// What a record costs that belongs to no patient, and one whose id a client chose.

let table: LocalTable;
let server: FhirServer;
beforeAll(async () => {
  table = await localTable();
  server = await fhirServer(table);
});

const costing = async (send: (server: FhirServer) => Promise<TestResponse>, by = server) => {
  by.calls.reset();
  const { status, body, text } = await send(by);
  expect(status, text).toBeLessThan(300);
  const { names, readUnits, writeUnits } = by.calls;
  return {
    cost: { calls: [...names].sort(), sequential: by.calls.sequential(), read: readUnits, written: writeUnits },
    body,
  };
};

const task: fhir4.Task = { resourceType: 'Task', status: 'requested', intent: 'order' };
const device: fhir4.Device = { resourceType: 'Device', status: 'active' };

describe.each([
  ['Task, which may belong to a patient', task],
  ['Device, which may too', device],
] as const)('a record without a patient: %s', (_, body) => {
  it('is its own chart: created, read, updated, searched for and deleted like any other', async () => {
    const created = await costing((by) => by.post(body.resourceType, body, { as: system }));
    const record = created.body as unknown as Stored<fhir4.Task>;
    const path = pathOf(record);

    expect(record.id).toMatch(/^[0-9a-v]{26}$/);
    expect(created.cost).toMatchObject({ calls: ['TransactWriteItems'], sequential: 1, read: 0 });
    const read = await costing((by) => by.get(path, { as: system }));
    expect(read.cost).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1, read: 1, written: 1 });
    const updated = await costing((by) => by.put(path, record, { as: system }));
    expect(updated.cost).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2, read: 1 });
    const version = await costing((by) => by.get(`${path}/_history/1`, { as: system }));
    expect(version.cost).toMatchObject({ calls: ['BatchGetItem', 'PutItem'], sequential: 1, read: 2 });
    const history = await costing((by) => by.get(`${path}/_history`, { as: system }));
    expect(history.cost).toMatchObject({ calls: ['GetItem', 'PutItem', 'Query'], sequential: 2, read: 2 });
    const search = await costing((by) => by.get(`${body.resourceType}?_id=${record.id}`, { as: system }));
    expect(search.cost).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1, read: 1, written: 1 });
    const deleted = await costing((by) => by.delete(path, { as: system }));
    // Its chart in both directions, where it stands alone.
    expect(deleted.cost).toMatchObject({ calls: ['Query', 'Query', 'TransactWriteItems'], sequential: 2, read: 2 });
    expect((await server.get(path, { as: system })).status).toBe(410);
  });

  it('cannot be given a patient, nor can one be taken from a record', async () => {
    const { id } = await create<fhir4.Task | fhir4.Device>(server, body, system);
    const patient = referenceTo(await create(server, patientBody()));
    const named = { ...body, id, for: { reference: patient } };
    const given = body.resourceType === 'Task' ? named : { ...body, id, patient: { reference: patient } };

    expect((await server.put(`${body.resourceType}/${id}`, given, { as: system })).status).toBe(422);
    const { id: _id, ...fresh } = given;
    const theirs = await create(server, fresh as fhir4.Task, system);
    expect((await server.put(pathOf(theirs), { ...body, id: theirs.id }, { as: system })).status).toBe(422);
  });
});

describe('an id that a client chose', () => {
  let names = 0;
  let patientId: string;
  let observationId: string;
  beforeEach(async () => {
    names += 1;
    [patientId, observationId] = [`patient-${names}`, `observation-${names}`];
    await server.put(`Patient/${patientId}`, patientBody({ id: patientId }));
  });
  const body = (elements: Partial<fhir4.Observation> = {}) => ({
    ...observationBody(`Patient/${patientId}`),
    category: [{ coding: [{ code: 'vital-signs' }] }], // nobody has to read it again
    id: observationId,
    ...elements,
  });

  it('is claimed by a locator in the transaction that creates the record', async () => {
    const patient = `patient-claimed-${names}`;

    const ofPatient = await costing((by) => by.put(`Patient/${patient}`, patientBody({ id: patient })));
    expect(ofPatient.cost).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2, read: 1 });
    const ofObservation = await costing((by) => by.put(`Observation/${observationId}`, body()));
    // Its own locator; that of the patient is read once a process.
    expect(ofObservation.cost.calls).toEqual(['GetItem', 'GetItem', 'TransactWriteItems']);
    expect(ofObservation.cost.sequential).toBeLessThanOrEqual(3);
    const again = await costing((by) => by.put(`Observation/again-${names}`, body({ id: `again-${names}` })));
    expect(again.cost.calls).toEqual(['GetItem', 'TransactWriteItems']);
    expect(again.cost.written).toBe(ofObservation.cost.written);
  });

  it('costs a process one call the first time that it meets it, and none afterwards', async () => {
    await server.put(`Observation/${observationId}`, body());
    const path = `Observation/${observationId}`;
    const requests: Readonly<Record<string, (by: FhirServer) => Promise<TestResponse>>> = {
      read: (by) => by.get(path),
      version: (by) => by.get(`${path}/_history/1`),
      history: (by) => by.get(`${path}/_history`),
      search: (by) => by.get(`Observation?_id=${observationId}`),
      'search in the chart': (by) => by.get(`Observation?patient=${patientId}`),
      everything: (by) => by.get(`Patient/${patientId}/$everything`),
    };
    const expected: Readonly<Record<string, readonly string[]>> = {
      read: ['GetItem', 'PutItem'],
      version: ['BatchGetItem', 'PutItem'],
      history: ['GetItem', 'PutItem', 'Query'],
      search: ['GetItem', 'PutItem'],
      'search in the chart': ['PutItem', 'Query'],
      everything: ['GetItem', 'PutItem', 'Query'],
    };

    for (const [name, request] of Object.entries(requests)) {
      const fresh = await fhirServer(table);
      const first = await costing(request, fresh);
      const second = await costing(request, fresh);

      expect({ name, calls: second.cost.calls }).toEqual({ name, calls: expected[name] });
      expect({ name, calls: first.cost.calls }).toEqual({ name, calls: ['GetItem', ...(expected[name] ?? [])].sort() });
      expect(first.cost.sequential).toBe(second.cost.sequential + 1);
      expect(first.cost.read).toBe(second.cost.read + 1);
      expect(first.cost.written).toBe(second.cost.written);
    }
  });

  it('is updated for two calls and deleted for three, once it is known', async () => {
    await server.put(`Observation/${observationId}`, body());
    await server.get(`Observation/${observationId}`);

    const updated = await costing((by) =>
      by.put(`Observation/${observationId}`, body({ issued: '2024-05-02T08:00:00Z' })),
    );
    expect(updated.cost).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2, read: 1 });
    const deleted = await costing((by) => by.delete(`Observation/${observationId}`));
    expect(deleted.cost).toMatchObject({ calls: ['Query', 'Query', 'TransactWriteItems'], sequential: 2 });
    // The id leads to the same place for ever.
    const recreated = await costing((by) => by.put(`Observation/${observationId}`, body()));
    expect(recreated.body.meta?.versionId).toBe('4');
    // It goes on from the state that it had: what it said last is read.
    expect(recreated.cost).toMatchObject({ calls: ['BatchGetItem', 'GetItem', 'TransactWriteItems'], sequential: 3 });
  });

  it('costs a reference to it nothing more than the first look', async () => {
    const visit = `visit-${names}`;
    await server.put(`Encounter/${visit}`, { ...encounterBody(`Patient/${patientId}`), id: visit });
    const fresh = await fhirServer(table);
    const request = (by: FhirServer) =>
      by.post(
        'Observation',
        observationBody(`Patient/${patientId}`, { encounter: { reference: `Encounter/${visit}` } }),
      );

    const first = await costing(request, fresh);
    const second = await costing(request, fresh);

    expect(first.cost.calls).toEqual(['GetItem', 'GetItem', 'TransactWriteItems']);
    expect(second.cost).toMatchObject({ calls: ['TransactWriteItems'], sequential: 1, read: 0 });
    expect(second.cost.written).toBe(first.cost.written);
  });

  it('may be used for several records of one transaction that refer to one another', async () => {
    const patient = patientBody({ id: `bundled-${names}` });
    const visit = { ...encounterBody(`Patient/bundled-${names}`), id: `bundled-visit-${names}` };
    const finding = observationBody(`Patient/bundled-${names}`, {
      encounter: { reference: `Encounter/bundled-visit-${names}` },
    });

    const { cost, body: answer } = await costing((by) =>
      by.post('', transactionOf(postEntry(finding), putEntry(visit), putEntry(patient))),
    );

    expect(statusesOf(answer)).toEqual(['201', '201', '201']);
    // The two locators at once, then the write.
    expect(cost).toMatchObject({ calls: ['GetItem', 'GetItem', 'TransactWriteItems'], sequential: 2 });
    const found = await server.get(`Observation?patient=bundled-${names}`);
    expect(resourcesIn(found.body)).toHaveLength(1);
  });

  it('needs no locator in the directory, whose records are found by their id alone', async () => {
    const organization = { ...organizationBody(), id: `organization-${names}` };
    const put = (by: FhirServer) => by.put(pathOf(organization), organization, { as: admin });

    expect((await costing(put)).cost).toMatchObject({ calls: ['GetItem', 'TransactWriteItems'], sequential: 2 });
    const fresh = await fhirServer(table);
    const read = await costing((by) => by.get(pathOf(organization)), fresh);
    expect(read.cost).toEqual({ calls: ['GetItem', 'PutItem'], sequential: 1, read: 1, written: 1 });
  });
});

describe('a Provenance that names no patient', () => {
  const provenanceOf = (...targets: string[]): fhir4.Provenance => ({
    resourceType: 'Provenance',
    target: targets.map((reference) => ({ reference })),
    recorded: '2024-05-06T07:08:09Z',
    agent: [{ who: { display: 'a laboratory' } }],
  });
  const chartOf = ({ id = '' }: { readonly id?: string }) => server.store.ids.decode(id);
  const newObservation = async () => {
    const patient = await create(server, patientBody());
    return { patient, observation: await create(server, observationBody(referenceTo(patient))) };
  };

  it('is in the chart of the first record that it tells of, and stays there', async () => {
    const [one, other] = [await newObservation(), await newObservation()];
    const organization = referenceTo(await create(server, organizationBody(), admin));
    const targets = [organization, referenceTo(one.observation), referenceTo(other.observation)];
    const made = await create(server, provenanceOf(...targets), system);

    expect(chartOf(made)).toEqual({ chart: one.patient.id, place: expect.stringMatching(/^[0-9a-v]{20}$/) });
    const put = (...names: string[]) =>
      server.put(pathOf(made), { ...provenanceOf(...names), id: made.id }, { as: system });
    expect((await put(referenceTo(one.observation))).status).toBe(200);
    expect((await put(referenceTo(one.observation), referenceTo(one.patient))).status).toBe(200);
    expect((await put(referenceTo(one.observation))).status).toBe(200);
    expect((await put(referenceTo(other.observation))).status).toBe(422);
    expect((await put(organization)).status).toBe(422);
    for (const { observation } of [one, other]) {
      const { body } = await server.get(`Observation?_id=${observation.id}&_revinclude=Provenance:target`, {
        as: system,
      });
      expect(resourcesIn(body)).toHaveLength(observation === one.observation ? 2 : 1);
    }
    expect((await server.get(`Provenance?patient=${one.patient.id}`, { as: system })).body.total).toBe(0);
  });

  it('finds its chart in the transaction that makes what it tells of, under whatever id', async () => {
    const patient = await create(server, patientBody());
    const observation = postEntry(observationBody(referenceTo(patient)));
    const written = await server.post(
      '',
      transactionOf(
        postEntry(provenanceOf(observation.fullUrl ?? '')),
        putEntry({ ...provenanceOf('Observation/told-of'), id: 'telling' }),
        observation,
        putEntry({ ...observationBody(referenceTo(patient)), id: 'told-of' }),
      ),
      { as: system },
    );

    expect(statusesOf(written.body)).toEqual(['201', '201', '201', '201']);
    const { items } = await server.store.chart(patient.id, 'Provenance');
    expect(items.map(({ chart }) => chart)).toEqual([patient.id, patient.id]);
  });

  it('has a chart of its own where it tells of nobody’s record, and keeps it', async () => {
    const { observation } = await newObservation();
    const organization = referenceTo(await create(server, organizationBody(), admin));
    const made = await create(server, provenanceOf(organization), system);

    expect(chartOf(made)).toEqual({ chart: made.id, place: '' });
    const later = { ...provenanceOf(referenceTo(observation)), id: made.id };
    expect((await server.put(pathOf(made), later, { as: system })).status).toBe(200);
    const { body } = await server.get(`Observation?_id=${observation.id}&_revinclude=Provenance:target`, {
      as: system,
    });
    expect(resourcesIn(body).map(referenceTo)).toEqual([referenceTo(observation), referenceTo(made)]);
  });
});
