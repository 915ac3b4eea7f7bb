import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { accessToken } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician, type TestRequest } from '../support/fhir-server.ts';
import {
  admin,
  create,
  expressionsIn,
  issuesOf,
  linkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

/** A name that must never come back, neither in an answer nor in the log. */
const secretName = 'Xanthippe-Quillfeather';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
});

const postPatient = (body: unknown, options: TestRequest = {}) =>
  server.request('POST', 'Patient', { ...options, body });

describe('a body that cannot be read', () => {
  const deep = (levels: number) => `{"resourceType":"Patient","extension":${'['.repeat(levels)}${']'.repeat(levels)}}`;
  const cases: [what: string, body: unknown, status: number, headers?: Record<string, string>][] = [
    ['no JSON', `{"resourceType":"Patient","name":[{"family":"${secretName}"`, 400],
    ['JSON with something behind it', `${JSON.stringify(patientBody())} ${secretName}`, 400],
    ['a bare word', secretName, 400],
    ['a list', [patientBody()], 400],
    ['null', 'null', 400],
    ['a number', '7', 400],
    ['a text', JSON.stringify(secretName), 400],
    ['an empty object', {}, 400],
    ['another type of resource', observationBody('Patient/1'), 400],
    ['an unknown type of resource', { resourceType: secretName }, 400],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400],
    ['brackets nested too deep', deep(5_000), 400],
    ['a million brackets', '['.repeat(1_000_000), 400],
    ['gzip that is none', Buffer.from(secretName), 400, { 'content-encoding': 'gzip' }],
    ['gzip cut short', gzipSync(JSON.stringify(patientBody())).subarray(0, 40), 400, { 'content-encoding': 'gzip' }],
    ['an unknown encoding', JSON.stringify(patientBody()), 415, { 'content-encoding': 'br' }],
    ['XML', '<Patient xmlns="http://hl7.org/fhir"/>', 415, { 'content-type': 'application/fhir+xml' }],
    ['plain text', JSON.stringify(patientBody()), 415, { 'content-type': 'text/plain' }],
    ['a form', 'family=x', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    [
      'another charset',
      JSON.stringify(patientBody()),
      415,
      { 'content-type': 'application/fhir+json; charset=utf-16' },
    ],
    ['more than 4 MB', JSON.stringify(patientBody({ language: 'x'.repeat(4_000_000) })), 413],
    [
      'a small body that inflates to 64 MB',
      gzipSync(Buffer.alloc(64_000_000, ' ')),
      413,
      { 'content-encoding': 'gzip' },
    ],
  ];
  it.each(cases)('is refused: %s', async (_what, body, status, headers = {}) => {
    const response = await postPatient(body, { headers });

    expect(response.status).toBe(status);
    expect(response.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] });
    expect(issuesOf(response.body)[0]?.reason).toMatch(/^[a-z-]+$/);
    expect(response.text).not.toContain(secretName);
  });

  it('is refused where there is none', async () => {
    expect((await server.request('POST', 'Patient')).status).toBe(400);
    expect((await server.request('PUT', pathOf(patient))).status).toBe(400);
    expect((await server.request('POST', '')).status).toBe(400);
  });

  it('tells where JSON breaks, without quoting it', async () => {
    const response = await postPatient(`{"resourceType":"Patient" "${secretName}":1}`);

    expect(issuesOf(response.body)[0]?.text).toBe('The body is not JSON, at character 26');
    expect(response.text).not.toContain(secretName);
  });
});

describe('a body that can be read', () => {
  it.each([
    ['application/json', {}],
    ['Application/FHIR+JSON; charset="UTF-8"', {}],
    ['application/fhir+json; fhirVersion=4.0', {}],
  ])('may be called %s', async (contentType) => {
    expect((await postPatient(patientBody(), { headers: { 'content-type': contentType } })).status).toBe(201);
  });

  it('may be compressed', async () => {
    const body = gzipSync(JSON.stringify(patientBody({ birthDate: '1971-01-01' })));

    const response = await postPatient(body, { headers: { 'content-encoding': 'gzip' } });

    expect(response.status).toBe(201);
    expect(response.body.birthDate).toBe('1971-01-01');
  });

  it('may hold any letters, escaped or not', async () => {
    const family = 'Ål "\\ \u{1F9EC} 山';

    const { body } = await postPatient(patientBody({ name: [{ family }] }));

    expect((await server.get(pathOf(body))).body.name?.[0]?.family).toBe(family);
  });

  it('cannot reach what objects inherit', async () => {
    const response = await postPatient(`{"resourceType":"Patient","__proto__":{"active":true},"constructor":{"x":1}}`);

    expect(response.status).toBe(400);
    expect(({} as { active?: boolean }).active).toBeUndefined();
  });
});

