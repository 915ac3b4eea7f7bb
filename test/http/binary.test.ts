import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, getEntry, postEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { followedServer } from '../support/feed.ts';
import { base, type FhirServer, fhirServer, physician, type TestRequest } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  expressionsIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// https://hl7.org/fhir/R4/binary.html

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
});

const fhir = { accept: 'application/fhir+json' };
const nurse: TestCaller = { role: 'nurse' };
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(2_000), Buffer.from([0, 255, 10, 13])]);

const send = (method: 'POST' | 'PUT', path: string, body: Buffer | string, type: string, options: TestRequest = {}) =>
  server.request(method, path, { ...options, body, headers: { 'content-type': type, ...options.headers } });

/** Sends content, and gives the path at which it is. */
const upload = async (body: Buffer | string, type: string, options: TestRequest = {}): Promise<string> => {
  const answer = await send('POST', 'Binary', body, type, options);
  expect(answer.status, answer.text).toBe(201);
  return pathOf(answer.body);
};

describe('content that is sent as it is', () => {
  it('becomes a Binary, and comes back as it was sent', async () => {
    const created = await send('POST', 'Binary', pdf, 'application/pdf');
    const path = pathOf(created.body);

    const raw = await server.get(path);
    const resource = await server.get(path, { headers: fhir });

    expect(created.status).toBe(201);
    expect(created.headers.location).toContain(`${path}/_history/1`);
    expect(raw.bytes).toEqual(pdf);
    expect(raw.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': 'attachment',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      etag: 'W/"1"',
    });
    expect(resource.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
    expect(resource.body).toEqual(created.body);
    expect(resource.body).toMatchObject({ contentType: 'application/pdf', data: pdf.toString('base64') });
  });

  it.each<[type: string, body: Buffer | string, stored: string]>([
    ['text/plain; charset=iso-8859-1', Buffer.from('Zo\u00eb', 'latin1'), 'text/plain; charset=iso-8859-1'],
    ['text/html ;charset=utf-8', '<script>alert(1)</script>', 'text/html; charset=utf-8'],
    ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
    ['application/fhir+xml', '<Patient xmlns="http://hl7.org/fhir"/>', 'application/fhir+xml'],
    ['application/x-www-form-urlencoded', 'a=b&c=d', 'application/x-www-form-urlencoded'],
    ['application/json', '{"resourceType":"Patient"', 'application/json'],
    ['application/json', '[1.50, null]', 'application/json'],
    ['application/hl7-v2+er7', 'MSH|^~\\&|', 'application/hl7-v2+er7'],
    ['', 'x', 'application/octet-stream'],
  ])('may be of type "%s"', async (type, body, stored) => {
    const path = await upload(body, type);

    const raw = await server.get(path, { headers: { accept: '*/*' } });

    expect(raw.headers['content-type']).toBe(stored);
    expect(raw.bytes).toEqual(Buffer.from(body));
  });

  it('may be replaced, under an id of the client’s too, and its versions stay', async () => {
    const made = await send('PUT', 'Binary/picture', pdf, 'application/pdf');
    const replaced = await send('PUT', 'Binary/picture', 'text', 'text/plain', { headers: { 'if-match': 'W/"1"' } });
    const late = await send('PUT', 'Binary/picture', 'late', 'text/plain', { headers: { 'if-match': 'W/"1"' } });

    expect([made.status, replaced.status, late.status]).toEqual([201, 200, 412]);
    expect((await server.get('Binary/picture')).text).toBe('text');
    const first = await server.get('Binary/picture/_history/1', { headers: { accept: 'application/pdf' } });
    expect([first.headers['content-type'], first.headers.etag, first.bytes]).toEqual(['application/pdf', 'W/"1"', pdf]);
    const history = (await server.get('Binary/picture/_history')).body;
    expect(resourcesIn(history).map(({ contentType }) => contentType)).toEqual(['text/plain', 'application/pdf']);
  });

  it('may come in gzip, and text goes out in gzip', async () => {
    const text = 'a line of a letter\n'.repeat(500);
    const path = await upload(gzipSync(text), 'text/plain', { headers: { 'content-encoding': 'gzip' } });
    const image = await upload(Buffer.alloc(5_000), 'image/png');
    const headers = { 'accept-encoding': 'gzip' };

    const [answer, picture] = [await server.get(path, { headers }), await server.get(image, { headers })];

    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(answer.bytes).toString()).toBe(text);
    expect(picture.headers['content-encoding']).toBeUndefined();
    expect(picture.bytes).toEqual(Buffer.alloc(5_000));
  });

  it('may have 4 MB, as it is and in base 64', async () => {
    const body = randomBytes(4_000_000);
    const path = await upload(body, 'application/dicom');
    const more = await send('POST', 'Binary', randomBytes(4_000_001), 'application/dicom');
    const inflated = await send('POST', 'Binary', gzipSync(Buffer.alloc(6_000_000)), 'application/dicom', {
      headers: { 'content-encoding': 'gzip' },
    });

    const [raw, resource] = [await server.get(path), await server.get(path, { headers: fhir })];

    expect(raw.bytes.equals(body)).toBe(true);
    expect(Buffer.from(String(resource.body.data), 'base64').equals(body)).toBe(true);
    expect([more.status, inflated.status]).toEqual([413, 413]);
  });

  it('is refused where there is none, and where its type is no type', async () => {
    const none = await server.request('POST', 'Binary', { headers: { 'content-type': 'image/png' } });
    const odd = await send('POST', 'Binary', 'x', 'nonsense');

    expect([none.status, odd.status]).toEqual([400, 400]);
    expect(expressionsIn(odd.body)).toEqual(['Binary.contentType']);
  });
});

