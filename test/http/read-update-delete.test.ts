import { beforeAll, describe, expect, it } from 'vitest';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  atOnce,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  issuesOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  stored,
  tally,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const chosenId = (() => {
  let chosen = 0;
  return () => `chosen-${++chosen}`;
})();

/** The record as it was answered, with another birth date. */
const bornOn = (patient: fhir4.Patient, birthDate: string): fhir4.Patient => ({ ...patient, birthDate });

describe('GET /{type}/{id}', () => {
  it('answers with the record, its version and its time', async () => {
    const patient = await create(server, patientBody());

    const { status, headers, body } = await server.get(pathOf(patient));

    expect(status).toBe(200);
    expect(headers.etag).toBe('W/"1"');
    expect(headers['last-modified']).toBe(new Date(patient.meta?.lastUpdated ?? '').toUTCString());
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-type']).toMatch(/^application\/fhir\+json/);
    expect(body).toEqual(patient);
  });

  it.each([
    ['a read', (path: string) => path],
    ['a version', (path: string) => `${path}/_history/1`],
    ['a history', (path: string) => `${path}/_history`],
    ['a search', (path: string) => `Patient?_id=${path.split('/')[1]}`],
    ['a system search', (path: string) => `?_type=Patient&_id=${path.split('/')[1]}`],
    ['an operation', (path: string) => `${path}/$everything`],
    ['what is not there', () => 'Patient/nobody'],
    ['a path that means nothing', () => 'Patient/1/2/3'],
  ])('answers HEAD of %s as it does GET, whose body the gateway keeps back', async (_, pathFor) => {
    const path = pathFor(pathOf(await create(server, patientBody())));

    const [head, get] = [await server.request('HEAD', path), await server.get(path)];

    expect(head.status).toBe(get.status);
    expect(Object.keys(head.headers).sort()).toEqual(Object.keys(get.headers).sort());
    expect(head.headers.etag).toBe(get.headers.etag);
    expect(head.text.length).toBe(get.text.length);
  });

  it('answers 404 for ids that nobody ever had, forged ones included', async () => {
    const patient = await create(server, patientBody());
    const observation = await create(server, observationBody(referenceTo(patient)));
    const id = observation.id ?? '';
    const forged = Array.from(id.slice(-8), (letter, at) => {
      const place = id.length - 8 + at;
      return id.slice(0, place) + (letter === '0' ? '1' : '0') + id.slice(place + 1);
    });
    const otherChart = `${id.startsWith('0') ? '1' : '0'}${id.slice(1)}`;

    for (const unknown of [
      'nobody',
      ...forged,
      otherChart,
      `${patient.id}.`,
      `${patient.id}`,
      'a'.repeat(64),
      '%00',
      'é',
    ]) {
      expect((await server.get(`Observation/${unknown}`)).status, unknown).toBe(404);
    }
  });

  it("answers about another organisation's record as about nothing", async () => {
    const patient = await create(server, patientBody());
    const gone = await create(server, patientBody());
    await server.delete(pathOf(gone));

    for (const record of [patient, gone]) {
      for (const path of [pathOf(record), `${pathOf(record)}/_history/1`, `${pathOf(record)}/_history`]) {
        const theirs = await server.get(path, { as: elsewhere });
        const nothing = await server.get(path.replace(record.id ?? '', 'nobody'), { as: elsewhere });

        expect(theirs.status).toBe(404);
        expect(issuesOf(theirs.body)).toEqual(issuesOf(nothing.body));
        const { 'x-request-id': _theirs, ...told } = theirs.headers;
        const { 'x-request-id': _nothing, ...untold } = nothing.headers;
        expect(told).toEqual(untold);
      }
    }
  });
});

describe('GET /{type}/{id}/_history/{version}', () => {
  it('answers with each version as it was', async () => {
    const first = await create(server, patientBody());
    const second = (await server.put(pathOf(first), bornOn(first, '1981-01-01'))).body;

    expect((await server.get(`${pathOf(first)}/_history/1`)).body).toEqual(first);
    const { headers, body } = await server.get(`${pathOf(first)}/_history/2`);
    expect(body).toEqual(second);
    expect(headers.etag).toBe('W/"2"');
  });

  it('answers 410 for the version that deleted the record', async () => {
    const patient = await create(server, patientBody());
    await server.delete(pathOf(patient));

    expect((await server.get(`${pathOf(patient)}/_history/1`)).body).toEqual(patient);
    expect((await server.get(`${pathOf(patient)}/_history/2`)).status).toBe(410);
  });

  it.each(['0', '2', '-1', '01', 'x', '1e0', '99999999999999999999'])(
    'answers 404 for version %s of one',
    async (version) => {
      const patient = await create(server, patientBody());

      expect((await server.get(`${pathOf(patient)}/_history/${version}`)).status).toBe(404);
    },
  );
});

