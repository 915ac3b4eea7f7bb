import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, deleteEntry, postEntry, statusesOf, transactionOf, urn } from '../support/bundles.ts';
import { type FhirServer, fhirServer, physician, type TestRequest } from '../support/fhir-server.ts';
import { fhirPathPatch, inBinary } from '../support/patches.ts';
import {
  atOnce,
  create,
  elsewhere,
  entriesOf,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  tally,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const json = { 'content-type': 'application/json-patch+json' };
const patch = (path: string, body: unknown, { headers, ...options }: TestRequest = {}) =>
  server.request('PATCH', path, { ...options, body, headers: { ...(Array.isArray(body) ? json : {}), ...headers } });

const born = (date: string) => [{ op: 'replace', path: '/birthDate', value: date }];

describe('PATCH /{type}/{id}', () => {
  it('makes a version of what a JSON Patch makes of the record', async () => {
    const patient = await create(server, patientBody());

    const { status, headers, body } = await patch(pathOf(patient), [
      { op: 'test', path: '/meta/versionId', value: '1' },
      { op: 'test', path: '/id', value: patient.id },
      ...born('1981-01-01'),
      { op: 'add', path: '/name/0/given/-', value: 'Eve' },
    ]);

    expect([status, headers.etag]).toEqual([200, 'W/"2"']);
    expect(body).toEqual({
      ...patient,
      birthDate: '1981-01-01',
      name: [{ family: 'Sample', given: ['Ann', 'Eve'] }],
      meta: { versionId: '2', lastUpdated: expect.any(String) },
    });
    expect((await server.get(pathOf(patient))).body).toEqual(body);
    expect((await server.get(`${pathOf(patient)}/_history/1`)).body).toEqual(patient);
  });

  it('makes a version of what a FHIRPath Patch makes of it', async () => {
    const patient = await create(server, patientBody());

    const { status, body } = await patch(
      pathOf(patient),
      fhirPathPatch(
        { type: 'replace', path: 'Patient.birthDate', value: { valueDate: '1981-01-01' } },
        { type: 'add', path: 'Patient', name: 'deceased', value: { valueBoolean: false } },
        { type: 'delete', path: "Patient.name.given.where($this = 'Ann')" },
      ),
    );

    expect(status).toBe(200);
    expect(body).toMatchObject({ birthDate: '1981-01-01', deceasedBoolean: false, name: [{ family: 'Sample' }] });
    expect(body.name?.[0]).not.toHaveProperty('given');
  });

  it('takes one read and one transaction', async () => {
    const patient = await create(server, patientBody());
    server.calls.reset();

    await patch(pathOf(patient), born('1981-01-01'));

    expect(server.calls.names).toEqual(['GetItem', 'TransactWriteItems']);
  });

  it('keeps the spelling of decimals, those of the record and its own', async () => {
    const patient = await create(server, patientBody());
    const body = JSON.stringify(observationBody(referenceTo(patient))).replace('"value":72', '"value":72.00');
    const { body: observation } = await server.post('Observation', body);

    const byJson = await patch(
      `Observation/${observation.id}`,
      '[{"op":"add","path":"/component","value":[{"code":{"text":"x"},"valueQuantity":{"value":1.50}}]}]',
      { headers: json },
    );
    const byPath = await patch(
      `Observation/${observation.id}`,
      JSON.stringify(
        fhirPathPatch({
          type: 'replace',
          path: 'Observation.component[0].value',
          value: { valueQuantity: { value: 'X' } },
        }),
      ).replace('"X"', '2.500'),
    );

    expect([byJson.status, byPath.status]).toEqual([200, 200]);
    expect(byJson.text).toContain('"value":72.00');
    expect(byJson.text).toContain('"value":1.50');
    expect((await server.get(`Observation/${observation.id}`)).text).toMatch(/"value":72\.00.*"value":2\.500/);
  });

  it.each([
    [
      'a JSON Patch',
      [
        { op: 'add', path: '/contact', value: [] },
        { op: 'replace', path: '/birthTime', value: 'x' },
      ],
      '[1].path',
    ],
    [
      'a FHIRPath Patch',
      fhirPathPatch(
        { type: 'delete', path: 'Patient.active' },
        { type: 'move', path: 'Patient.name', source: 1, destination: 0 },
      ),
      'Parameters.parameter[1]',
    ],
  ])('refuses with 422 %s that does not fit, and names the operation', async (_, body, expression) => {
    const patient = await create(server, patientBody());

    const response = await patch(pathOf(patient), body);

    expect(response.status).toBe(422);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'patch-does-not-fit', expression }]);
    expect((await server.get(pathOf(patient))).body).toEqual(patient);
  });

  it.each([
    ['an operation of JSON Patch that there is not', [{ op: 'merge', path: '/a' }], '[0].op'],
    [
      'a path that is not understood',
      fhirPathPatch({ type: 'delete', path: 'Patient.name.last()' }),
      'Parameters.parameter[0]',
    ],
  ])('refuses with 400 %s', async (_, body, expression) => {
    const response = await patch(pathOf(await create(server, patientBody())), body);

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'patch-malformed', expression }]);
  });

  it.each([
    ['nothing', undefined, {}],
    ['a record', patientBody(), {}],
    ['Parameters as a JSON Patch', fhirPathPatch(), json],
    ['a list as FHIR', [], { 'content-type': 'application/fhir+json' }],
    ['a text', '"x"', json],
  ])('refuses with 400 %s', async (_, body, headers) => {
    const response = await patch(pathOf(await create(server, patientBody())), body, { headers });

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'malformed' }]);
  });

  it('refuses with 415 any other form, and tells the two', async () => {
    const patient = await create(server, patientBody());

    for (const type of ['application/merge-patch+json', 'application/xml-patch+xml', 'application/fhir+xml']) {
      const { status, headers } = await patch(pathOf(patient), [], { headers: { 'content-type': type } });
      expect([status, headers['accept-patch']]).toEqual([415, 'application/json-patch+json, application/fhir+json']);
    }
    expect((await server.put(pathOf(patient), patient, { headers: json })).status).toBe(415);
  });

  it.each([
    ['the id', { op: 'replace', path: '/id', value: 'another' }],
    ['the type', { op: 'replace', path: '/resourceType', value: 'Basic' }],
    ['all of it', { op: 'remove', path: '' }],
    ['all of it, by a list', { op: 'replace', path: '', value: [] }],
  ])('does not change what a record is: %s', async (_, operation) => {
    const response = await patch(pathOf(await create(server, patientBody())), [operation]);

    expect(response.status).toBe(422);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'patch-does-not-fit', expression: 'Patient' }]);
  });

  it("leaves version and time to the server, and takes a record's tags", async () => {
    const patient = await create(server, patientBody());

    const { body } = await patch(pathOf(patient), [
      { op: 'replace', path: '/meta/versionId', value: '99' },
      { op: 'replace', path: '/meta/lastUpdated', value: '1999-01-01T00:00:00Z' },
      { op: 'add', path: '/meta/tag', value: [{ code: 'x' }] },
    ]);

    expect(body.meta).toMatchObject({ versionId: '2', tag: [{ code: 'x' }] });
    expect(body.meta?.lastUpdated?.slice(0, 4)).not.toBe('1999');
  });

  it('holds what comes of it to every rule of an update', async () => {
    const [patient, other] = [await create(server, patientBody()), await create(server, patientBody())];
    const observation = await create(server, observationBody(referenceTo(patient)));
    const refused = async (path: string, value: unknown) => {
      const { status, body } = await patch(pathOf(observation), [{ op: 'add', path, value }]);
      const [issue] = issuesOf(body);
      return [status, issue?.reason, issue?.expression];
    };

    expect(await refused('/status', 'nonsense')).toEqual([400, 'validation', 'Observation.status']);
    expect(await refused('/nonsense', 1)).toEqual([400, 'validation', 'Observation.nonsense']);
    expect(await refused('/dataAbsentReason', { text: 'x' })).toEqual([400, 'validation', expect.any(String)]);
    expect(await refused('/encounter', { reference: 'Encounter/nobody' })).toEqual([
      400,
      'reference-not-found',
      'Observation.encounter.reference',
    ]);
    expect(await refused('/subject/reference', referenceTo(other))).toEqual([
      422,
      'patient-changed',
      'Observation.subject',
    ]);
    expect((await server.get(pathOf(observation))).body.meta?.versionId).toBe('1');
  });

  it('holds the time of actors like an update', async () => {
    const start = new Date(Date.now() + 30 * 24 * 3600_000).toISOString().replace(/T.*/, 'T10:00:00Z');
    const at = (minutes: number) => new Date(Date.parse(start) + minutes * 60_000).toISOString();
    const practitioner = await create(server, { resourceType: 'Practitioner' } as fhir4.Practitioner, {
      role: 'admin',
    });
    const booked = (from: number): fhir4.Appointment => ({
      resourceType: 'Appointment',
      status: 'booked',
      start: at(from),
      end: at(from + 30),
      participant: [{ actor: { reference: referenceTo(practitioner) }, status: 'accepted' }],
    });
    await create(server, booked(0));
    const second = await create(server, booked(60));
    const moveTo = (from: number) =>
      patch(pathOf(second), [
        { op: 'replace', path: '/start', value: at(from) },
        { op: 'replace', path: '/end', value: at(from + 30) },
      ]);

    const [clash, free] = [await moveTo(15), await moveTo(30)];

    expect([clash.status, issuesOf(clash.body)[0]?.reason]).toEqual([409, 'time-taken']);
    expect(free.status).toBe(200);
    expect((await server.post('Appointment', booked(60))).status).toBe(201);
  });

  it('keeps to If-Match', async () => {
    const patient = await create(server, patientBody());
    const at = (version: number) =>
      patch(pathOf(patient), born('1981-01-01'), { headers: { 'if-match': `W/"${version}"` } });

    expect([await at(2), await at(1), await at(1)].map(({ status }) => status)).toEqual([412, 200, 412]);
  });

  it('loses none of 32 at once', async () => {
    const patient = await create(server, patientBody());

    const answers = await atOnce(32, () =>
      patch(pathOf(patient), [{ op: 'add', path: '/name/0/given/-', value: 'x' }]),
    );

    const counts = tally(answers);
    const { body } = await server.get(pathOf(patient));
    expect(Object.keys(counts).filter((status) => !['200', '409'].includes(status))).toEqual([]);
    expect(body.name?.[0]?.given).toHaveLength(1 + (counts[200] ?? 0));
    expect(body.meta?.versionId).toBe(String(1 + (counts[200] ?? 0)));
  });

  it('is refused like an update to who may not write, and like a read to who may not know', async () => {
    const patient = await create(server, patientBody());
    const statusOf = async (path: string, options: TestRequest = {}) =>
      (await patch(path, born('1981-01-01'), options)).status;

    expect(await statusOf(pathOf(patient), { as: elsewhere })).toBe(404);
    expect(await statusOf('Patient/nobody')).toBe(404);
    expect(await statusOf(pathOf(patient), { as: { role: 'pharmacist' } })).toBe(403);
    expect(await statusOf(pathOf(patient), { as: { role: 'physician', scope: 'user/*.crds' } })).toBe(403);
    await server.delete(pathOf(patient));
    expect(await statusOf(pathOf(patient))).toBe(410);
  });

  it('obeys Prefer', async () => {
    const patient = await create(server, patientBody());

    const { status, text } = await patch(pathOf(patient), born('1981-01-01'), {
      headers: { prefer: 'return=minimal' },
    });

    expect([status, text]).toEqual([200, '']);
  });
});

