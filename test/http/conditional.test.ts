import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, deleteEntry, postEntry, putEntry, statusesOf, transactionOf, urn } from '../support/bundles.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  atOnce,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
  tally,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

let numbers = 0;
/** An identifier that nobody bears yet, and a condition on it. */
const unused = () => {
  const value = `conditional-${++numbers}`;
  return { value, query: `identifier=${identifierSystem}|${value}` };
};

const bearers = async (query: string, type = 'Patient'): Promise<TestBody[]> =>
  resourcesIn((await server.get(`${type}?${query}`)).body);

describe('PUT /{type}?{condition}', () => {
  it('creates what nothing meets, under an id of ours', async () => {
    const { value, query } = unused();

    const { status, headers, body } = await server.put(`Patient?${query}`, numberedPatient(value));

    expect(status).toBe(201);
    expect(headers.location).toBe(`${base}/Patient/${body.id}/_history/1`);
    expect(await bearers(query)).toEqual([body]);
  });

  it('updates the one record that meets it, whether or not the body names its id', async () => {
    const { value, query } = unused();
    const patient = await create(server, numberedPatient(value));

    const without = await server.put(`Patient?${query}`, numberedPatient(value, { birthDate: '1981-01-01' }));
    const named = await server.put(`Patient?${query}`, { ...numberedPatient(value), id: patient.id });

    expect([without, named].map(({ status, body }) => [status, body.id, body.meta?.versionId])).toEqual([
      [200, patient.id, '2'],
      [200, patient.id, '3'],
    ]);
  });

  it('refuses with 400 a body with another id than the record', async () => {
    const { value, query } = unused();
    const patient = await create(server, numberedPatient(value));

    const response = await server.put(`Patient?${query}`, { ...numberedPatient(value), id: 'another' });

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ expression: 'Patient.id' }]);
    expect((await server.get(pathOf(patient))).body.meta?.versionId).toBe('1');
  });

  it('creates what nothing meets under the id in the body', async () => {
    const { value, query } = unused();

    const { status, body } = await server.put(`Patient?${query}`, { ...numberedPatient(value), id: value });

    expect([status, body.id]).toEqual([201, value]);
    expect((await server.get(`Patient/${value}`)).status).toBe(200);
  });

  it('refuses with 409 to overwrite the record with the id in the body, which does not meet the condition', async () => {
    const { value, query } = unused();
    const other = stored<fhir4.Patient>((await server.put(`Patient/${value}`, { ...patientBody(), id: value })).body);

    const response = await server.put(`Patient?${query}`, { ...numberedPatient(value), id: value });

    expect(response.status).toBe(409);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'condition-not-met', expression: 'Patient.id' }]);
    expect((await server.get(pathOf(other))).body).toEqual(other);
  });

  it('revives what was deleted under the id in the body', async () => {
    const { value, query } = unused();
    await server.put(`Patient/${value}`, { ...numberedPatient(value), id: value });
    await server.delete(`Patient/${value}`);

    const { status, body } = await server.put(`Patient?${query}`, { ...numberedPatient(value), id: value });

    expect([status, body.meta?.versionId]).toEqual([201, '3']);
  });

  it('refuses with 412 where several records meet it, and changes none', async () => {
    const { value, query } = unused();
    const twins = [await create(server, numberedPatient(value)), await create(server, numberedPatient(value))];

    const response = await server.put(`Patient?${query}`, numberedPatient(value));

    expect(response.status).toBe(412);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'multiple-matches', expression: 'query' }]);
    expect((await bearers(query)).map(({ meta }) => meta?.versionId)).toEqual(twins.map(() => '1'));
  });

  it('does not know of what the caller may not know of', async () => {
    const { value, query } = unused();
    const patient = await create(server, numberedPatient(value), elsewhere);

    const { status, body } = await server.put(`Patient?${query}`, numberedPatient(value));

    expect(status).toBe(201);
    expect(body.id).not.toBe(patient.id);
  });

  it.each(['', '_format=json', 'nonsense=1', 'birthdate=yesterday'])(
    'refuses with 400 the condition "%s"',
    async (query) => {
      expect((await server.put(`Patient?${query}`, patientBody())).status).toBe(400);
    },
  );

  it('keeps to If-Match', async () => {
    const { value, query } = unused();
    const put = (version: number) =>
      server.put(`Patient?${query}`, numberedPatient(value), { headers: { 'if-match': `W/"${version}"` } });

    const early = await put(1);
    await create(server, numberedPatient(value));
    const answers = [early, await put(1), await put(1)];

    expect(answers.map(({ status }) => status)).toEqual([412, 200, 412]);
  });

  it('follows chains in its condition', async () => {
    const { value } = unused();
    const patient = await create(server, numberedPatient(value));
    const observation = await create(server, observationBody(referenceTo(patient)));

    const { status, body } = await server.put(
      `Observation?subject:Patient.identifier=${identifierSystem}|${value}&code=8867-4`,
      observationBody(referenceTo(patient), { status: 'amended' }),
    );

    expect([status, body.id, body.status]).toEqual([200, observation.id, 'amended']);
  });

  it('makes one record of 64 at once, and answers none with 500', async () => {
    const { value, query } = unused();

    const answers = await atOnce(64, (index) =>
      index % 2 === 0
        ? server.put(`Patient?${query}`, numberedPatient(value))
        : server.post('Patient', numberedPatient(value), { headers: { 'if-none-exist': query } }),
    );

    const counts = tally(answers);
    expect(Object.keys(counts).filter((status) => !['200', '201', '409'].includes(status))).toEqual([]);
    expect(counts[201]).toBe(1);
    const [only, ...others] = await bearers(query);
    expect(others).toEqual([]);
    // Each accepted update made a version, and no other request did.
    const updated = answers.filter(({ status }, index) => index % 2 === 0 && status === 200);
    expect(Number(only?.meta?.versionId)).toBe(1 + updated.length);
  });
});