describe('PUT /{type}/{id}', () => {
  it('makes the next version, with and without If-Match', async () => {
    const patient = await create(server, patientBody());

    const second = await server.put(pathOf(patient), bornOn(patient, '1981-01-01'));
    const third = await server.put(pathOf(patient), bornOn(patient, '1982-01-01'), {
      headers: { 'if-match': 'W/"2"' },
    });

    expect(second.status).toBe(200);
    expect(second.headers).toMatchObject({ etag: 'W/"2"', location: `${base}/${pathOf(patient)}/_history/2` });
    expect(third.status).toBe(200);
    expect(third.body).toMatchObject({ birthDate: '1982-01-01', meta: { versionId: '3' } });
    expect((await server.get(pathOf(patient))).body).toEqual(third.body);
  });

  it('makes a version of an equal body too', async () => {
    const patient = await create(server, patientBody());

    expect((await server.put(pathOf(patient), patient)).headers.etag).toBe('W/"2"');
  });

  it('moves lastUpdated on, even when the clock goes back', async () => {
    const patient = await create(server, patientBody());
    server.setTime(Date.parse('2020-01-01'));

    const updated = await server.put(pathOf(patient), patient);
    server.setTime(undefined);

    expect(Date.parse(updated.body.meta?.lastUpdated ?? '')).toBeGreaterThan(
      Date.parse(patient.meta?.lastUpdated ?? ''),
    );
  });

  it('refuses with 412 when If-Match names another version, and changes nothing', async () => {
    const patient = await create(server, patientBody());
    await server.put(pathOf(patient), patient);

    for (const version of ['W/"1"', '"3"']) {
      const response = await server.put(pathOf(patient), bornOn(patient, '1981-01-01'), {
        headers: { 'if-match': version },
      });

      expect(response.status).toBe(412);
      expect(issuesOf(response.body)).toMatchObject([{ code: 'conflict', expression: 'If-Match' }]);
    }
    expect((await server.get(pathOf(patient))).body).toMatchObject({
      birthDate: patient.birthDate,
      meta: { versionId: '2' },
    });
  });

  it.each(['1', 'W/1', 'W/"one"', 'W/"1", W/"2"', 'W/"0"', ''])('refuses the If-Match %s with 400', async (value) => {
    const patient = await create(server, patientBody());

    const response = await server.put(pathOf(patient), patient, { headers: { 'if-match': value } });

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual(['If-Match']);
    expect((await server.get(pathOf(patient))).headers.etag).toBe('W/"1"');
  });

  it('refuses a body with another id, or without one', async () => {
    const patient = await create(server, patientBody());

    for (const body of [{ ...patient, id: 'other' }, patientBody()]) {
      const response = await server.put(pathOf(patient), body);

      expect(response.status).toBe(400);
      expect(expressionsIn(response.body)).toEqual(['Patient.id']);
    }
  });

  it('refuses to move a record to another patient with 422', async () => {
    const [own, other] = [await create(server, patientBody()), await create(server, patientBody())];
    const observation = await create(server, observationBody(referenceTo(own)));

    const moved = await server.put(pathOf(observation), { ...observation, subject: { reference: referenceTo(other) } });
    const taken = await server.put(pathOf(observation), { ...observation, subject: undefined });

    for (const response of [moved, taken]) {
      expect(response.status).toBe(422);
      expect(issuesOf(response.body)).toMatchObject([{ code: 'business-rule', reason: 'patient-changed' }]);
    }
    expect((await server.get(pathOf(observation))).body).toEqual(observation);
  });

  it("answers about another organisation's record as about nothing", async () => {
    const patient = await create(server, patientBody());
    const unknown = { ...patient, id: server.store.ids.newChart() }; // an id of ours that no record has

    const theirs = await server.put(pathOf(patient), patient, { as: elsewhere });
    const nothing = await server.put(`Patient/${unknown.id}`, unknown, { as: elsewhere });

    expect(theirs.status).toBe(404);
    expect(nothing.status).toBe(404);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(nothing.body));
    expect((await server.get(pathOf(patient))).headers.etag).toBe('W/"1"');
  });
});

