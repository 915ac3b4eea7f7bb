import { beforeAll, describe, expect, it } from 'vitest';
import { base, type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  atOnce,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
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

describe('POST /{type}', () => {
  it('answers 201 with the address, the version and the resource', async () => {
    const { status, headers, body } = await server.post('Patient', patientBody());

    expect(status).toBe(201);
    expect(headers.location).toBe(`${base}/Patient/${body.id}/_history/1`);
    expect(headers.etag).toBe('W/"1"');
    expect(headers['last-modified']).toBe(new Date(body.meta?.lastUpdated ?? '').toUTCString());
    expect(body).toMatchObject({ ...patientBody(), meta: { versionId: '1' } });
  });

  it('keeps every element that it was sent', async () => {
    const sent = patientBody({
      meta: { profile: ['http://concord.test/profile'], tag: [{ code: 'one' }] },
      extension: [{ url: 'http://concord.test/extension', valueBoolean: false }],
      _birthDate: { extension: [{ url: 'http://concord.test/time', valueTime: '10:00:00' }] },
    });

    const { id } = await create(server, sent);

    const { body } = await server.get(`Patient/${id}`);
    const { versionId: _version, lastUpdated: _updated, ...meta } = stored<fhir4.Patient>(body).meta;
    expect({ ...stored(body), meta }).toEqual({ ...sent, id });
  });

  it('answers without a body when the client prefers a minimal return', async () => {
    const { status, headers, text } = await server.post('Patient', patientBody(), {
      headers: { prefer: 'return=minimal' },
    });

    expect(status).toBe(201);
    expect(headers.location).toMatch(/\/Patient\/[^/]+\/_history\/1$/);
    expect(text).toBe('');
  });

  it('answers with an outcome when the client prefers that', async () => {
    const headers = { prefer: 'return=OperationOutcome' };

    const { status, body } = await server.post('Patient', patientBody(), { headers });

    expect(status).toBe(201);
    expect(body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] });
  });

  it('chooses the id itself, whatever the body says', async () => {
    const { body } = await server.post('Patient', patientBody({ id: 'mine' }));

    expect(body.id).not.toBe('mine');
    expect((await server.get('Patient/mine')).status).toBe(404);
  });

  it('shows neither clinical date nor time of creation in an id', async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const ids: string[] = [];
    for (let year = 2001; year <= 2012; year++) {
      const { id } = await create(server, observationBody(subject, { effectiveDateTime: `${year}-01-01` }));
      ids.push(id ?? '');
    }

    // Ids that grew with either would come out in this order.
    expect([...ids].sort()).not.toEqual(ids);
    expect([...ids].sort().reverse()).not.toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
  });

  it('keeps the spelling of decimals, in every later answer too', async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const text = JSON.stringify(observationBody(subject)).replace('"value":72', '"value":1.50');

    const created = await server.post('Observation', text);
    const again = JSON.stringify({ ...stored(created.body), valueQuantity: 'here' }).replace(
      '"here"',
      '{"value":0.100}',
    );
    const updated = await server.put(pathOf(created.body), again);

    expect(created.text).toContain('"value":1.50,');
    expect(updated.text).toContain('"value":0.100}');
    expect((await server.get(pathOf(created.body))).text).toContain('"value":0.100}');
    expect((await server.get(`${pathOf(created.body)}/_history/1`)).text).toContain('"value":1.50,');
  });

  it('keeps decimals with more digits than a double has', async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const text = JSON.stringify(observationBody(subject)).replace('"value":72', '"value":0.12345678901234567890');

    const created = await server.post('Observation', text);

    expect((await server.get(pathOf(created.body))).text).toContain('"value":0.12345678901234567890,');
  });
});

describe('a create that breaks the rules of its type', () => {
  const cases: [what: string, body: object, expression: string][] = [
    ['an element that FHIR does not know', { ...patientBody(), colour: 'green' }, 'Patient.colour'],
    ['a code outside a required binding', patientBody({ gender: 'none' as 'other' }), 'Patient.gender'],
    ['a day that no calendar has', patientBody({ birthDate: '2023-02-30' }), 'Patient.birthDate'],
    ['an element of the wrong shape', { ...patientBody(), name: { family: 'One' } }, 'Patient.name'],
    ['an empty list', { ...patientBody(), telecom: [] }, 'Patient.telecom'],
    [
      'a contact without any way to reach it (pat-1)',
      patientBody({ contact: [{ gender: 'male' }] }),
      'Patient.contact[0]',
    ],
    [
      'two of a choice',
      { ...patientBody(), deceasedBoolean: true, deceasedDateTime: '2024-01-01' },
      'Patient.deceased',
    ],
  ];
  it.each(cases)('refuses %s and names the element', async (_what, body, expression) => {
    const response = await server.post('Patient', body);

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body).some((named) => named?.startsWith(expression))).toBe(true);
  });

  it('refuses a value beside the reason for its absence (obs-6)', async () => {
    const subject = referenceTo(await create(server, patientBody()));

    const response = await server.post(
      'Observation',
      observationBody(subject, { dataAbsentReason: { text: 'unknown' } }),
    );

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual(['Observation']);
    expect(response.text).toContain('obs-6');
  });

  it('names every broken rule at once', async () => {
    const response = await server.post('Patient', { ...patientBody({ birthDate: 'soon' }), colour: 'green' });

    expect(expressionsIn(response.body).sort()).toEqual(['Patient.birthDate', 'Patient.colour']);
  });
});