describe('If-Match', () => {
  it('lets one of 64 updates at once through, and loses none', async () => {
    const patient = await create(server, patientBody());
    const rounds = 2;

    for (let version = 1; version <= rounds; version++) {
      const answers = await atOnce(64, (index) =>
        server.put(
          pathOf(patient),
          { ...patient, multipleBirthInteger: index },
          { headers: { 'if-match': `W/"${version}"` } },
        ),
      );

      expect(tally(answers)).toEqual({ 200: 1, 412: 63 });
      const winner = answers.find(({ status }) => status === 200)?.body;
      expect((await server.get(pathOf(patient))).body).toEqual(winner);
    }
  });
});

describe('DELETE /{type}?{condition}', () => {
  it.each(['_count=1', '_sort=birthdate', '_summary=true', '_elements=name', '_include=Patient:organization'])(
    'deletes nothing where %s is thought to narrow it',
    async (shaping) => {
      const { value, query } = unused();
      const patient = await create(server, numberedPatient(value));

      const { status, body } = await server.delete(`Patient?${query}&${shaping}`);

      expect(status).toBe(400);
      expect(issuesOf(body)).toMatchObject([{ reason: 'not-supported', expression: shaping.split('=')[0] }]);
      expect((await server.get(pathOf(patient))).status).toBe(200);
    },
  );

  it('deletes the one record that meets it', async () => {
    const { value, query } = unused();
    const patient = await create(server, numberedPatient(value));

    const { status, headers } = await server.delete(`Patient?${query}`);

    expect([status, headers.etag]).toEqual([204, 'W/"2"']);
    expect((await server.get(pathOf(patient))).status).toBe(410);
  });

  it('answers 204 where nothing meets it', async () => {
    const { status, text } = await server.delete(`Patient?${unused().query}`);

    expect([status, text]).toEqual([204, '']);
  });

  it('deletes all that meet it, also where they refer to each other', async () => {
    const patient = await create(server, patientBody());
    const first = await create(server, observationBody(referenceTo(patient)));
    const second = await create(
      server,
      observationBody(referenceTo(patient), { hasMember: [{ reference: referenceTo(first) }] }),
    );
    const other = await create(server, observationBody(referenceTo(patient), { code: { text: 'other' } }));

    const { status } = await server.delete(`Observation?patient=${patient.id}&code=8867-4`);

    expect(status).toBe(204);
    const after = await Promise.all([first, second, other].map((record) => server.get(pathOf(record))));
    expect(after.map((response) => response.status)).toEqual([410, 410, 200]);
  });

  it('deletes none of them where something refers to one', async () => {
    const patient = await create(server, patientBody());
    const encounters = [
      await create(server, encounterBody(referenceTo(patient))),
      await create(server, encounterBody(referenceTo(patient))),
    ];
    await create(
      server,
      observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounters[1] ?? patient) } }),
    );

    const response = await server.delete(`Encounter?patient=${patient.id}`);

    expect(response.status).toBe(409);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'referenced' }]);
    expect(await bearers(`patient=${patient.id}`, 'Encounter')).toHaveLength(2);
  });

  it('refuses with 412 where more than 50 meet it, and deletes none', async () => {
    const patient = await create(server, patientBody());
    await server.post(
      '',
      transactionOf(...Array.from({ length: 51 }, () => postEntry(observationBody(referenceTo(patient))))),
    );
    const query = `Observation?patient=${patient.id}`;

    const refused = await server.delete(query);
    const [first] = await bearers(`patient=${patient.id}`, 'Observation');
    await server.delete(pathOf(first as TestBody));
    const accepted = await server.delete(query);

    expect([refused.status, issuesOf(refused.body)[0]?.reason]).toEqual([412, 'multiple-matches']);
    expect(accepted.status).toBe(204);
    expect(await bearers(`patient=${patient.id}`, 'Observation')).toEqual([]);
  });

  it('means all entries of the directory that bear an identifier', async () => {
    const { value, query } = unused();
    const body = organizationBody({ identifier: [{ system: identifierSystem, value }] });
    const organizations = [await create(server, body, admin), await create(server, body, admin)];

    expect((await server.delete(`Organization?${query}`, { as: admin })).status).toBe(204);
    for (const organization of organizations) expect((await server.get(pathOf(organization))).status).toBe(410);
  });

  it('leaves alone what stopped to meet the condition before it could be deleted', async () => {
    const { value, query } = unused();
    const patient = await create(server, numberedPatient(value));

    const [deletion, update] = await Promise.all([
      server.delete(`Patient?${query}`),
      server.put(pathOf(patient), { ...patient, identifier: [{ system: identifierSystem, value: `not-${value}` }] }),
    ]);

    // The update came first, and then there was nothing to delete; or the deletion did, and the update was refused, or made a record of it again.
    const after = (await server.get(pathOf(patient))).status;
    expect([200, 410]).toContain(after);
    expect([200, 201, 409]).toContain(update.status);
    expect([204, 409]).toContain(deletion.status);
    expect(update.status === 409).toBe(after === 410);
  });

  it.each(['', '_pretty=true', 'nonsense=1'])('refuses with 400 the condition "%s"', async (query) => {
    expect((await server.delete(`Patient?${query}`)).status).toBe(400);
  });
});

