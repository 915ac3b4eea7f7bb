import { beforeAll, describe, expect, it } from 'vitest';
import {
  batchOf,
  deleteEntry,
  getEntry,
  postEntry,
  putEntry,
  statusesOf,
  transactionOf,
  urn,
  writtenIn,
} from '../support/bundles.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
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
  type Stored,
  system,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let observation: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, numberedPatient('asked for'));
  const { body } = await server.put(pathOf(patient), { ...patient, birthDate: '1981-01-01' });
  patient = body as unknown as Stored<fhir4.Patient>;
  observation = await create(server, observationBody(referenceTo(patient)));
});

const entry = (
  method: string,
  url: string,
  resource?: object,
  request: Partial<fhir4.BundleEntryRequest> = {},
): fhir4.BundleEntry => ({
  ...(resource ? { resource: resource as fhir4.FhirResource } : {}),
  request: { method: method as fhir4.BundleEntryRequest['method'], url, ...request },
});

const parametersOf = (...parameter: fhir4.ParametersParameter[]): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter,
});

const form = (text: string): fhir4.Binary => ({
  resourceType: 'Binary',
  contentType: 'application/x-www-form-urlencoded',
  data: Buffer.from(text).toString('base64'),
});

const outcomeOf = (answered: TestBody | undefined): TestBody => answered?.response?.outcome as TestBody;

const tag = { system: 'http://concord.test/tags', code: 'seen' };

const bundles = [
  ['batch', batchOf],
  ['transaction', transactionOf],
] as const;