describe('PUT under an id that the client chooses', () => {
  it('creates a Patient, an Observation and an Organization', async () => {
    const [patientId, observationId, organizationId] = [chosenId(), chosenId(), chosenId()];
    const patient = { ...patientBody(), id: patientId };
    const observation = { ...observationBody(`Patient/${patientId}`), id: observationId };
    const organization = { ...organizationBody(), id: organizationId };

    const responses = [
      await server.put(`Patient/${patientId}`, patient),
      await server.put(`Observation/${observationId}`, observation),
      await server.put(`Organization/${organizationId}`, organization, { as: admin }),
    ];

    for (const [index, sent] of [patient, observation, organization].entries()) {
      const response = responses[index];
      expect(response?.status).toBe(201);
      expect(response?.headers.location).toBe(`${base}/${sent.resourceType}/${sent.id}/_history/1`);
      expect((await server.get(`${sent.resourceType}/${sent.id}`)).body).toMatchObject({
        ...sent,
        meta: { versionId: '1' },
      });
    }
  });

  it('updates and deletes what was made so, like any other record', async () => {
    const id = chosenId();
    const patient = stored<fhir4.Patient>((await server.put(`Patient/${id}`, { ...patientBody(), id })).body);

    const updated = await server.put(`Patient/${id}`, bornOn(patient, '1981-01-01'), {
      headers: { 'if-match': 'W/"1"' },
    });
    const deleted = await server.delete(`Patient/${id}`);

    expect(updated.status).toBe(200);
    expect(deleted.status).toBe(204);
    expect((await server.get(`Patient/${id}`)).status).toBe(410);
    expect(entriesOf((await server.get(`Patient/${id}/_history`)).body)).toHaveLength(3);
  });

  it('tells patients of one id and observations of the same apart', async () => {
    const id = chosenId();
    await server.put(`Patient/${id}`, { ...patientBody(), id });

    expect((await server.put(`Observation/${id}`, { ...observationBody(`Patient/${id}`), id })).status).toBe(201);
    expect((await server.get(`Patient/${id}`)).body.resourceType).toBe('Patient');
    expect((await server.get(`Observation/${id}`)).body.resourceType).toBe('Observation');
  });

  it('answers 409 where another organisation has taken the id', async () => {
    const id = chosenId();
    await server.put(`Patient/${id}`, { ...patientBody(), id });

    const response = await server.put(`Patient/${id}`, { ...patientBody(), id }, { as: elsewhere });

    expect(response.status).toBe(409);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'id-taken' }]);
  });

  it('refuses If-Match where there is no version', async () => {
    const id = chosenId();

    const response = await server.put(`Patient/${id}`, { ...patientBody(), id }, { headers: { 'if-match': 'W/"1"' } });

    expect(response.status).toBe(412);
    expect((await server.get(`Patient/${id}`)).status).toBe(404);
  });

  it('refuses ids that FHIR does not allow', async () => {
    for (const id of ['a'.repeat(65), 'a_b']) {
      const response = await server.put(`Patient/${id}`, { ...patientBody(), id });

      expect(response.status).toBe(400);
      expect(expressionsIn(response.body)).toEqual(['Patient.id']);
    }
  });

  it('creates one record of 16 requests for the same new id at once', async () => {
    const id = chosenId();

    const responses = await atOnce(16, (n) =>
      server.put(`Patient/${id}`, { ...patientBody({ birthDate: `19${60 + n}` }), id }),
    );

    const made = responses.filter(({ status }) => status === 201);
    const accepted = responses.filter(({ status }) => status < 300);
    expect(made).toHaveLength(1);
    expect(responses.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
    expect((await server.get(`Patient/${id}`)).headers.etag).toBe(`W/"${accepted.length}"`);
  });
});