describe('a condition in a bundle', () => {
  it('updates, creates and deletes in a transaction, and others may refer to what it wrote', async () => {
    const [known, fresh, old] = [unused(), unused(), unused()];
    const patient = await create(server, numberedPatient(known.value));
    await create(server, numberedPatient(old.value));

    const [first, second] = [urn(), urn()];

    const response = await server.post(
      '',
      transactionOf(
        { fullUrl: first, ...putConditional(known, { birthDate: '1999-09-09' }) },
        { fullUrl: second, ...putConditional(fresh) },
        postEntry(observationBody(first)),
        postEntry(observationBody(second)),
        deleteEntry(`Patient?${old.query}`),
      ),
    );

    expect(response.status, response.text).toBe(200);
    expect(statusesOf(response.body)).toEqual(['200', '201', '201', '201', '204']);
    const [created] = await bearers(fresh.query);
    expect((await bearers(known.query)).map(({ birthDate }) => birthDate)).toEqual(['1999-09-09']);
    expect(await bearers(old.query)).toEqual([]);
    for (const id of [patient.id, created?.id]) expect(await bearers(`patient=${id}`, 'Observation')).toHaveLength(1);
  });

  it('is named with its entry where it is refused, and nothing of the transaction is written', async () => {
    const [one, two] = [unused(), unused()];
    await create(server, numberedPatient(one.value));
    await create(server, numberedPatient(one.value));

    const response = await server.post('', transactionOf(putConditional(two), putConditional(one)));

    expect(response.status).toBe(412);
    expect(issuesOf(response.body)).toMatchObject([
      { reason: 'multiple-matches', expression: 'Bundle.entry[1].request.url' },
    ]);
    expect(await bearers(two.query)).toEqual([]);
  });

  it('refuses two entries that would create the same, or write the same record', async () => {
    const [absent, present] = [unused(), unused()];
    const patient = await create(server, numberedPatient(present.value));

    const twice = await server.post('', transactionOf(putConditional(absent), putConditional(absent)));
    const both = await server.post('', transactionOf(putConditional(present), putEntry(patient)));

    expect([twice.status, both.status]).toEqual([400, 400]);
  });

  it('refuses what has an id that is no text, as it is', async () => {
    const { value, query } = unused();
    const resource = { ...numberedPatient(value), id: { value } };

    const response = await server.post(
      '',
      transactionOf({ resource, request: { method: 'PUT', url: `Patient?${query}` } } as never),
    );

    expect(response.status).toBe(400);
  });

  it('makes one record of 16 transactions at once', async () => {
    const asked = unused();

    const answers = await atOnce(16, () => server.post('', transactionOf(putConditional(asked))));

    expect(Object.keys(tally(answers)).filter((status) => !['200', '409'].includes(status))).toEqual([]);
    expect(await bearers(asked.query)).toHaveLength(1);
  });

  it('is served in a batch too', async () => {
    const asked = unused();

    const { body } = await server.post('', batchOf(putConditional(asked), deleteEntry(`Patient?${unused().query}`)));

    expect(statusesOf(body)).toEqual(['201', '204']);
  });
});