describe.each(bundles)('a %s', (_type, bundleOf) => {
  const carriedOut = async (asked: fhir4.BundleEntry): Promise<TestBody> => {
    const { status, body } = await server.post('', bundleOf(asked));
    expect(status, JSON.stringify(body)).toBe(200);
    const [answer] = entriesOf(body);
    if (!answer) throw new Error('There is no answer');
    return answer;
  };

  it.each<[what: string, method: string, url: () => string, type: string, resource?: () => object]>([
    ['read', 'GET', () => pathOf(patient), 'Patient'],
    ['read by the address of this server', 'GET', () => `${base}/${pathOf(patient)}`, 'Patient'],
    ['read of an address with percent escapes', 'GET', () => `/Patient/${patient.id.replace('.', '%2E')}`, 'Patient'],
    ['vread', 'GET', () => `${pathOf(patient)}/_history/1`, 'Patient'],
    ['history', 'GET', () => `${pathOf(patient)}/_history?_count=1`, 'Bundle'],
    ['search of a type', 'GET', () => `Observation?patient=${patient.id}`, 'Bundle'],
    ['search in a compartment', 'GET', () => `${pathOf(patient)}/Observation?code=8867-4`, 'Bundle'],
    ['search in a whole compartment', 'GET', () => `${pathOf(patient)}/*`, 'Bundle'],
    ['search across types', 'GET', () => `?_type=Observation&patient=${patient.id}`, 'Bundle'],
    ['search across types by the base', 'GET', () => `${base}?_type=Observation&patient=${patient.id}`, 'Bundle'],
    ['search by POST, in the url', 'POST', () => `Observation/_search?patient=${patient.id}`, 'Bundle'],
    [
      'search by POST, in a form',
      'POST',
      () => 'Observation/_search',
      'Bundle',
      () => form(`patient=${patient.id}&code=8867-4`),
    ],
    [
      'search across types by POST',
      'POST',
      () => '_search',
      'Bundle',
      () => form(`_type=Observation&patient=${patient.id}`),
    ],
    ['capabilities', 'GET', () => 'metadata', 'CapabilityStatement'],
    ['capabilities of terminology', 'GET', () => 'metadata?mode=terminology', 'TerminologyCapabilities'],
    ['operation by GET', 'GET', () => `${pathOf(patient)}/$everything`, 'Bundle'],
    ['operation by POST', 'POST', () => `${pathOf(patient)}/$everything`, 'Bundle', () => parametersOf()],
    [
      'operation by POST of a resource',
      'POST',
      () => 'Patient/$match',
      'Bundle',
      () => parametersOf({ name: 'resource', resource: numberedPatient('asked for') }),
    ],
    ['operation on labels', 'POST', () => `${pathOf(patient)}/$meta`, 'Parameters', () => parametersOf()],
    [
      'operation on terms',
      'GET',
      () => 'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-status',
      'ValueSet',
    ],
    [
      'operation on terms by POST',
      'POST',
      () => 'ValueSet/$validate-code',
      'Parameters',
      () =>
        parametersOf(
          { name: 'url', valueUri: 'http://hl7.org/fhir/ValueSet/observation-status' },
          { name: 'code', valueCode: 'final' },
          { name: 'system', valueUri: 'http://hl7.org/fhir/observation-status' },
        ),
    ],
  ])('carries out %s', async (_what, method, url, type, resource) => {
    const answer = await carriedOut(entry(method, url(), resource?.()));

    expect(answer.response?.status).toBe('200 OK');
    expect(answer.resource?.resourceType).toBe(type);
    if (type === 'Bundle') expect(entriesOf(answer.resource as TestBody)).not.toEqual([]);
  });

  it.each(['Patient/_history?_count=1', '_history?_count=1'])('carries out the history %s', async (url) => {
    const answer = await carriedOut(getEntry(url));

    expect(answer).toMatchObject({ resource: { type: 'history' }, response: { status: '200 OK' } });
  });

  it('answers a read as it is answered alone', async () => {
    const alone = await server.get(pathOf(patient));

    const answer = await carriedOut(getEntry(pathOf(patient)));

    expect(answer.resource).toEqual(alone.body);
    expect(answer.response).toEqual({
      status: '200 OK',
      etag: alone.headers.etag,
      lastModified: alone.body.meta?.lastUpdated,
    });
  });

  it('answers HEAD with what tells the version, and without the record', async () => {
    const answer = await carriedOut(entry('HEAD', pathOf(patient)));

    expect(answer).toEqual({
      response: { status: '200 OK', etag: 'W/"2"', lastModified: expect.stringMatching(/^\d{4}-/) },
    });
  });

  it.each([
    ['ifNoneMatch', () => ({ ifNoneMatch: 'W/"2"' })],
    ['ifModifiedSince', () => ({ ifModifiedSince: new Date(Date.now() + 60_000).toISOString() })],
  ])('answers 304 to a read with %s of a version that is known', async (_element, condition) => {
    const answer = await carriedOut(entry('GET', pathOf(patient), undefined, condition()));

    expect(answer.response?.status).toBe('304 Not Modified');
    expect(answer).not.toHaveProperty('resource');
  });

  it('tells of an operation that writes what it has come to', async () => {
    const labelled = await create(server, patientBody());

    const answer = await carriedOut(
      entry('POST', `${pathOf(labelled)}/$meta-add`, parametersOf({ name: 'meta', valueMeta: { tag: [tag] } })),
    );

    expect(answer.resource).toMatchObject({ parameter: [{ name: 'return', valueMeta: { tag: [tag] } }] });
    expect(answer.response?.etag).toBe('W/"2"');
    expect((await server.get(pathOf(labelled))).body.meta).toMatchObject({ versionId: '2', tag: [tag] });
  });

  it.each<[what: string, status: number, expression: string, bad: unknown]>([
    ['an entry that is no object', 400, '', 'Patient/1'],
    ['an entry that is a list', 400, '', [getEntry('Patient/1')]],
    ['no request', 400, '.request', { resource: patientBody() }],
    ['an unknown method', 400, '.request.method', entry('TRACE', 'Patient/1')],
    ['a method in small letters', 400, '.request.method', entry('get', 'Patient/1')],
    ['a url of another server', 400, '.request.url', getEntry('https://elsewhere.test/fhir/Patient/1')],
    ['a url without its scheme', 400, '.request.url', getEntry('//elsewhere.test/fhir/Patient/1')],
    ['a url that only begins like this server', 400, '.request.url', getEntry(`${base}er/Patient/1`)],
    ['a url with a broken escape', 400, '.request.url', getEntry('Patient/%zz')],
    ['a url of a megabyte', 400, '.request.url', getEntry(`Patient/${'a'.repeat(1_000_000)}`)],
    ['an unknown type', 400, '.request.url', getEntry('Patients/1')],
    ['__proto__ for a type', 400, '.request.url', getEntry('__proto__/1')],
    ['a path that nothing is under', 404, '.request.url', getEntry('Patient/1/$nothing')],
    ['no url', 400, '.request.url', entry('POST', '', { resourceType: 'Bundle', type: 'batch' })],
    ['a bundle', 400, '', entry('POST', base, { resourceType: 'Bundle', type: 'batch' })],
    ['a method that the base does not take', 405, '.request.url', entry('DELETE', '_search')],
    [
      'a form of more parameters than a call has arguments',
      400,
      '.request.url',
      entry('POST', 'Patient/_search', {
        resourceType: 'Binary',
        contentType: 'application/x-www-form-urlencoded',
        data: Buffer.from('a&'.repeat(600_000)).toString('base64'),
      }),
    ],
    ['a form of another type', 400, '.resource', entry('POST', 'Patient/_search', patientBody())],
    ['an unknown element', 400, '.requests', { ...getEntry('Patient/1'), requests: [] }],
    [
      'an unknown element of the request',
      400,
      '.request.body',
      entry('GET', 'Patient/1', undefined, { body: 1 } as object),
    ],
    ['a response', 400, '.response', { ...getEntry('Patient/1'), response: { status: '200' } }],
    ['a search', 400, '.search', { ...getEntry('Patient/1'), search: { mode: 'match' } }],
    ['a fullUrl of a version', 400, '.fullUrl', { ...getEntry('metadata'), fullUrl: `${base}/Patient/1/_history/1` }],
    ['a fullUrl that is no URI', 400, '.fullUrl', { ...getEntry('metadata'), fullUrl: 'not one' }],
    [
      'an ifModifiedSince that is no time',
      400,
      '.request.ifModifiedSince',
      entry('GET', 'Patient/1', undefined, { ifModifiedSince: 'soon' }),
    ],
    [
      'an ifMatch that is no version',
      400,
      '.request.ifMatch',
      entry('PUT', 'Patient/1', patientBody(), { ifMatch: 'three' }),
    ],
    ['too many parameters', 400, '.request.url', getEntry(`Patient?${'name=a&'.repeat(201)}`)],
  ])('refuses %s, and names it', async (_what, status, expression, bad) => {
    const { status: whole, body } = await server.post('', bundleOf(getEntry('metadata'), bad as fhir4.BundleEntry));

    const outcome = bundleOf === batchOf ? outcomeOf(entriesOf(body)[1]) : body;
    expect(bundleOf === batchOf ? statusesOf(body) : [String(whole)]).toEqual(
      bundleOf === batchOf ? ['200', String(status)] : [String(status)],
    );
    expect(issuesOf(outcome)[0]?.expression).toBe(`Bundle.entry[1]${expression}`);
    expect(issuesOf(outcome)[0]?.text).toMatch(/^Entry 1: /);
    expect(JSON.stringify(outcome).length).toBeLessThan(2_000);
  });

  it('refuses the second of two entries with one fullUrl, naming both', async () => {
    const fullUrl = urn();
    const { status, body } = await server.post(
      '',
      bundleOf(postEntry(patientBody(), fullUrl), postEntry(patientBody(), fullUrl)),
    );

    const outcome = bundleOf === batchOf ? outcomeOf(entriesOf(body)[1]) : body;
    if (bundleOf === batchOf) expect(statusesOf(body)).toEqual(['201', '400']);
    else expect(status).toBe(400);
    expect(expressionsIn(outcome)).toEqual(['Bundle.entry[1].fullUrl']);
    expect(issuesOf(outcome)[0]?.text).toContain('Entries 0 and 1 have the same fullUrl');
  });
});