describe('a path or header that means nothing here', () => {
  it.each([
    'Patients',
    'patient',
    'Bundle/1',
    'Patient/1/2/3/4',
    'Patient/1/$nothing',
    'Patient/1/_history/1/2',
    'Patient/_nothing',
    '$nothing',
  ])('answers 404 for %s', async (path) => {
    const response = await server.get(path);

    expect(response.status).toBe(404);
    expect(response.body.resourceType).toBe('OperationOutcome');
  });

  it.each([
    ['PATCH', 'Patient/1/_history/1', ['GET', 'HEAD']],
    ['POST', 'Patient/1', ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']],
    ['PUT', 'Patient/1/_history/1', ['GET', 'HEAD']],
    ['GET', 'Patient/_search', ['POST']],
    ['PUT', '', ['GET', 'HEAD', 'POST']],
    ['GET', '_search', ['POST']],
  ])('answers 405 for %s /%s and tells the methods that are offered', async (method, path, allowed) => {
    const response = await server.request(method, path, { headers: { 'content-type': 'application/json-patch+json' } });

    expect(response.status).toBe(405);
    expect(response.headers.allow?.split(', ').sort()).toEqual(allowed);
  });

  it.each([
    [{ accept: 'application/fhir+xml' }, ''],
    [{ accept: 'text/html' }, ''],
    [{}, '?_format=xml'],
    [{ accept: 'application/fhir+json' }, '?_format=application/fhir%2Bxml'],
  ])('answers 406 for %o%s', async (headers, query) => {
    expect((await server.get(`${pathOf(patient)}${query}`, { headers: { ...headers } })).status).toBe(406);
  });

  it.each([
    [{ accept: 'application/fhir+json; fhirVersion=4.0' }, ''],
    [{ accept: 'text/html, application/json;q=0.5' }, ''],
    [{ accept: '*/*' }, ''],
    [{ accept: 'application/fhir+xml' }, '?_format=json'],
    [{}, '?_format=application/fhir+json'],
  ])('answers 200 for %o%s', async (headers, query) => {
    expect((await server.get(`${pathOf(patient)}${query}`, { headers: { ...headers } })).status).toBe(200);
  });

  it.each([
    ['_count=-1', '_count'],
    ['_count=x', '_count'],
    ['birthdate=soon', 'birthdate'],
    ['birthdate=xx2020', 'birthdate'],
    ['family:nothing=x', 'family:nothing'],
    ['_page=x', '_page'],
  ])('answers 400 for a search with %s and names the parameter', async (query, parameter) => {
    const response = await server.get(`Patient?${query}`);

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual([parameter]);
  });

  it('ignores an unknown parameter with a warning, and refuses it where handling is strict', async () => {
    const lenient = await server.get('Patient?family=Nobody&colour=green');
    const strict = await server.get('Patient?family=Nobody&colour=green', { headers: { prefer: 'handling=strict' } });

    expect(lenient.status).toBe(200);
    expect(lenient.text).toContain('colour');
    expect(linkOf(lenient.body, 'self')).not.toContain('colour');
    expect(strict.status).toBe(400);
    expect(expressionsIn(strict.body)).toEqual(['colour']);
  });
});

describe('a token that does not say who asks', () => {
  const expectUnauthenticated = async (token: string, reason: string) => {
    const response = await server.get(pathOf(patient), { token });

    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(issuesOf(response.body)).toMatchObject([{ code: 'login', reason }]);
    expect(response.text).not.toContain('Sample');
  };

  it('is refused where there is none', async () => {
    await expectUnauthenticated('', 'token-missing');
  });

  it('is refused where it is no token', async () => {
    await expectUnauthenticated('nonsense', 'token-invalid');
    await expectUnauthenticated('a.b.c', 'token-invalid');
  });

  it('is refused when it has expired', async () => {
    const now = Math.floor(Date.now() / 1000);
    await expectUnauthenticated(
      await accessToken({ ...physician, claims: { iat: now - 7200, exp: now - 3600 } }),
      'token-expired',
    );
  });

  it('is refused when a letter of any part was changed', async () => {
    const parts = (await accessToken(physician)).split('.');
    for (const index of [0, 1, 2]) {
      const part = parts[index] ?? '';
      const changed = `${part.slice(0, 9)}${part[9] === 'A' ? 'B' : 'A'}${part.slice(10)}`;
      await expectUnauthenticated(parts.with(index, changed).join('.'), 'token-invalid');
    }
  });

  it('is refused when it claims more than was signed', async () => {
    const [header, , signature] = (await accessToken(physician)).split('.');
    const [, claims] = (await accessToken({ role: 'physician', organization: 'lakeside' })).split('.');
    await expectUnauthenticated([header, claims, signature].join('.'), 'token-invalid');
  });

  it('is refused without a signature', async () => {
    const [, claims] = (await accessToken(physician)).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    await expectUnauthenticated(`${header}.${claims}.`, 'token-invalid');
  });

  it.each([
    ['another pool', { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other' }],
    ['patients', { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ConcordTestPatients' }],
    ['another use', { token_use: 'id' }],
  ])('is refused when it was made for %s', async (_what, claims) => {
    await expectUnauthenticated(await accessToken({ ...physician, claims }), 'token-invalid');
  });

  it.each(['organization', 'roles', 'fhirUser', 'scope', 'username'])(
    'is refused without the claim %s',
    async (claim) => {
      await expectUnauthenticated(await accessToken({ ...physician, claims: { [claim]: undefined } }), 'token-claim');
    },
  );

  it.each([
    ['organization', ''],
    ['organization', ['northside']],
    ['roles', []],
    ['roles', 'physician'],
    ['roles', ['wizard']],
    ['roles', ['patient', 'physician']],
    ['fhirUser', 7],
  ])('is refused where the claim %s is %o', async (claim, value) => {
    await expectUnauthenticated(await accessToken({ ...physician, claims: { [claim]: value } }), 'token-claim');
  });

  it('is refused before path and body are looked at', async () => {
    expect((await server.request('POST', 'Nothing/1/2', { token: 'x', body: '{' })).status).toBe(401);
  });

  it('gives nothing where its scopes are not understood', async () => {
    for (const scope of [
      'openid',
      'user/Patient.rs?name=x',
      'user/Observation.rs',
      'patient/Patient.rs',
      'user/Patient.c',
    ]) {
      const response = await server.get(pathOf(patient), { as: { ...physician, scope } });

      expect(response.status, scope).toBe(403);
      expect(issuesOf(response.body)).toMatchObject([{ reason: 'forbidden-scope' }]);
    }
    expect((await server.get(pathOf(patient), { as: { ...physician, scope: 'user/Patient.rs' } })).status).toBe(200);
  });
});

describe('writing to the access log', () => {
  it.each([
    ['POST', 'AuditEvent'],
    ['PUT', 'AuditEvent/1'],
    ['DELETE', 'AuditEvent/1'],
    ['PATCH', 'AuditEvent/1'],
  ])('%s is forbidden to everybody, whatever the body holds', async (method, path) => {
    for (const as of [physician, admin, system, { role: 'privacy' }]) {
      const response = await server.request(method, path, { as, body: `{"garbage": ${secretName}` });

      expect(response.status).toBe(403);
    }
  });

  it('is forbidden in a bundle too', async () => {
    const entry = { resource: { resourceType: 'AuditEvent' }, request: { method: 'POST', url: 'AuditEvent' } };

    const response = await server.post(
      '',
      { resourceType: 'Bundle', type: 'transaction', entry: [entry] },
      { as: system },
    );

    expect(response.status).toBe(403);
  });
});

describe('the log', () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
    const keep = (...given: unknown[]) => {
      lines.push(given.map(String).join(' '));
      return true;
    };
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(keep);
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
      vi.spyOn(console, level).mockImplementation(keep);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('holds one line a request, and nothing of what was sent', async () => {
    const named = patientBody({ name: [{ family: secretName }] });
    const { body } = await postPatient(named);
    const responses = [
      await postPatient(JSON.stringify(named).slice(0, -5)),
      await postPatient({ ...named, [secretName]: secretName }),
      await postPatient({ ...named, gender: secretName }),
      await postPatient({ ...named, managingOrganization: { reference: `Organization/${secretName}` } }),
      await server.put(pathOf(body), { ...named, id: secretName }),
      await server.get(`Patient?family=${secretName}&nothing=${secretName}`),
      await server.get(`Patient?birthdate=${secretName}`),
      await server.get(`Patient/${secretName}`),
      await server.get(`Patient/1/${secretName}`),
      await server.get(pathOf(body), { token: secretName }),
    ];

    expect(responses.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 200, 400, 404, 404, 401]);
    const requests = lines.filter((line) => line.includes('"message":"request"'));
    expect(requests).toHaveLength(responses.length + 1);
    expect(lines.filter((line) => line.includes(secretName) || line.includes(body.id ?? ''))).toEqual([]);
  });

  it('says of a fault where it happened, not what it was about', async () => {
    const read = vi.spyOn(server.store, 'read').mockRejectedValue(new Error(`broken by ${secretName}`));

    const response = await server.get(pathOf(patient));
    read.mockRestore();

    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'fatal', code: 'exception' }],
    });
    expect(response.text).not.toContain(secretName);
    expect(response.text).not.toContain('.ts');
    expect(lines.some((line) => line.includes('request failed') && line.includes('at '))).toBe(true);
    expect(lines.filter((line) => line.includes(secretName))).toEqual([]);
  });
});

describe('a reference in the body', () => {
  it('is not echoed where it leads to nothing', async () => {
    const response = await server.post('Observation', observationBody(`Patient/${secretName}`));

    expect(response.status).toBe(400);
    expect(response.text).not.toContain(secretName);
    expect((await server.post('Observation', observationBody(referenceTo(patient)))).status).toBe(201);
  });
});