describe('a Binary that is sent as FHIR', () => {
  const resource = { resourceType: 'Binary' as const, contentType: 'text/plain', data: 'aGVsbG8=' };

  it.each(['application/fhir+json', 'application/json; charset=utf-8'])('may be called %s', async (type) => {
    expect((await server.get(await upload(JSON.stringify(resource), type))).text).toBe('hello');
  });

  it('is the only resource that FHIR’s type may bring here', async () => {
    const other = await send('POST', 'Binary', JSON.stringify(patientBody()), 'application/fhir+json');
    const broken = await send('POST', 'Binary', '{', 'application/fhir+json');

    expect([other.status, broken.status]).toEqual([400, 400]);
  });

  it('is JSON in bundles, in searches and to operations', async () => {
    const path = await upload(JSON.stringify(resource), 'application/fhir+json');
    const id = path.split('/')[1];

    const batch = await server.post('', batchOf(getEntry(path), getEntry(`${path}/_history/1`)));
    const made = await server.post('', transactionOf(postEntry(resource as fhir4.Binary)));
    const found = await server.get(`Binary?_id=${id}`);

    expect(statusesOf(batch.body)).toEqual(['200', '200']);
    expect(resourcesIn(batch.body).map(({ data }) => data)).toEqual(['aGVsbG8=', 'aGVsbG8=']);
    expect(made.status).toBe(200);
    expect(resourcesIn(found.body).map(({ data }) => data)).toEqual(['aGVsbG8=']);
    expect((await server.get(`${path}/$meta`)).body.resourceType).toBe('Parameters');
  });
});