const putConditional = ({ value, query }: ReturnType<typeof unused>, elements: Partial<fhir4.Patient> = {}) => ({
  resource: numberedPatient(value, elements),
  request: { method: 'PUT' as const, url: `Patient?${query}` },
});

describe('conditional read', () => {
  let patient: Stored<fhir4.Patient>;
  let written: string;
  beforeAll(async () => {
    patient = await create(server, patientBody());
    const { headers } = await server.put(pathOf(patient), patient);
    written = headers['last-modified'] ?? '';
  });

  const before = () => new Date(Date.parse(written) - 1_000).toUTCString();

  it.each([
    ['the version that is there', () => ({ 'if-none-match': 'W/"2"' }), 304],
    ['it, written as a strong tag', () => ({ 'if-none-match': '"2"' }), 304],
    ['it among others', () => ({ 'if-none-match': 'W/"1", W/"2"' }), 304],
    ['any version', () => ({ 'if-none-match': '*' }), 304],
    ['an earlier version', () => ({ 'if-none-match': 'W/"1"' }), 200],
    ['what is no version', () => ({ 'if-none-match': 'something' }), 200],
    ['its time', () => ({ 'if-modified-since': written }), 304],
    ['an earlier time', () => ({ 'if-modified-since': before() }), 200],
    ['no time', () => ({ 'if-modified-since': 'yesterday' }), 200],
    ['an earlier version at its time', () => ({ 'if-none-match': 'W/"1"', 'if-modified-since': written }), 200],
    ['its version at an earlier time', () => ({ 'if-none-match': 'W/"2"', 'if-modified-since': before() }), 304],
  ])('of who has %s', async (_, headers, expected) => {
    const { status, text, headers: answered } = await server.get(pathOf(patient), { headers: headers() });

    expect(status).toBe(expected);
    expect(text === '').toBe(expected === 304);
    expect([answered.etag, answered['last-modified']]).toEqual(['W/"2"', written]);
    expect('content-type' in answered).toBe(expected === 200);
  });

  it('of a version, and in a batch', async () => {
    const version = await server.get(`${pathOf(patient)}/_history/1`, { headers: { 'if-none-match': 'W/"1"' } });
    const { body } = await server.post(
      '',
      batchOf({ request: { method: 'GET', url: pathOf(patient), ifNoneMatch: 'W/"2"' } }),
    );

    expect(version.status).toBe(304);
    expect(entriesOf(body)).toMatchObject([{ response: { status: '304 Not Modified', etag: 'W/"2"' } }]);
    expect(entriesOf(body)[0]).not.toHaveProperty('resource');
  });

  it('leaves its trace, in the one call that a read takes', async () => {
    await server.get(pathOf(patient));
    server.calls.reset();

    const { status } = await server.get(pathOf(patient), { headers: { 'if-none-match': 'W/"2"' } });

    expect(status).toBe(304);
    expect([...server.calls.names].sort()).toEqual(['GetItem', 'PutItem']);
    expect(server.calls.sequential()).toBe(1);
  });

  it('tells nobody that there is what they may not know of', async () => {
    const { status } = await server.get(pathOf(patient), { as: elsewhere, headers: { 'if-none-match': '*' } });

    expect(status).toBe(404);
  });
});