describe('PATCH /{type}?{condition}', () => {
  const query = (value: string) => `Patient?identifier=${identifierSystem}|${value}`;

  it('patches the one record that meets it', async () => {
    const patient = await create(server, numberedPatient('patch-1'));

    const { status, body } = await patch(query('patch-1'), born('1981-01-01'));

    expect([status, body.id, body.birthDate]).toEqual([200, patient.id, '1981-01-01']);
  });

  it('answers 404 where none does, 412 where several do, and 400 without a condition', async () => {
    await create(server, numberedPatient('patch-2'));
    await create(server, numberedPatient('patch-2'));

    const answers = [query('patch-none'), query('patch-2'), 'Patient'].map((path) => patch(path, born('1981-01-01')));

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 412, 400]);
  });
});

describe('a patch in a bundle', () => {
  const entry = (resource: fhir4.FhirResource, url: string, request: object = {}): fhir4.BundleEntry => ({
    resource,
    request: { method: 'PATCH', url, ...request },
  });
  const toMale = fhirPathPatch({ type: 'replace', path: 'Patient.gender', value: { valueCode: 'male' } });

  it.each([
    ['transaction', transactionOf],
    ['batch', batchOf],
  ])('is served in a %s, in both forms', async (_, bundleOf) => {
    const [one, two] = [await create(server, patientBody()), await create(server, patientBody())];

    const { status, body } = await server.post(
      '',
      bundleOf(entry(inBinary(born('1981-01-01')), pathOf(one), { ifMatch: 'W/"1"' }), entry(toMale, pathOf(two))),
    );

    expect(status).toBe(200);
    expect(entriesOf(body)).toMatchObject([
      { response: { status: '200 OK', etag: 'W/"2"' } },
      { response: { status: '200 OK', etag: 'W/"2"' } },
    ]);
    expect((await server.get(pathOf(one))).body.birthDate).toBe('1981-01-01');
    expect((await server.get(pathOf(two))).body.gender).toBe('male');
  });

  it('may be conditional, and refer to what the transaction creates', async () => {
    const patient = await create(server, numberedPatient('patch-3'));
    const observation = await create(server, observationBody(referenceTo(patient)));
    const encounter = urn();

    const { status, body, text } = await server.post(
      '',
      transactionOf(
        postEntry(
          {
            resourceType: 'Encounter',
            status: 'finished',
            class: { code: 'AMB' },
            subject: { reference: referenceTo(patient) },
          },
          encounter,
        ),
        entry(inBinary([{ op: 'add', path: '/encounter', value: { reference: encounter } }]), pathOf(observation)),
        entry(toMale, `Patient?identifier=${identifierSystem}|patch-3`),
      ),
    );

    expect(status, text).toBe(200);
    expect(statusesOf(body)).toEqual(['201', '200', '200']);
    expect((await server.get(pathOf(observation))).body.encounter?.reference).toMatch(/^Encounter\//);
    expect((await server.get(pathOf(patient))).body.gender).toBe('male');
  });

  it('undoes the whole transaction where it does not fit, and is named with its entry', async () => {
    const patient = await create(server, numberedPatient('patch-4'));

    const byJson = await server.post(
      '',
      transactionOf(
        postEntry(numberedPatient('patch-5')),
        entry(inBinary([{ op: 'remove', path: '/nothing' }]), pathOf(patient)),
      ),
    );
    const byPath = await server.post(
      '',
      transactionOf(entry(fhirPathPatch({ type: 'delete', path: 'x.y()' }), pathOf(patient))),
    );

    expect([byJson.status, byPath.status]).toEqual([422, 400]);
    expect(issuesOf(byJson.body)).toMatchObject([{ expression: 'Bundle.entry[1].resource[0].path' }]);
    expect(issuesOf(byPath.body)).toMatchObject([{ expression: 'Bundle.entry[0].resource.parameter[0]' }]);
    expect((await server.get(`Patient?identifier=${identifierSystem}|patch-5`)).body.total).toBe(0);
  });

  it.each([
    ['of another content type', { ...inBinary([]), contentType: 'text/plain' }, '.resource.contentType'],
    ['without data', { resourceType: 'Binary' as const, contentType: 'application/json-patch+json' }, '.resource.data'],
    ['that is no JSON', inBinary('{'), '.resource.data'],
  ])('refuses a Binary %s', async (_, resource, expression) => {
    const patient = await create(server, patientBody());

    const response = await server.post('', transactionOf(entry(resource, pathOf(patient))));

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)[0]?.expression).toBe(`Bundle.entry[0]${expression}`);
  });

  it('refuses to patch what the same transaction writes or deletes', async () => {
    const patient = await create(server, patientBody());

    const twice = await server.post('', transactionOf(entry(toMale, pathOf(patient)), entry(toMale, pathOf(patient))));
    const gone = await server.post('', transactionOf(entry(toMale, pathOf(patient)), deleteEntry(pathOf(patient))));

    expect([twice.status, gone.status]).toEqual([400, 400]);
  });
});