describe('the order in which a batch is carried out', () => {
  it('is that of a transaction: deletions, creates, changes, then what reads', async () => {
    const [gone, changed] = [await create(server, numberedPatient('order')), await create(server, patientBody())];
    const unlessThere = { ifNoneExist: `identifier=${identifierSystem}|order` };

    const { body } = await server.post(
      '',
      batchOf(
        getEntry(pathOf(changed)),
        putEntry({ ...changed, birthDate: '1999-09-09' }),
        postEntry(numberedPatient('order'), urn(), unlessThere),
        deleteEntry(pathOf(gone)),
      ),
    );

    expect(statusesOf(body)).toEqual(['200', '200', '201', '204']);
    expect(entriesOf(body)[0]?.resource?.birthDate).toBe('1999-09-09');
  });

  it('lets entries that change one record take turns', async () => {
    const record = await create(server, patientBody());
    const births = Array.from({ length: 9 }, (_, n) => `199${n}-01-01`);

    const { body } = await server.post('', batchOf(...births.map((birthDate) => putEntry({ ...record, birthDate }))));

    expect(statusesOf(body)).toEqual(births.map(() => '200'));
    expect((await server.get(pathOf(record))).body).toMatchObject({
      birthDate: births.at(-1),
      meta: { versionId: '10' },
    });
  });
});

