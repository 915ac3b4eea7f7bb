import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sweepUploads } from '../../shared/store/sweep-uploads.ts';
import { batchOf, getEntry } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import {
  announce,
  begin,
  begunOf,
  clean,
  complete,
  parametersOf,
  put,
  sha256,
  uploaded,
  values,
} from '../support/uploads.ts';

// docs/attachments.md: content goes to the object store directly, and becomes a Binary once it is there and clean.

const nurse: TestCaller = { role: 'nurse' };
const privacy: TestCaller = { role: 'privacy' };
const fhir = { accept: 'application/fhir+json' };
const uploadedUrl = 'https://concord.example/fhir/StructureDefinition/uploaded-content';
const infected = { GuardDutyMalwareScanStatus: 'THREATS_FOUND' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer(undefined, { uploads: { largestMegabytes: 6, scanner: 'guardduty' } });
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const codeOf = ({ body }: TestResponse) => String(body.issue?.[0]?.details?.coding?.[0]?.code);
const under = (record: Stored<fhir4.Resource>) => ({ securityContext: { reference: referenceTo(record) } });

describe('content that is uploaded', () => {
  it('may be larger than a request, and is had from the object store byte by byte', async () => {
    const content = randomBytes(5_000_000);
    const path = await uploaded(server, content, under(patient));

    const [raw, resource, told] = [
      await server.get(path),
      await server.get(path, { headers: fhir }),
      await server.get(`${path}/$download`),
    ];

    expect(raw.status).toBe(303);
    expect([raw.text, raw.headers['etag'], raw.headers['x-security-context']]).toEqual(['', 'W/"1"', undefined]);
    expect(resource.body).toMatchObject({
      contentType: 'application/pdf',
      securityContext: { reference: referenceTo(patient) },
      meta: {
        extension: [
          {
            url: uploadedUrl,
            extension: expect.arrayContaining([
              { url: 'size', valuePositiveInt: 5_000_000 },
              { url: 'hash', valueString: `sha256:${sha256(content)}` },
            ]),
          },
        ],
      },
    });
    expect(resource.body.data).toBeUndefined();
    const { url = '', ...rest } = values(told);
    expect(rest).toMatchObject({
      needsToken: 'false',
      contentType: 'application/pdf',
      size: '5000000',
      hash: `sha256:${sha256(content)}`,
    });
    for (const address of [raw.headers['location'] ?? '', url]) {
      const answer = await fetch(address);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/pdf',
        'content-disposition': 'attachment',
        'cache-control': 'no-store',
      });
      expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
    }
  });

  it('is a Binary only once it has come and was scanned', async () => {
    const content = randomBytes(1_000);
    const begun = await begin(server, content);

    const early = await complete(server, begun);
    await put(begun, content);
    const unscanned = await complete(server, begun);
    const before = await server.get(begun.binary);
    await server.bucket.tag(begun.key, clean);
    const done = await complete(server, begun);

    expect([early.status, codeOf(early)]).toEqual([409, 'upload-missing']);
    expect([unscanned.status, codeOf(unscanned), unscanned.headers['retry-after']]).toEqual([
      409,
      'not-scanned-yet',
      '5',
    ]);
    expect(before.status).toBe(404);
    expect([done.status, pathOf(done.body)]).toEqual([201, begun.binary]);
  });

  it('takes no call to DynamoDB to announce, three to complete, and to download what a read takes', async () => {
    const content = randomBytes(100);
    server.calls.reset();
    const begun = await begin(server, content, under(patient));
    const announced = [...server.calls.names];
    await put(begun, content);
    await server.bucket.tag(begun.key, clean);

    server.calls.reset();
    await complete(server, begun);
    const completed = [...server.calls.names];
    server.calls.reset();
    await server.get(begun.binary, { headers: fhir });
    const read = [...server.calls.names];
    server.calls.reset();
    await server.get(`${begun.binary}/$download`);

    expect(announced).toEqual([]);
    expect(completed).toEqual(['GetItem', 'PutItem', 'TransactWriteItems']);
    expect([...server.calls.names].toSorted()).toEqual(read.toSorted());
  });

  it('is completed once, however often that is asked for, and by its sender alone', async () => {
    const content = randomBytes(1_000);
    const begun = await begin(server, content);
    await put(begun, content);
    await server.bucket.tag(begun.key, clean);

    const other = await complete(server, begun, nurse);
    server.setTime(Date.now() + 25 * 60 * 60_000);
    const late = await complete(server, begun);
    server.setTime(undefined);
    const answers = await Promise.all([complete(server, begun), complete(server, begun), complete(server, begun)]);
    const again = await complete(server, begun);

    for (const refused of [other, late]) expect([refused.status, codeOf(refused)]).toEqual([400, 'upload-unknown']);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 201]);
    expect(new Set([...answers, again].map(({ body }) => pathOf(body))).size).toBe(1);
    const [made] = answers;
    const { url = '' } = values(await server.get(`${pathOf(made?.body ?? { resourceType: 'Binary' })}/$download`));
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(content)).toBe(true);
    // What the slower ones had copied is removed; what the Binary names stays.
    const before = (await server.bucket.keys()).length;
    const removed = await sweepUploads(server.store, Number.POSITIVE_INFINITY);
    expect((await server.bucket.keys()).length).toBe(before - removed);
    expect((await fetch(url)).status).toBe(200);
  });

  it('leaves nothing to be read where it is never completed', async () => {
    const content = randomBytes(1_000);
    const begun = await begin(server, content, under(patient));

    await put(begun, content);

    expect((await server.get(begun.binary)).status).toBe(404);
    expect((await server.get(`${begun.binary}/$download`)).status).toBe(404);
    expect(resourcesIn((await server.get(`${pathOf(patient)}/$everything`)).body)).toHaveLength(1);
    expect((await fetch(begun.url)).status).toBe(403); // a signed PUT is no GET
  });

  it('ends where a scanner has found something, with a Task for privacy officers', async () => {
    const content = randomBytes(1_000);
    const begun = await begin(server, content, { as: nurse });
    await put(begun, content);
    await server.bucket.tag(begun.key, infected);

    const answers = [await complete(server, begun, nurse), await complete(server, begun, nurse)];

    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [422, 'content-infected'],
      [422, 'content-infected'],
    ]);
    const found = resourcesIn((await server.get('Task?status=requested', { as: privacy })).body);
    const tasks = found.filter(({ resourceType }) => resourceType === 'Task');
    expect(tasks.map(({ description }) => String(description))).toEqual([expect.stringContaining('Malware was found')]);
    expect((await server.bucket.keys()).filter((key) => !key.startsWith('quarantine/'))).not.toContain(begun.key);
  });

  it('ends where a scanner could not look into it', async () => {
    const content = randomBytes(1_000);
    const begun = await begin(server, content);
    await put(begun, content);
    await server.bucket.tag(begun.key, { GuardDutyMalwareScanStatus: 'UNSUPPORTED' });

    const answer = await complete(server, begun);

    expect([answer.status, codeOf(answer)]).toEqual([422, 'content-not-scannable']);
  });

  it.each<[string, number, string, Readonly<Record<string, unknown>>]>([
    ['a page', 422, 'content-type-not-allowed', { contentType: 'text/html' }],
    ['a drawing that may hold scripts', 422, 'content-type-not-allowed', { contentType: 'image/svg+xml' }],
    ['a type in disguise', 422, 'content-type-not-allowed', { contentType: 'image/png, text/html' }],
    ['more than the stage allows', 413, 'content-too-large', { size: 6_000_001 }],
    ['no SHA-256', 400, 'invalid', { sha256: 'abc' }],
    ['a context elsewhere', 400, 'reference-not-found', { securityContext: { reference: 'https://x.test/Patient/1' } }],
    ['a Binary as context', 400, 'reference-not-found', { securityContext: { reference: 'Binary/1' } }],
  ])('is refused for %s with %i %s', async (_what, status, code, over) => {
    const content = randomBytes(10);

    const answer = await announce(server, {
      contentType: 'application/pdf',
      size: content.length,
      sha256: sha256(content),
      ...over,
    });

    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it('is announced and completed by itself, and not in a bundle', async () => {
    const begun = await begin(server, randomBytes(10));
    const entries = ['Binary/$upload', 'Binary/$complete'].map((url) => ({
      request: { method: 'POST', url },
      resource: parametersOf({ upload: begun.ticket }),
    }));

    for (const type of ['batch', 'transaction'] as const) {
      const answer = await server.post('', { resourceType: 'Bundle', type, entry: entries });
      expect(answer.text).toContain('not-in-bundle');
    }
    expect((await server.get(begun.binary)).status).toBe(404);
  });

  it('is not waited for where a network has no scanner', async () => {
    const open = await fhirServer(undefined, { uploads: { largestMegabytes: 1, scanner: 'none' } });
    const content = randomBytes(100);
    const announced = { contentType: 'text/plain', size: content.length, sha256: sha256(content) };
    const answer = await open.post('Binary/$upload', parametersOf(announced));
    const { upload = '' } = values(answer);
    await put(begunOf(answer), content);

    const done = await open.post('Binary/$complete', parametersOf({ upload }));

    expect(done.status, done.text).toBe(201);
  });

  it('is nobody’s to announce who may write no Binary, nor to complete under a record that is not there', async () => {
    const content = randomBytes(10);
    const denied = await announce(
      server,
      { contentType: 'application/pdf', size: 10, sha256: sha256(content) },
      { role: 'privacy' },
    );
    const begun = await begin(server, content, { securityContext: { reference: 'Patient/nobody' } });
    await put(begun, content);
    await server.bucket.tag(begun.key, clean);

    const nowhere = await complete(server, begun);

    expect([denied.status, nowhere.status, codeOf(nowhere)]).toEqual([403, 400, 'reference-not-found']);
  });
});