describe('a patch that is refused for what the record holds', () => {
  const holds = { op: 'test', path: '/gender', value: 'female' };
  const fitsNot = { op: 'test', path: '/gender', value: 'male' };
  const breaksRules = { op: 'replace', path: '/gender', value: 'nonsense' };
  const toNothing = { op: 'replace', path: '/managingOrganization', value: { reference: 'Organization/none' } };
  const elsewhereIn = { op: 'add', path: '/managingOrganization', value: { reference: 'Organization/none' } };
  const inFhirPath = fhirPathPatch({ type: 'replace', path: 'Patient.deceased', value: { valueBoolean: true } });
  const entry = (url: string, operations: readonly unknown[]) => ({
    resource: inBinary(operations),
    request: { method: 'PATCH' as const, url },
  });
  const refusedEntry = postEntry({ ...patientBody(), gender: 'nonsense' } as unknown as fhir4.Patient);
  type Target = fhir4.Patient & { readonly id: string };
  const byNumber = ({ identifier }: Target) => `Patient?identifier=${identifierSystem}|${identifier?.[0]?.value}`;

  it.each<[string, number, (patient: Target) => Promise<unknown>]>([
    ['a test that fails', 422, (patient) => patch(pathOf(patient), [holds, fitsNot])],
    ['a path that leads to nothing', 422, (patient) => patch(pathOf(patient), [holds, toNothing])],
    ['a FHIRPath that leads nowhere', 422, (patient) => patch(pathOf(patient), inFhirPath)],
    ['what comes of it', 400, (patient) => patch(pathOf(patient), [holds, breaksRules])],
    ['a reference to nothing, found by the commit', 400, (patient) => patch(pathOf(patient), [holds, elsewhereIn])],
    ['a test that fails, by a condition', 422, (patient) => patch(byNumber(patient), [fitsNot])],
    [
      'a test that fails, in a transaction',
      422,
      (patient) => server.post('', transactionOf(entry(pathOf(patient), [fitsNot]))),
    ],
    [
      'another entry of its transaction',
      400,
      (patient) => server.post('', transactionOf(entry(pathOf(patient), [holds]), refusedEntry)),
    ],
    ['a test that fails, in a batch', 200, (patient) => server.post('', batchOf(entry(pathOf(patient), [fitsNot])))],
  ])('leaves a trace like a read: %s', async (name, expected, send) => {
    const patient = await create(server, numberedPatient(`looked-into ${name}`.replaceAll(/\W/g, '-')));

    const answer = await send(patient);

    expect(answer).toMatchObject({ status: expected });
    const { body } = await server.get(`AuditEvent?patient=${patient.id}&subtype=read`, { as: { role: 'privacy' } });
    expect(
      resourcesIn(body).map((event) => (event as unknown as fhir4.AuditEvent).entity?.[0]?.what?.reference),
    ).toEqual(expect.arrayContaining([referenceTo(patient)]));
    expect((await server.get(pathOf(patient))).body.meta?.versionId).toBe('1');
  });

  it.each([
    ['of another organisation', elsewhere, 404, (patient: Target) => pathOf(patient)],
    ['that was deleted', physician, 410, (patient: Target) => pathOf(patient)],
    [
      'that never was',
      physician,
      404,
      (patient: Target) => `Observation/${server.store.ids.idAt(patient.id, server.store.ids.newPlace(0))}`,
    ],
  ])('leaves the trace of a refused read where the record is one %s', async (which, as, expected, pathFor) => {
    const patient = await create(server, patientBody());
    if (which === 'that was deleted') await server.delete(pathOf(patient));
    const path = pathFor(patient);

    const alone = await patch(path, [holds], { as });
    const bundled = await server.post('', transactionOf(entry(path, [holds])), { as });

    expect([alone.status, bundled.status]).toEqual([expected, expected]);
    const { body } = await server.get(`AuditEvent?patient=${patient.id}&subtype=read`, { as: { role: 'privacy' } });
    const events = resourcesIn(body) as unknown as fhir4.AuditEvent[];
    expect(events.map(({ outcome }) => outcome)).toEqual(['4', '4']);
    for (const { entity } of events) expect(entity?.map(({ what }) => what?.reference)).toContain(path);
  });

  it('leaves one row a chart, however many entries of a transaction looked into it', async () => {
    const patient = await create(server, patientBody());
    const records = [
      await create(server, observationBody(referenceTo(patient))),
      await create(server, observationBody(referenceTo(patient))),
    ];
    const noted = { op: 'add', path: '/issued', value: '2024-05-06T07:08:09Z' };

    const { status } = await server.post(
      '',
      transactionOf(...records.map((record) => entry(pathOf(record), [noted])), refusedEntry),
    );

    expect(status).toBe(400);
    const { body } = await server.get(`AuditEvent?patient=${patient.id}&subtype=read`, { as: { role: 'privacy' } });
    expect(body.total ?? entriesOf(body).length).toBe(1);
    for (const record of records) expect(JSON.stringify(body)).toContain(referenceTo(record));
  });

  it('leaves nothing more where it is carried out', async () => {
    const patient = await create(server, patientBody());

    expect((await patch(pathOf(patient), born('1981-01-01'))).status).toBe(200);

    const { body } = await server.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } });
    const codes = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).map(({ subtype, action }) => [
      subtype?.[0]?.code,
      action,
    ]);
    expect(codes.filter(([, action]) => action !== 'E').sort()).toEqual([
      ['create', 'C'],
      ['patch', 'U'],
    ]);
  });
});