describe('references of a new record', () => {
  it('refuses one that leads to nothing, and names its element', async () => {
    const response = await server.post('Observation', observationBody('Patient/nobody'));

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([
      { code: 'not-found', reason: 'reference-not-found', expression: 'Observation.subject.reference' },
    ]);
  });

  it("answers about another organisation's record as about nothing", async () => {
    const theirs = await create(server, patientBody(), elsewhere);

    const toTheirs = await server.post('Observation', observationBody(referenceTo(theirs)));
    const toNothing = await server.post('Observation', observationBody('Patient/nobody'));

    expect(toTheirs.status).toBe(toNothing.status);
    expect(issuesOf(toTheirs.body)).toEqual(issuesOf(toNothing.body));
    expect(Object.keys(toTheirs.headers)).toEqual(Object.keys(toNothing.headers));
  });

  it("refuses another organisation's record beside the subject too", async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const theirPatient = referenceTo(await create(server, patientBody(), elsewhere));
    const theirs = await create(server, encounterBody(theirPatient), elsewhere);

    const response = await server.post(
      'Observation',
      observationBody(subject, { encounter: { reference: referenceTo(theirs) } }),
    );

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual(['Observation.encounter.reference']);
  });

  it('refuses one to a deleted record', async () => {
    const patient = await create(server, patientBody());
    await server.delete(pathOf(patient));

    const response = await server.post('Observation', observationBody(referenceTo(patient)));

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual(['Observation.subject.reference']);
  });

  it('keeps one to another server as it is', async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const reference = 'https://elsewhere.example/fhir/Practitioner/7';

    const { id } = await create(server, observationBody(subject, { performer: [{ reference }] }));

    expect((await server.get(`Observation/${id}`)).body.performer?.[0]?.reference).toBe(reference);
  });

  it('takes an absolute one inside its own base for a relative one', async () => {
    const patient = await create(server, patientBody());

    const found = await server.post('Observation', observationBody(`${base}/${referenceTo(patient)}`));
    const missing = await server.post('Observation', observationBody(`${base}/Patient/nobody`));

    expect(found.status).toBe(201);
    expect(missing.status).toBe(400);
  });

  it('accepts one to a contained resource, and refuses one to a contained resource that is not there', async () => {
    const subject = referenceTo(await create(server, patientBody()));
    const contained: fhir4.Practitioner[] = [{ resourceType: 'Practitioner', id: 'x', active: true }];
    const performer = [{ reference: '#x' }];

    const inside = await server.post('Observation', observationBody(subject, { contained, performer }));
    const missing = await server.post('Observation', observationBody(subject, { performer }));

    expect(inside.status).toBe(201);
    expect(missing.status).toBe(400);
    expect(expressionsIn(missing.body)[0]).toContain('Observation.performer[0]');
  });

  it('refuses one to a type that the element does not take', async () => {
    const response = await server.post('Observation', observationBody('Practitioner/somebody'));

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)[0]).toMatch(/^Observation\.subject/);
  });

  it('refuses urn:uuid and conditional ones outside a bundle', async () => {
    for (const reference of [
      'urn:uuid:3f5a4bb0-0ad4-4f2e-8d07-000000000001',
      `Patient?identifier=${identifierSystem}|1`,
    ]) {
      const response = await server.post('Observation', observationBody(reference));

      expect(response.status).toBe(400);
      expect(expressionsIn(response.body)[0]).toMatch(/^Observation\.subject/);
    }
  });
});