describe('a Binary with uploaded content', () => {
  it('is whole or not at all, wherever its making breaks off', async () => {
    const content = randomBytes(100);
    const begun = await begin(server, content);
    await put(begun, content);
    await server.bucket.tag(begun.key, clean);
    const client = server.store.client;
    const before = (await server.bucket.keys()).length;
    const passing = client.send.bind(client);
    const send = vi.spyOn(client, 'send');
    send.mockImplementation(((command: object) =>
      command.constructor.name === 'TransactWriteCommand'
        ? Promise.reject(new Error('the process ends'))
        : passing(command as never)) as never);

    const broken = await complete(server, begun);
    send.mockRestore();
    const left = (await server.bucket.keys()).length;
    const seen = await server.get(begun.binary);
    const removed = await sweepUploads(server.store, Number.POSITIVE_INFINITY);
    const again = await complete(server, begun);

    expect([broken.status, seen.status, again.status]).toEqual([500, 404, 201]);
    expect([left - before, removed >= 1]).toEqual([1, true]);
    const { url = '' } = values(await server.get(`${begun.binary}/$download`));
    expect((await fetch(url)).status).toBe(200);
  });

  it('is JSON without its content in bundles and searches, and keeps it when labels change', async () => {
    const path = await uploaded(server, randomBytes(100), under(patient));
    const tag = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };

    expect((await server.post(`${path}/$meta-add`, tag)).status).toBe(200);
    const batch = await server.post('', batchOf(getEntry(path)));
    const search = await server.get(`Binary?_id=${path.split('/')[1]}`);

    for (const [binary] of [resourcesIn(batch.body), resourcesIn(search.body)]) {
      expect(binary?.data).toBeUndefined();
      expect(binary?.meta).toMatchObject({ tag: [{ code: 'x' }], extension: [{ url: uploadedUrl }] });
    }
  });

  it('is under the rights of its context, and traced in that chart', async () => {
    const visit = await create(server, encounterBody(referenceTo(patient)));
    const path = await uploaded(server, randomBytes(100), under(visit));
    const traces = async () => {
      const log = resourcesIn((await server.get(`AuditEvent?patient=${patient.id}`, { as: privacy })).body);
      return log.filter((event) => JSON.stringify(event.entity).includes(`${path}"`)).length;
    };

    const own = await server.get(`${path}/$download`);
    const afterOne = await traces();
    const plain = await server.get(path);
    const afterTwo = await traces();
    const [missing, ...hidden] = [
      await server.get('Binary/none/$download'),
      await server.get(`${path}/$download`, { as: elsewhere }),
      await server.get(path, { as: elsewhere }),
    ];

    expect([own.status, plain.status, afterOne, afterTwo]).toEqual([200, 303, 1, 2]);
    expect(hidden.map(({ status }) => status)).toEqual([404, 404]);
    expect(hidden.map(codeOf)).toEqual([codeOf(missing), codeOf(missing)]);
  });

  it('is its originator’s alone under a psychotherapy note', async () => {
    for (const id of ['northside-physician', 'colleague'])
      await server.put(`Practitioner/${id}`, { resourceType: 'Practitioner', id }, { as: admin });
    const note = await create<fhir4.Composition>(server, {
      resourceType: 'Composition',
      status: 'final',
      type: { text: 'Session' },
      date: '2024-05-06',
      title: 'Session',
      subject: { reference: referenceTo(patient) },
      author: [{ reference: 'Practitioner/northside-physician' }],
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] },
    });
    const colleague: TestCaller = {
      role: 'physician',
      claims: { sub: 'colleague', fhirUser: 'Practitioner/colleague' },
    };

    const path = await uploaded(server, randomBytes(100), under(note));

    expect((await server.get(`${path}/$download`)).status).toBe(200);
    for (const door of [path, `${path}/$download`, `${path}/_history/1`])
      expect((await server.get(door, { as: colleague })).status, door).toBe(404);
  });

  it('keeps its content until other content takes its place', async () => {
    const path = await uploaded(server, randomBytes(100), under(patient));
    const before = (await server.get(path, { headers: fhir })).body as unknown as fhir4.Binary;

    const without = await server.put(path, { ...before, meta: undefined });
    const forged = await server.post('Binary', { ...before, id: undefined });
    const other = await server.put(path, { ...before, data: 'aGVsbG8=' });

    expect(without.status, without.text).toBe(200);
    expect(without.body.meta?.extension).toEqual(before.meta?.extension);
    expect([forged.status, forged.body.meta?.extension]).toEqual([201, undefined]);
    expect([other.status, other.body.meta?.extension]).toEqual([200, undefined]);
    expect((await server.get(path)).text).toBe('hello');
    expect((await server.get(`${path}/_history/1`)).status).toBe(303);
    expect(values(await server.get(`${path}/$download`))).toMatchObject({ needsToken: 'true', size: '5' });
  });

  it('is signed with the note that shows it, by the hash of its content', async () => {
    const content = randomBytes(100);
    const path = await uploaded(server, content, under(patient));
    const person = await create(server, { resourceType: 'Practitioner' }, admin);
    const author: TestCaller = { role: 'physician', claims: { fhirUser: referenceTo(person) } };
    const note = await create<fhir4.DocumentReference>(server, {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: referenceTo(patient) },
      content: [{ attachment: { contentType: 'application/pdf', url: path } }],
    });

    const signed = await server.post(`${pathOf(note)}/$sign`, { resourceType: 'Parameters' }, { as: author });
    const binary = (await server.get(path, { headers: fhir })).body as unknown as fhir4.Binary;
    const changed = await server.put(path, { ...binary, data: 'aGVsbG8=' });
    const retyped = await server.put(path, { ...binary, contentType: 'text/plain' });
    const removed = await server.delete(path);

    expect(signed.status, signed.text).toBe(200);
    expect(signed.text).toContain(`sha256:${sha256(content)}`);
    expect([changed, retyped, removed].map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [422, 'signed'],
      [422, 'signed'],
      [422, 'signed'],
    ]);
    const { url = '' } = values(await server.get(`${path}/$download`));
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(content)).toBe(true);
  });
});