describe('an entry of a transaction that asks', () => {
  const number = 'beside what asks';
  const written = async () =>
    resourcesIn((await server.get(`Patient?identifier=${identifierSystem}|${encodeURIComponent(number)}`)).body);

  it.each<[what: string, status: number, asking: () => fhir4.BundleEntry]>([
    ['a read of what is not there', 404, () => getEntry('Patient/nobody')],
    ['a search that is not understood', 400, () => getEntry('Observation?date=soon')],
    ['an operation that is refused', 404, () => entry('POST', 'Patient/nobody/$everything', parametersOf())],
    ['a version of what is not there', 404, () => getEntry(`${pathOf(patient)}/_history/77`)],
  ])('stands against all of it with %s, and nothing is written', async (_what, status, asking) => {
    const response = await server.post('', transactionOf(postEntry(numberedPatient(number)), asking()));

    expect(response.status, response.text).toBe(status);
    expect(expressionsIn(response.body)[0]).toMatch(/^Bundle\.entry\[1\]/);
    expect(await written()).toEqual([]);
  });

  it('is no operation that writes by itself: nothing could take it back', async () => {
    const task = await create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: referenceTo(patient) },
    });
    const claim = { request: { method: 'POST', url: `${pathOf(task)}/$claim` } } as fhir4.BundleEntry;
    const refused = await server.post('', transactionOf(claim, postEntry(observationBody(referenceTo(patient)))));
    const alone = await server.post('', batchOf(claim));

    expect(refused.status).toBe(400);
    expect(issuesOf(refused.body)).toMatchObject([{ reason: 'not-in-bundle' }]);
    expect(expressionsIn(refused.body)).toEqual(['Bundle.entry[0].request.url']);
    expect(statusesOf(alone.body)).toEqual(['200']);
  });

  it('stands against it where another entry deletes what it reads', async () => {
    const gone = await create(server, patientBody());

    const { status, body } = await server.post('', transactionOf(getEntry(pathOf(gone)), deleteEntry(pathOf(gone))));

    expect(status).toBe(410);
    expect(issuesOf(body)[0]?.text).toContain('Entry 1 deletes what entry 0 reads');
    expect((await server.get(pathOf(gone))).status).toBe(200);
  });

  it.each<[what: string, status: number, scope: string, path: string]>([
    ['a version that is not to be', 404, 'user/Patient.crus', '/_history/7'],
    ['no right to read', 403, 'user/Patient.cu', ''],
    ['no right to read versions', 403, 'user/Patient.cu', '/_history/1'],
    ['no right to read the history', 403, 'user/Patient.cu', '/_history'],
  ])('stands against it with %s of what another entry writes', async (_what, status, scope, path) => {
    const record = await create(server, patientBody());

    const response = await server.post(
      '',
      transactionOf(putEntry({ ...record, birthDate: '1999-09-09' }), getEntry(`${pathOf(record)}${path}`)),
      { as: { role: 'physician', scope } },
    );

    expect(response.status, response.text).toBe(status);
    expect(expressionsIn(response.body)[0]).toMatch(/^Bundle\.entry\[1\]/);
    expect((await server.get(pathOf(record))).headers.etag).toBe('W/"1"');
  });

  it('reads the version before the one that is written, and that one too', async () => {
    const record = await create(server, patientBody());
    const id = 'own-name-and-version';

    const { status, body } = await server.post(
      '',
      transactionOf(
        putEntry({ ...record, birthDate: '1999-09-09' }),
        getEntry(`${pathOf(record)}/_history/1`),
        getEntry(`${pathOf(record)}/_history/2`),
        putEntry({ ...patientBody(), id }),
        getEntry(`Patient/${id}/_history/1`),
      ),
      { as: system },
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect(statusesOf(body)).toEqual(['200', '200', '200', '201', '200']);
    expect(
      entriesOf(body).flatMap(({ resource }) => (resource ? [[resource.meta?.versionId, resource.birthDate]] : [])),
    ).toEqual([
      ['1', record.birthDate],
      ['2', '1999-09-09'],
      ['1', patientBody().birthDate],
    ]);
  });

  it('sees what the transaction has written, where it reads or searches', async () => {
    const changed = await create(server, patientBody());
    const born = 'read-in-its-own-transaction';

    const { status, body } = await server.post(
      '',
      transactionOf(
        getEntry(`Patient/${born}`),
        getEntry(`Observation?patient=${born}`),
        getEntry(`${pathOf(changed)}/_history/2`),
        putEntry({ ...patientBody(), id: born }),
        postEntry(observationBody(`Patient/${born}`)),
        putEntry({ ...changed, birthDate: '1999-09-09' }),
        postEntry(encounterBody(referenceTo(changed))),
        getEntry(`Encounter?patient=${changed.id}`),
      ),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    const answers = entriesOf(body);
    expect(answers[0]?.resource?.id).toBe(born);
    expect(resourcesIn(answers[1]?.resource as TestBody).map(referenceTo)).toEqual([writtenIn(body)[4]]);
    expect(answers[2]?.resource?.birthDate).toBe('1999-09-09');
    expect(resourcesIn(answers[7]?.resource as TestBody).map(referenceTo)).toEqual([writtenIn(body)[6]]);
  });

  it('is asked again where the transaction is sent again under its key', async () => {
    const bundle = transactionOf(
      postEntry(patientBody()),
      getEntry(pathOf(observation)),
      entry('POST', `${pathOf(patient)}/$meta`, parametersOf()),
    );
    const headers = { 'idempotency-key': 'asked again' };

    const [first, again] = [await server.post('', bundle, { headers }), await server.post('', bundle, { headers })];

    expect(first.status, first.text).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(statusesOf(again.body)).toEqual(['201', '200', '200']);
  });
});