describe('the form in which a Binary is read', () => {
  let path: string;
  let fhirInside: string;
  beforeAll(async () => {
    path = await upload('{"a":1}', 'application/json');
    fhirInside = pathOf(
      await create(server, {
        resourceType: 'Binary',
        contentType: 'application/fhir+json',
        data: Buffer.from('{"resourceType":"Patient"}').toString('base64'),
      }),
    );
  });

  it.each<[accept: string | undefined, query: string, raw: boolean]>([
    [undefined, '', true],
    ['*/*', '', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', '', true],
    ['image/avif,image/webp,*/*;q=0.8', '', true],
    ['application/pdf', '', true],
    ['application/fhir+json', '', false],
    ['application/fhir+json, */*;q=0.1', '', false],
    ['application/json', '', false],
    ['application/pdf;q=0.5, application/fhir+json', '', false],
    ['application/pdf, application/fhir+json;q=0.5', '', true],
    [undefined, '?_format=json', false],
    ['application/pdf', '?_format=application/fhir+json', false],
  ])('for %s%s is content: %s', async (accept, query, raw) => {
    const document = await upload(pdf, 'application/pdf');
    const headers: Record<string, string> = accept === undefined ? {} : { accept };

    const answer = await server.get(`${document}${query}`, { headers });

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']?.startsWith('application/pdf')).toBe(raw);
    expect(answer.headers.vary).toContain('Accept');
    const head = await server.request('HEAD', `${document}${query}`, { headers });
    expect([head.headers['content-type'], head.bytes.length]).toEqual([
      answer.headers['content-type'],
      answer.bytes.length,
    ]);
  });

  it('is content for whoever asks for its type, also where that is JSON, but not where that is FHIR’s', async () => {
    expect((await server.get(path, { headers: { accept: 'application/json' } })).text).toBe('{"a":1}');
    expect((await server.get(path, { headers: fhir })).body.resourceType).toBe('Binary');
    expect((await server.get(fhirInside)).body.resourceType).toBe('Patient');
    expect((await server.get(fhirInside, { headers: fhir })).body.resourceType).toBe('Binary');
  });

  it('is refused with 406 where neither is wanted, and 404 comes before that', async () => {
    const refused = await server.get(path, { headers: { accept: 'image/png' } });
    const missing = await server.get('Binary/nothing', { headers: { accept: 'image/png' } });
    const xml = await server.get(path, { headers: { accept: 'application/fhir+xml' } });
    const version = await server.get(path, { headers: { accept: 'application/fhir+json; fhirVersion=5.0' } });

    expect([refused, missing, xml, version].map(({ status }) => status)).toEqual([406, 404, 406, 406]);
    expect(expressionsIn(refused.body)).toEqual(['Accept']);
  });

  it('is nothing where the client has it', async () => {
    const { status, text } = await server.get(path, { headers: { 'if-none-match': 'W/"1"' } });

    expect([status, text]).toEqual([304, '']);
  });

  it('is harmless where the type of its content could end a header', async () => {
    const odd = await create(server, {
      resourceType: 'Binary',
      contentType: 'text/html;\nset-cookie:x=y',
      data: 'PGI+',
    });

    expect((await server.get(pathOf(odd))).headers['content-type']).toBe('application/octet-stream');
  });
});

describe('a security context', () => {
  const under = (reference: string) => ({ headers: { 'x-security-context': reference } });
  const coverageOf = (subject: Stored<fhir4.Patient>): fhir4.Coverage => ({
    resourceType: 'Coverage',
    status: 'active',
    beneficiary: { reference: referenceTo(subject) },
    payor: [{ reference: referenceTo(subject) }],
  });
  const statusFor = async (path: string, as: TestCaller) =>
    Promise.all(
      [path, `${path}/_history/1`, `${path}/_history`].map(async (each) => (await server.get(each, { as })).status),
    );

  it('comes in a header, goes out in one, and outlasts content that is sent without it', async () => {
    const path = await upload(pdf, 'application/pdf', under(referenceTo(patient)));
    const other = referenceTo(await create(server, patientBody()));

    await send('PUT', path, 'second', 'text/plain');
    const second = await server.get(path);
    await send('PUT', path, 'third', 'text/plain', under(other));
    const third = await server.get(path, { headers: fhir });

    expect([second.text, second.headers['x-security-context']]).toEqual(['second', referenceTo(patient)]);
    expect(third.body.securityContext).toEqual({ reference: other });
  });

  it('outlasts content that replaces it by a condition, or after its deletion', async () => {
    const coverage = referenceTo(await create(server, coverageOf(patient), { role: 'frontdesk' }));
    const path = await upload('about money', 'text/plain', under(coverage));
    const contextNow = async () => (await server.get(path, { headers: fhir })).body.securityContext;

    const byCondition = await send('PUT', `Binary?_id=${path.split('/')[1]}`, 'more', 'text/plain');
    const second = await contextNow();
    await server.delete(path);
    const again = await send('PUT', path, 'again', 'text/plain');

    expect([byCondition.status, second]).toEqual([200, { reference: coverage }]);
    expect([again.status, await contextNow()]).toEqual([201, { reference: coverage }]);
    expect(await statusFor(path, nurse)).toEqual([404, 404, 404]);
  });

  it('keeps who may not see the content from writing over it once it is deleted', async () => {
    const coverage = referenceTo(await create(server, coverageOf(patient), { role: 'frontdesk' }));
    const path = await upload('about money', 'text/plain', under(coverage));
    await server.delete(path);
    const own: fhir4.Binary = { resourceType: 'Binary', id: path.split('/')[1] ?? '', contentType: 'text/plain' };

    const answers = [
      await send('PUT', path, 'mine', 'text/plain', { as: nurse }),
      await server.put(path, own, { as: nurse }),
      await server.post('', batchOf({ resource: own, request: { method: 'PUT', url: path } }), { as: nurse }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 200]);
    expect(answers.flatMap(({ body }) => statusesOf(body))).toEqual(['404']);
  });

  it('has to be a record that its sender may refer to', async () => {
    const foreign = referenceTo(await create(server, patientBody(), elsewhere));

    for (const reference of [foreign, 'Patient/nobody', 'nonsense']) {
      const answer = await send('POST', 'Binary', 'x', 'text/plain', under(reference));
      expect(answer.status, reference).toBe(400);
      expect(expressionsIn(answer.body)).toEqual([expect.stringMatching(/^Binary\.securityContext/)]);
    }
  });

  it('on another server brings nobody into a patient’s chart, nor its log', async () => {
    const own = await create(server, patientBody());
    const reference = `https://evil.example/fhir/${referenceTo(own)}`;

    const made = await send('POST', 'Binary', 'evil', 'text/plain', { ...under(reference), as: elsewhere });

    expect([made.status, expressionsIn(made.body)]).toEqual([400, ['Binary.securityContext.reference']]);
    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: { role: 'privacy' } });
    expect(JSON.stringify(body)).not.toContain('lakeside');
  });

  it('that is no record of this server, or a Binary, protects nothing, so it is refused at every door', async () => {
    const coverage = referenceTo(await create(server, coverageOf(patient), { role: 'frontdesk' }));
    const path = await upload('about money', 'text/plain', under(coverage));
    const letter: fhir4.Binary = { resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' };
    const kept = await create(server, letter);
    const odd: fhir4.Reference[] = [
      { identifier: { system: 'urn:x:y', value: '1' }, type: 'Coverage' },
      { display: 'the one who pays' },
      { reference: `https://concord.test/fhir/${coverage}#x` },
      { reference: `https://other.example/${coverage}?x` },
      { reference: `https://other.example/fhir/${coverage}` },
      { reference: path },
    ];

    for (const securityContext of odd) {
      const sent: fhir4.Binary = { ...letter, securityContext };
      const patch = [{ op: 'add', path: '/securityContext', value: securityContext }];
      const answers = [
        await server.post('Binary', sent),
        await server.put(pathOf(kept), { ...sent, id: kept.id }),
        await server.put(`Binary?_id=${kept.id}`, sent),
        await server.request('PATCH', pathOf(kept), {
          body: patch,
          headers: { 'content-type': 'application/json-patch+json' },
        }),
        await server.post('', transactionOf(postEntry(sent))),
      ];
      const validated = await server.post('Binary/$validate', sent);
      expect(
        answers.map(({ status }) => status),
        JSON.stringify(securityContext),
      ).toEqual([400, 400, 400, 400, 400]);
      for (const { body } of [...answers, validated])
        expect(expressionsIn(body)).toContainEqual(
          expect.stringMatching(/(?:^Binary|resource)\.securityContext\.reference$/),
        );
    }
    expect((await server.get(pathOf(kept), { headers: fhir })).body.meta?.versionId).toBe('1');
  });

  it('that is not this server’s when it is read leaves the content to systems alone', async () => {
    const own = await create(server, patientBody());
    const path = await upload('a letter', 'text/plain', under(`${base}/${referenceTo(own)}`));
    const renamed = { headers: { host: 'other.example' } };

    const readers: TestCaller[] = [physician, { role: 'patient', patient: own.id }, system];
    const read = async (options: TestRequest) =>
      Promise.all(readers.map(async (as) => (await server.get(path, { ...options, as })).status));

    expect(await read({})).toEqual([200, 200, 200]);
    expect(await read(renamed)).toEqual([404, 404, 200]);
  });

  it('hides the content from who may not see it, at every door', async () => {
    const coverage = await create(server, coverageOf(patient), { role: 'frontdesk' });
    const hidden = await upload('about money', 'text/plain', under(referenceTo(coverage)));
    const shown = await upload('about health', 'text/plain', under(referenceTo(patient)));

    expect(await statusFor(hidden, physician)).toEqual([200, 200, 200]);
    expect(await statusFor(shown, nurse)).toEqual([200, 200, 200]);
    expect(await statusFor(hidden, nurse)).toEqual([404, 404, 404]);
    const id = hidden.split('/')[1];
    expect(resourcesIn((await server.get(`Binary?_id=${id}`, { as: nurse })).body)).toEqual([]);
    expect(statusesOf((await server.post('', batchOf(getEntry(hidden)), { as: nurse })).body)).toEqual(['404']);
    const written = [
      await send('PUT', hidden, 'x', 'text/plain', { as: nurse }),
      await server.delete(hidden, { as: nurse }),
      await server.get(`${hidden}/$meta`, { as: nurse }),
    ];
    expect(written.map(({ status }) => status)).toEqual([404, 404, 404]);
    // after its deletion too
    expect((await server.delete(hidden)).status).toBe(204);
    expect(await statusFor(hidden, nurse)).toEqual([404, 404, 404]);
    expect(await statusFor(hidden, physician)).toEqual([410, 200, 200]);
  });

  it('that a Binary is given later decides about its earlier versions, too', async () => {
    const coverage = await create(server, coverageOf(patient), { role: 'frontdesk' });
    const path = await upload('about money', 'text/plain');
    const before = await server.get(`${path}/_history/1`, { as: nurse });
    await send('PUT', path, 'about money', 'text/plain', under(referenceTo(coverage)));

    expect(before.text).toBe('about money');
    expect(await statusFor(path, nurse)).toEqual([404, 404, 404]);
    expect(await statusFor(path, physician)).toEqual([200, 200, 200]);
  });

  it('decides about all versions in the history of the type', async () => {
    const followed = await followedServer();
    const subject = await create(followed, patientBody());
    const coverage = await create(followed, coverageOf(subject), { role: 'frontdesk' });
    const letter: fhir4.Binary = { resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' };
    const binary = await create(followed, letter);
    const securityContext = { reference: referenceTo(coverage) };
    await followed.put(pathOf(binary), { ...binary, securityContext });
    await followed.file();

    const [hidden, shown] = [
      await followed.get('Binary/_history', { as: nurse }),
      await followed.get('Binary/_history', { as: physician }),
    ];

    expect([hidden.status, resourcesIn(shown.body).length]).toEqual([200, 2]);
    expect(hidden.text).not.toContain('aGVsbG8=');
    // after its deletion too
    await followed.delete(pathOf(binary));
    await followed.file();
    expect((await followed.get('Binary/_history', { as: nurse })).text).not.toContain(binary.id);
    const told = await followed.get(`AuditEvent?patient=${subject.id}`, { as: { role: 'privacy' } });
    expect(told.text).toContain(`${pathOf(binary)}/_history/1`);
  });

  it.each([
    ['of the patient', async (own: Stored<fhir4.Patient>) => referenceTo(own)],
    [
      'of a record of the patient',
      async (own: Stored<fhir4.Patient>) => referenceTo(await create(server, observationBody(referenceTo(own)))),
    ],
  ])('%s lets the patient see the content, and nobody else’s', async (_, contextOf) => {
    const own = await create(server, patientBody());
    const path = await upload('a letter to me', 'text/plain', under(await contextOf(own)));
    const free = await upload('nobody’s', 'text/plain');
    const as: TestCaller = { role: 'patient', patient: own.id };

    expect(await statusFor(path, as)).toEqual([200, 200, 200]);
    expect(await statusFor(path, { role: 'patient', patient: patient.id })).toEqual([404, 404, 404]);
    expect(await statusFor(free, as)).toEqual([404, 404, 404]);
  });

  it('of a patient whose id a client chose lets that patient see the content', async () => {
    await server.put('Patient/chosen-for-binary', { ...patientBody(), id: 'chosen-for-binary' });
    const path = await upload('a letter', 'text/plain', under('Patient/chosen-for-binary'));

    expect(await statusFor(path, { role: 'patient', patient: 'chosen-for-binary' })).toEqual([200, 200, 200]);
  });

  it('lets the log of its chart tell of each read, and of each that was refused', async () => {
    const own = await create(server, patientBody());
    const path = await upload('a letter', 'text/plain', under(referenceTo(own)));

    await server.get(path);
    await server.get(`${path}/_history/1`, { headers: fhir });
    await server.get(path, { as: elsewhere });

    expect(await toldOf(own, path)).toEqual(['create 0', 'read 0', 'read 4', 'vread 0']);
  });

  it('lets the log of its chart tell of each write, and of each search that found it', async () => {
    const own = await create(server, patientBody());
    const observation = await create(server, observationBody(referenceTo(own)));
    const path = await upload('a letter', 'text/plain', under(referenceTo(observation)));

    await send('PUT', path, 'another', 'text/plain');
    await server.get(`Binary?_id=${path.split('/')[1]}`);
    await server.delete(path);

    expect(await toldOf(own, path)).toEqual(['create 0', 'delete 0', 'search-type 0', 'update 0']);
  });

  it.each(['Patient', 'Observation'])(
    'lets the log of its chart tell of each write and search also under the id of a %s that a client chose',
    async (type) => {
      const id = `chosen-for-the-log-${type}`;
      const own =
        type === 'Patient'
          ? ((await server.put(`Patient/${id}`, { ...patientBody(), id })).body as unknown as Stored<fhir4.Patient>)
          : await create(server, patientBody());
      if (type !== 'Patient') await server.put(`Observation/${id}`, { ...observationBody(referenceTo(own)), id });
      const path = await upload('a letter', 'text/plain', under(`${type}/${id}`));

      await send('PUT', path, 'another', 'text/plain');
      await server.get(`Binary?_id=${path.split('/')[1]}`);
      await server.delete(path);

      expect(await toldOf(own, path)).toEqual(['create 0', 'delete 0', 'search-type 0', 'update 0']);
    },
  );

  it.each<[door: string, operation: string, ask: (path: string) => Promise<unknown>]>([
    ['its history', 'history-instance', (path) => server.get(`${path}/_history`)],
    ['its history in a batch', 'history-instance', (path) => server.post('', batchOf(getEntry(`${path}/_history`)))],
    ['its labels', 'operation', (path) => server.get(`${path}/$meta`)],
    ['its labels in a version', 'operation', (path) => server.get(`${path}/_history/1/$meta`)],
    ['what it is validated as', 'operation', (path) => server.get(`${path}/$validate`)],
  ])('lets the log of its chart tell of who saw %s', async (_, operation, ask) => {
    const own = await create(server, patientBody());
    const path = await upload('a letter', 'text/plain', under(referenceTo(own)));

    await ask(path);

    expect(await toldOf(own, path)).toEqual(['create 0', `${operation} 0`]);
  });

  it('lets the log of its chart tell of who was refused its history, its labels and a change', async () => {
    const own = await create(server, patientBody());
    const path = await upload('a letter', 'text/plain', under(referenceTo(own)));
    const patch = { body: [{ op: 'test', path: '/contentType', value: 'a/b' }], as: elsewhere };

    await server.get(`${path}/_history`, { as: elsewhere });
    await server.get(`${path}/$meta`, { as: elsewhere });
    await server.request('PATCH', path, { ...patch, headers: { 'content-type': 'application/json-patch+json' } });

    expect(await toldOf(own, path)).toEqual(['create 0', 'history-instance 4', 'operation 4', 'read 4']);
  });

  it('that a Binary is given later hides what its versions are labelled with, also once it is deleted', async () => {
    const coverage = referenceTo(await create(server, coverageOf(patient), { role: 'frontdesk' }));
    const path = await upload('about money', 'text/plain');
    await send('PUT', path, 'about money', 'text/plain', under(coverage));
    const patch = { body: [], as: nurse, headers: { 'content-type': 'application/json-patch+json' } };
    const askAll = async (as: TestCaller) => [
      (await server.get(`${path}/_history/1/$meta`, { as })).status,
      (await server.get(`${path}/$meta`, { as })).status,
      (await server.get(`${path}/$validate`, { as })).status,
      (await server.get(`${path}/_history?_count=1`, { as })).status,
      (await server.request('PATCH', path, { ...patch, as })).status,
    ];

    expect(await askAll(nurse)).toEqual([404, 404, 404, 404, 404]);
    expect((await server.delete(path)).status).toBe(204);
    expect(await askAll(nurse)).toEqual([404, 404, 404, 404, 404]);
    expect(await askAll(physician)).toEqual([200, 410, 410, 200, 410]);
  });

  /** What the log of a patient tells of a Binary: interactions, with their outcomes. */
  const toldOf = async (own: Stored<fhir4.Patient>, path: string): Promise<string[]> => {
    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: { role: 'privacy' } });
    return (resourcesIn(body) as unknown as fhir4.AuditEvent[])
      .filter(({ entity }) => entity?.some(({ what }) => what?.reference?.startsWith(path)))
      .map(({ subtype, outcome }) => `${subtype?.[0]?.code} ${outcome}`)
      .sort();
  };
});
