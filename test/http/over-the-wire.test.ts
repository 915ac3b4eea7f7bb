import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { sharedConcord } from '../support/concord.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { observationBody, patientBody } from '../support/records.ts';
import { begunOf, parametersOf, put, sha256 } from '../support/uploads.ts';

// What a client meets behind the gateway: bytes, lengths and headers as they travel, which `fetch` hides.

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Without a token. */
  readonly open?: boolean;
}
interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let concord: Concord;
let token: string;
let patient: string;
let search: string;
beforeAll(async () => {
  concord = await sharedConcord();
  token = await concord.token('physician@northside.example');
  patient = await created('Patient', patientBody());
  for (let n = 0; n < 8; n++) await created('Observation', observationBody(patient));
  search = `Observation?patient=${patient}`;
});

const ask = (path: string, { method = 'GET', headers = {}, body, open }: Sent = {}) =>
  new Promise<Received>((resolve, reject) => {
    const authorization = open ? {} : { authorization: `Bearer ${token}` };
    const sent = httpRequest(
      `${concord.url}/${path}`,
      { method, headers: { ...authorization, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
        answer.on('error', reject);
      },
    );
    sent.on('error', reject).end(body);
  });

const json = { 'content-type': 'application/fhir+json' };
const created = async (type: string, resource: object): Promise<string> => {
  const { body } = await ask(type, { method: 'POST', headers: json, body: JSON.stringify(resource) });
  return `${type}/${(JSON.parse(body.toString()) as { id: string }).id}`;
};

describe('gzip', () => {
  const headers = { 'accept-encoding': 'gzip' };

  it('travels as gzip, with its own length', async () => {
    const plain = await ask(search);
    const compressed = await ask(search, { headers });

    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(compressed.headers['content-length']).toBe(String(compressed.body.length));
    expect(compressed.body.length).toBeLessThan(plain.body.length / 4);
    expect(gunzipSync(compressed.body).equals(plain.body)).toBe(true);
  });

  it('is what the capability statement comes in', async () => {
    const { headers: told, body } = await ask('metadata', { headers, open: true });

    expect(told['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(body).toString())).toMatchObject({ resourceType: 'CapabilityStatement' });
  });

  it('of a request is inflated', async () => {
    const body = gzipSync(JSON.stringify(patientBody({ birthDate: '1990-09-09' })));

    const { status, body: answer } = await ask('Patient', {
      method: 'POST',
      headers: { ...json, 'content-encoding': 'gzip' },
      body,
    });

    expect(status).toBe(201);
    expect(JSON.parse(answer.toString())).toMatchObject({ birthDate: '1990-09-09' });
  });
});

describe('HEAD', () => {
  it.each<[what: string, path: () => string, headers: Record<string, string>]>([
    ['a read', () => patient, {}],
    ['a version', () => `${patient}/_history/1`, {}],
    ['a history', () => `${patient}/_history`, {}],
    ['a search', () => search, {}],
    ['a search in gzip', () => search, { 'accept-encoding': 'gzip' }],
    ['an operation', () => `${patient}/$everything`, {}],
    ['the capability statement', () => 'metadata', {}],
    ['what is not there', () => 'Patient/nobody', {}],
  ])('of %s has the headers of GET, its length among them, and no body', async (_, path, headers) => {
    const get = await ask(path(), { headers });
    const head = await ask(path(), { method: 'HEAD', headers });

    const comparable = ({ headers: told }: Received) => {
      const { date: _date, 'x-amzn-requestid': _one, 'x-request-id': _two, ...rest } = told;
      return rest;
    };
    expect(head.status).toBe(get.status);
    const { 'content-length': length, ...told } = comparable(head);
    const { 'content-length': whole, ...shown } = comparable(get);
    expect(told).toEqual(shown);
    // How well something compresses may depend on an id in it.
    if (told['content-encoding'] === undefined) expect(length).toBe(whole);
    else expect(Number(length)).toBeGreaterThan(0);
    expect(head.body.length).toBe(0);
  });
});

describe('a Binary', () => {
  it('travels both ways as it is, up to 4 MB', async () => {
    for (const body of [randomBytes(3), randomBytes(4_000_000)]) {
      const made = await ask('Binary', { method: 'POST', headers: { 'content-type': 'image/png' }, body });
      expect(made.status, made.body.toString()).toBe(201);
      const path = `Binary/${(JSON.parse(made.body.toString()) as { id: string }).id}`;

      const raw = await ask(path, { headers: { accept: 'image/*' } });
      const resource = await ask(path, { headers: { accept: 'application/fhir+json' } });
      const head = await ask(path, { method: 'HEAD' });

      expect(raw.headers['content-type']).toBe('image/png');
      expect(raw.body.equals(body)).toBe(true);
      const { data } = JSON.parse(resource.body.toString()) as fhir4.Binary;
      expect(Buffer.from(data ?? '', 'base64').equals(body)).toBe(true);
      expect([head.headers['content-type'], head.headers['content-length'], head.body.length]).toEqual([
        'image/png',
        String(body.length),
        0,
      ]);
    }
  });
});

describe('an app of another origin', () => {
  it.each<[status: number, path: () => string, sent: Sent]>([
    [200, () => patient, {}],
    [200, () => 'metadata', { open: true }],
    [200, () => '.well-known/smart-configuration', { open: true }],
    [201, () => 'Patient', { method: 'POST', headers: json, body: JSON.stringify(patientBody()) }],
    [304, () => patient, { headers: { 'if-none-match': 'W/"1"' } }],
    [400, () => 'Patient', { method: 'POST', headers: json, body: '{' }],
    [401, () => patient, { open: true }],
    [403, () => 'AuditEvent', { method: 'POST', headers: json, body: '{}' }],
    [404, () => 'Patient/nobody', {}],
    [404, () => 'Patients', {}],
    [404, () => '../elsewhere', {}],
    [405, () => patient, { method: 'POST' }],
    [406, () => patient, { headers: { accept: 'text/html' } }],
    [413, () => 'Patient', { method: 'POST', headers: json, body: ' '.repeat(11_000_000) }],
    [414, () => `Patient?name=${'a'.repeat(10_300)}`, {}],
    [415, () => 'Patient', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }],
    [415, () => 'Patient', { method: 'POST', headers: { ...json, 'content-encoding': 'br' }, body: 'x' }],
  ])('may read an answer of %i, and which request it was', async (status, path, sent) => {
    const answer = await ask(path(), { ...sent, headers: { ...sent.headers, origin: 'https://app.example' } });

    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    const exposed = String(answer.headers['access-control-expose-headers']).split(', ');
    expect(exposed).toEqual(
      expect.arrayContaining([
        'ETag',
        'Last-Modified',
        'Location',
        'Content-Location',
        'Content-Disposition',
        'Retry-After',
        'Allow',
        'X-Request-Id',
        'X-Security-Context',
        'x-amzn-RequestId',
      ]),
    );
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    if (status >= 400) expect(answer.body.toString()).toContain('"OperationOutcome"');
  });

  it('may send what this API reads', async () => {
    const { status, headers } = await ask(patient, { method: 'OPTIONS', open: true });

    expect(status).toBe(204);
    const allowed = String(headers['access-control-allow-headers']).split(', ');
    for (const name of ['Accept', 'Content-Encoding', 'If-None-Match', 'X-Security-Context', 'X-Request-Id'])
      expect(allowed).toContain(name);
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE');
  });
});

describe('uploads', () => {
  const post = (path: string, parameters: object) =>
    ask(path, { method: 'POST', headers: json, body: JSON.stringify(parameters) });
  /** Once the scanner of the local stack has told. */
  const completed = async (content: Buffer) => {
    const announced = { contentType: 'text/plain', size: content.length, sha256: sha256(content) };
    const answer = await post('Binary/$upload', parametersOf(announced));
    const begun = begunOf({ body: JSON.parse(answer.body.toString()) as TestBody });
    expect((await put(begun, content)).status).toBe(200);
    let done: Received | undefined;
    await expect
      .poll(
        async () => {
          done = await post('Binary/$complete', parametersOf({ upload: begun.ticket }));
          return done.body.toString();
        },
        { timeout: 250_000 },
      )
      .not.toContain('not-scanned-yet');
    return { ...begun, done };
  };

  it('are scanned, and redirected to with all their headers', async () => {
    const content = randomBytes(4_500_000);

    const { binary, done } = await completed(content);
    const found = await ask(binary, { headers: { accept: 'text/plain' } });
    // As every client does that follows: the token stays here.
    const got = await fetch(`${concord.url}/${binary}`, { headers: { authorization: `Bearer ${token}` } });

    expect([done?.status, found.status, found.body.length]).toEqual([201, 303, 0]);
    expect(found.headers.location).toContain('X-Amz-Signature=');
    expect([got.status, got.headers.get('content-disposition')]).toEqual([200, 'attachment']);
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true);
  });

  it('are refused where the scanner finds what it knows', async () => {
    const { binary, done } = await completed(Buffer.from(['EICAR-STANDARD', 'ANTIVIRUS-TEST-FILE'].join('-')));

    expect([done?.status, done?.body.toString().includes('content-infected')]).toEqual([422, true]);
    expect((await ask(binary)).status).toBe(404);
  });
});

describe('sign-ins', () => {
  it('stand in the log of the day for a privacy officer, failed ones too, without what was typed', async () => {
    const user = 'lab@lakeside.example';
    await concord.token(user);
    await expect(concord.token(user, 'not-the-password')).rejects.toThrow('Incorrect username or password.');
    await expect(concord.token('not-a-user', 'not-the-password')).rejects.toThrow('Incorrect');
    await concord.settled();
    const headers = { authorization: `Bearer ${await concord.token('privacy@lakeside.example')}` };

    const found: fhir4.AuditEvent[] = [];
    let next: string | undefined = `${concord.url}/AuditEvent?type=110114`;
    // The day may have just begun: the page of the day before has the rest.
    for (let page = 0; next !== undefined && page < 3; page++) {
      const bundle = (await (await fetch(next, { headers })).json()) as fhir4.Bundle<fhir4.AuditEvent>;
      found.push(...(bundle.entry ?? []).flatMap(({ resource }) => resource ?? []));
      next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    }

    const ofUser = found.filter(({ agent }) => agent[0]?.name === user);
    const outcomes = ofUser.map(({ subtype, outcome }) => `${subtype?.[0]?.code} ${outcome}`);
    expect(new Set(outcomes)).toEqual(new Set(['110122 0', '110122 4']));
    expect(JSON.stringify(found)).not.toMatch(/not-the-password|not-a-user/);
  });
});