describe('an operation of a transaction that writes', () => {
  const label = (record: Stored<fhir4.Patient>, request: Partial<fhir4.BundleEntryRequest> = {}) =>
    entry('POST', `${pathOf(record)}/$meta-add`, parametersOf({ name: 'meta', valueMeta: { tag: [tag] } }), request);

  it('is written with the rest, or not at all', async () => {
    const record = await create(server, patientBody());

    const refused = await server.post('', transactionOf(label(record), postEntry(observationBody('Patient/nobody'))));
    const before = await server.get(pathOf(record));
    const carriedOut = await server.post(
      '',
      transactionOf(label(record), postEntry(observationBody(referenceTo(record)))),
    );

    expect(refused.status).toBe(400);
    expect(before.headers.etag).toBe('W/"1"');
    expect(statusesOf(carriedOut.body)).toEqual(['200', '201']);
    expect((await server.get(pathOf(record))).body.meta).toMatchObject({ versionId: '2', tag: [tag] });
  });

  it('is refused beside another entry that writes the same record, naming both', async () => {
    const record = await create(server, patientBody());

    const { status, body } = await server.post('', transactionOf(putEntry(record), label(record)));

    expect(status).toBe(400);
    expect(issuesOf(body)[0]?.text).toContain('Entries 0 and 1 write the same record');
  });

  it('keeps to its ifMatch', async () => {
    const record = await create(server, patientBody());

    const { status, body } = await server.post('', transactionOf(label(record, { ifMatch: 'W/"7"' })));

    expect(status).toBe(412);
    expect(expressionsIn(body)).toEqual(['Bundle.entry[0].request.ifMatch']);
  });
});