describe('DELETE /{type}/{id}', () => {
  it('makes the record answer 410 and keeps its history', async () => {
    const patient = await create(server, patientBody());

    const deleted = await server.delete(pathOf(patient));

    expect(deleted.status).toBe(204);
    expect(deleted.text).toBe('');
    const read = await server.get(pathOf(patient));
    expect(read.status).toBe(410);
    expect(read.headers.etag).toBe('W/"2"');
    expect(read.text).not.toContain('Sample');
    const history = (await server.get(`${pathOf(patient)}/_history`)).body;
    expect(entriesOf(history).map(({ request }) => request?.method)).toEqual(['DELETE', 'POST']);
  });

  it('changes nothing the second time', async () => {
    const patient = await create(server, patientBody());
    await server.delete(pathOf(patient));

    expect((await server.delete(pathOf(patient))).status).toBe(204);
    expect((await server.get(pathOf(patient))).headers.etag).toBe('W/"2"');
  });

  it('is undone by a PUT, which answers 201 and goes on with the versions', async () => {
    const patient = await create(server, patientBody());
    await server.delete(pathOf(patient));

    const revived = await server.put(pathOf(patient), patient);

    expect(revived.status).toBe(201);
    expect(revived.headers.etag).toBe('W/"3"');
    expect((await server.get(pathOf(patient))).body.meta?.versionId).toBe('3');
    expect(resourcesIn((await server.get(`${pathOf(patient)}/_history`)).body)).toHaveLength(3);
  });

  it('is refused while another record of the chart refers to the record', async () => {
    const patient = await create(server, patientBody());
    const encounter = await create(server, encounterBody(referenceTo(patient)));
    const observation = await create(
      server,
      observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } }),
    );

    for (const record of [patient, encounter]) {
      const refused = await server.delete(pathOf(record));

      expect(refused.status).toBe(409);
      expect(issuesOf(refused.body)).toMatchObject([{ code: 'conflict', reason: 'referenced' }]);
    }
    for (const record of [observation, encounter, patient]) {
      expect((await server.delete(pathOf(record))).status).toBe(204);
    }
  });

  it('minds If-Match', async () => {
    const patient = await create(server, patientBody());
    await server.put(pathOf(patient), patient);

    expect((await server.delete(pathOf(patient), { headers: { 'if-match': 'W/"1"' } })).status).toBe(412);
    expect((await server.delete(pathOf(patient), { headers: { 'if-match': 'W/"2"' } })).status).toBe(204);
  });

  it("answers 404 for what never was and for another organisation's", async () => {
    const patient = await create(server, patientBody());

    const nothing = await server.delete('Patient/nobody', { as: elsewhere });
    const theirs = await server.delete(pathOf(patient), { as: elsewhere });

    expect(nothing.status).toBe(404);
    expect(theirs.status).toBe(404);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(nothing.body));
    expect((await server.get(pathOf(patient))).status).toBe(200);
  });
});

describe('32 updates of one record at once', () => {
  const writers = 32;
  const day = (n: number) => `1990-01-${String(n + 1).padStart(2, '0')}`;
  // Days of January are not enough for 32 writers.
  const birthDate = (n: number) => (n < 31 ? day(n) : '1990-02-01');

  it.each([
    ['without If-Match', {}],
    ['with If-Match', { 'if-match': 'W/"1"' }],
  ])('%s: every acknowledged version is kept, and no other one', async (_how, headers) => {
    const patient = await create(server, patientBody());

    const responses = await atOnce(writers, (n) =>
      server.put(pathOf(patient), bornOn(patient, birthDate(n)), { headers: { ...headers } }),
    );

    expect(Object.keys(tally(responses)).every((status) => ['200', '409', '412'].includes(status))).toBe(true);
    const accepted = responses.filter(({ status }) => status === 200).map(({ body }) => body);
    expect(accepted.length).toBeGreaterThanOrEqual(1);
    const pages = await allPages(server, `${pathOf(patient)}/_history`);
    const versions = pages.flatMap(resourcesIn);
    expect(versions.map(({ meta }) => Number(meta?.versionId))).toEqual(
      Array.from({ length: accepted.length + 1 }, (_, n) => accepted.length + 1 - n),
    );
    const byVersion = (a: TestBody, b: TestBody) => Number(b.meta?.versionId) - Number(a.meta?.versionId);
    expect(versions).toEqual([...accepted.sort(byVersion), patient]);
  });

  it('lets exactly one writer replace a version that all of them name', async () => {
    const patient = await create(server, patientBody());

    const responses = await atOnce(writers, (n) =>
      server.put(pathOf(patient), bornOn(patient, birthDate(n)), { headers: { 'if-match': 'W/"1"' } }),
    );

    expect(tally(responses)).toEqual({ 200: 1, 412: writers - 1 });
  });

  it('loses no update of writers who read again after a refusal', async () => {
    const patient = await create(server, patientBody());

    await atOnce(16, async (n) => {
      for (let status = 412; status !== 200; ) {
        const { body, headers } = await server.get(pathOf(patient));
        const read = stored<fhir4.Patient>(body);
        const name = [...(read.name ?? []), { text: `writer ${n}` }];
        const response = await server.put(
          pathOf(patient),
          { ...read, name },
          { headers: { 'if-match': headers.etag ?? '' } },
        );
        status = response.status;
        expect([200, 412]).toContain(status);
      }
    });

    const { body, headers } = await server.get(pathOf(patient));
    const written = [...(body.name ?? [])].flatMap(({ text }) => (text ? [text] : []));
    expect(written.sort()).toEqual(Array.from({ length: 16 }, (_, n) => `writer ${n}`).sort());
    expect(headers.etag).toBe('W/"17"');
  });
});