describe('conditional create', () => {
  const unlessThere = (value: string) => ({ 'if-none-exist': `identifier=${identifierSystem}|${value}` });
  const createUnlessThere = (value: string) =>
    server.post('Patient', numberedPatient(value), { headers: unlessThere(value) });

  it('creates what is not there, and answers with what is', async () => {
    const first = await createUnlessThere('one');
    const second = await createUnlessThere('one');

    expect(first.status).toBe(201);
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(second.headers.location).toBe(first.headers.location);
  });

  it.each([
    ['birthdate=2020-13', 'birthdate: A date is'],
    ['nothing=1', 'nothing: Patient has no such search parameter'],
    ['identifier:nothing=1', 'identifier:nothing: This modifier does not apply'],
    ['', 'A condition names at least one search parameter'],
  ])('refuses the condition "%s", and names the header and in it the parameter', async (condition, words) => {
    const alone = await server.post('Patient', patientBody(), { headers: { 'if-none-exist': condition } });
    const entry = [{ resource: patientBody(), request: { method: 'POST', url: 'Patient', ifNoneExist: condition } }];
    const within = await server.post('', { resourceType: 'Bundle', type: 'transaction', entry });

    expect([alone.status, within.status]).toEqual([400, 400]);
    expect(issuesOf(alone.body)).toMatchObject([{ expression: 'If-None-Exist', text: expect.stringContaining(words) }]);
    expect(expressionsIn(within.body)).toEqual(['Bundle.entry[0].request.ifNoneExist']);
  });

  it('finds what a plain create made', async () => {
    const plain = await create(server, numberedPatient('plain'));

    const conditional = await createUnlessThere('plain');

    expect(conditional.status).toBe(200);
    expect(conditional.body.id).toBe(plain.id);
  });

  it('leaves a trace of the match that it shows', async () => {
    const { id } = await create(server, numberedPatient('traced'));
    await createUnlessThere('traced');

    const { body } = await server.get(`AuditEvent?patient=${id}`, { as: { role: 'privacy' } });
    const searches = resourcesIn(body).filter((event) => {
      const text = JSON.stringify(event);
      return text.includes('"code":"search-type"') && text.includes('physician@northside.example');
    });
    expect(searches).toHaveLength(1);
    expect(JSON.stringify(searches)).toContain(`Patient/${id}`);
  });

  it('refuses with 412 where several match, and creates nothing', async () => {
    await create(server, numberedPatient('twice'));
    await create(server, numberedPatient('twice'));

    const response = await createUnlessThere('twice');

    expect(response.status).toBe(412);
    expect(issuesOf(response.body)).toMatchObject([{ code: 'multiple-matches', expression: 'If-None-Exist' }]);
    expect(await count(`identifier=${identifierSystem}|twice`)).toBe(2);
  });

  it("does not see another organisation's records", async () => {
    const theirs = await create(server, numberedPatient('shared'), elsewhere);

    const ours = await createUnlessThere('shared');

    expect(ours.status).toBe(201);
    expect(ours.body.id).not.toBe(theirs.id);
  });

  it('creates anew after the match was deleted', async () => {
    const first = await createUnlessThere('again');
    await server.delete(pathOf(first.body));

    const second = await createUnlessThere('again');

    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it('creates anew after the match has lost its identifier', async () => {
    const first = await createUnlessThere('moved');
    await server.put(pathOf(first.body), { ...numberedPatient('moved elsewhere'), id: first.body.id });

    expect((await createUnlessThere('moved')).status).toBe(201);
    expect((await createUnlessThere('moved elsewhere')).status).toBe(200);
  });

  it('makes one record of 24 requests at once', async () => {
    const responses = await atOnce(24, () => createUnlessThere('race'));

    expect(tally(responses)).toEqual({ 200: 23, 201: 1 });
    expect(new Set(responses.map(({ body }) => body.id)).size).toBe(1);
    expect(await count(`identifier=${identifierSystem}|race`)).toBe(1);
  });

  it('makes one record of 24 requests at once where the condition names no identifier', async () => {
    const headers = { 'if-none-exist': 'family=Racer&birthdate=1977-07-07' };
    const body = patientBody({ name: [{ family: 'Racer' }], birthDate: '1977-07-07' });

    const responses = await atOnce(24, () => server.post('Patient', body, { headers }));

    expect(tally(responses)).toEqual({ 200: 23, 201: 1 });
    expect(await count('family=Racer')).toBe(1);
  });

  it.each(['', 'colour=green', '_count=1', 'birthdate=soon'])(
    'refuses the condition "%s" and creates nothing',
    async (condition) => {
      const family = `Refused ${condition}`;

      const response = await server.post('Patient', patientBody({ name: [{ family }] }), {
        headers: { 'if-none-exist': condition },
      });

      expect(response.status).toBe(400);
      expect(await count(`family=${encodeURIComponent(family)}`)).toBe(0);
    },
  );

  const count = async (query: string): Promise<number> => entriesOf((await server.get(`Patient?${query}`)).body).length;
});