describe('what the entries of a bundle read together', () => {
  const [walks, cheap] = [40, 300];
  const reading = ['GetItem', 'BatchGetItem', 'Query'];

  it.each(bundles)(
    'is bounded: a %s of many searches that walk through charts ends them, and no others',
    async (_type, bundleOf) => {
      const world = await fhirServer();
      for (let n = 0; n < 2; n++)
        await world.post('', transactionOf(...Array.from({ length: 40 }, () => postEntry(patientBody()))));
      const one = await create(world, patientBody());
      const walk = getEntry('Observation?status=final&_count=1');
      const { body: alone } = await world.get(walk.request?.url ?? '');
      world.calls.reset();

      const { status, body } = await world.post('', bundleOf(...Array.from({ length: walks }, () => walk)));

      const reads = world.calls.names.filter((name) => reading.includes(name)).length;
      // What is at work already goes on: eight or sixteen searches of 60 calls.
      expect(reads).toBeLessThan(1_100 + 4 * walks + 16 * 70);
      const refused = { reason: 'bundle-too-costly', code: 'too-costly' };
      if (bundleOf === batchOf) {
        const statuses = statusesOf(body);
        expect(statuses.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => '200'));
        expect(statuses.at(-1)).toBe('400');
        expect(issuesOf(outcomeOf(entriesOf(body).at(-1)))).toMatchObject([refused]);
        expect(entriesOf(body)[0]?.resource?.type).toBe(alone.type);
      } else {
        expect(status).toBe(400);
        expect(issuesOf(body)).toMatchObject([refused]);
        expect(expressionsIn(body)[0]).toMatch(/^Bundle\.entry\[\d+\]/);
      }
      const plain = await world.post('', bundleOf(...Array.from({ length: cheap }, () => getEntry(pathOf(one)))));
      expect(new Set(statusesOf(plain.body))).toEqual(new Set(['200']));
    },
  );

  it('is bounded for what reads nothing: a batch that asks for nothing but the capability statement', async () => {
    const asked = 200;

    const { body } = await server.post('', batchOf(...Array.from({ length: asked }, () => entry('HEAD', 'metadata'))));

    const statuses = statusesOf(body);
    expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => '200'));
    expect(issuesOf(outcomeOf(entriesOf(body).at(-1)))).toMatchObject([{ reason: 'bundle-too-costly' }]);
  });
});

describe('when a record was written', () => {
  const time = Date.parse('2026-03-01T10:00:00.789Z');

  it.each(bundles)(
    'is told to the millisecond in a %s, as in the record, and again when it is sent again',
    async (_type, bundleOf) => {
      const world = await fhirServer();
      world.setTime(time);
      const headers = { 'idempotency-key': 'to the millisecond', prefer: 'return=representation' };
      const bundle = bundleOf(postEntry(patientBody()));

      const first = await world.post('', bundle, { headers });
      world.setTime(time + 60_000);
      const again = await world.post('', bundle, { headers });
      const [written] = entriesOf(first.body);
      const read = await world.post('', bundleOf(getEntry(writtenIn(first.body)[0] ?? '')));

      expect(written?.response?.lastModified).toBe('2026-03-01T10:00:00.789Z');
      expect(written?.resource?.meta?.lastUpdated).toBe('2026-03-01T10:00:00.789Z');
      expect(entriesOf(again.body)[0]?.response?.lastModified).toBe('2026-03-01T10:00:00.789Z');
      expect(entriesOf(read.body)[0]?.response?.lastModified).toBe('2026-03-01T10:00:00.789Z');
    },
  );
});

describe('what the entries of a bundle answer together', () => {
  const asked = 60;
  let world: FhirServer;
  let image: Stored<fhir4.Binary>;
  beforeAll(async () => {
    world = await fhirServer();
    const data = Buffer.alloc(2_400_000, 7).toString('base64');
    image = await create(world, { resourceType: 'Binary', contentType: 'image/png', data }, system);
  });
  const reads = () => Array.from({ length: asked }, () => getEntry(pathOf(image)));
  const readings = () => world.calls.names.filter((name) => name === 'GetItem').length;

  it('is bounded: a batch reads no more once it does not fit, and tells so of each entry', async () => {
    world.calls.reset();

    const { body } = await world.post('', batchOf(...reads()), { as: system });

    const answered = entriesOf(body).filter(({ resource }) => resource !== undefined);
    expect(answered).toHaveLength(1);
    const refused = entriesOf(body).filter(({ response }) => response?.status !== '200 OK');
    expect(refused).toHaveLength(asked - 1);
    for (const each of refused) expect(issuesOf(outcomeOf(each))).toMatchObject([{ reason: 'answer-too-large' }]);
    // What is at work already goes on.
    expect(readings()).toBeLessThan(asked / 2);
  });

  it('is bounded: a batch goes on with what writes, and tells where it is', async () => {
    const { body } = await world.post('', batchOf(...reads(), postEntry(patientBody())), { as: system });

    expect(statusesOf(body).at(-1)).toBe('201');
  });

  it('is bounded: a transaction that asks for more is refused before it writes', async () => {
    const record = await create(world, patientBody());
    world.calls.reset();

    const { status, body } = await world.post('', transactionOf(putEntry(record), ...reads()), { as: system });

    expect(status).toBe(413);
    expect(issuesOf(body)).toMatchObject([{ reason: 'answer-too-large' }]);
    expect(readings()).toBeLessThan(asked / 2);
    expect((await world.get(pathOf(record))).headers.etag).toBe('W/"1"');
  });
});

describe('entries of a batch that have the same condition', () => {
  const many = 16;

  it('take turns as those do that name one record: none stands in the way of another', async () => {
    await create(server, numberedPatient('in-turn'));
    const url = `Patient?identifier=${identifierSystem}|in-turn`;
    const changes = Array.from({ length: many }, (_, n) =>
      entry('PUT', url, numberedPatient('in-turn', { birthDate: `${1960 + n}-01-01` })),
    );

    const { body } = await server.post('', batchOf(...changes));

    expect(statusesOf(body)).toEqual(Array.from({ length: many }, () => '200'));
  });

  it('take turns where nothing meets it yet: one creates the record, the others find it', async () => {
    const ifNoneExist = `identifier=${identifierSystem}|once`;
    const creates = Array.from({ length: many }, () => postEntry(numberedPatient('once'), urn(), { ifNoneExist }));

    const { body } = await server.post('', batchOf(...creates));

    expect(statusesOf(body)).toEqual(['201', ...Array.from({ length: many - 1 }, () => '200')]);
    expect(new Set(writtenIn(body)).size).toBe(1);
  });
});
