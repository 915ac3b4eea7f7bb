import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  create,
  expressionsIn,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#version-parameter

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
});

const utf8 = 'charset=utf-8';

describe('an answer', () => {
  it.each<[headers: Record<string, string>, query: string, type: string]>([
    [{}, '', 'application/fhir+json'],
    [{ accept: '' }, '', 'application/fhir+json'],
    [{ accept: '*/*' }, '', 'application/fhir+json'],
    [{ accept: 'application/fhir+json' }, '', 'application/fhir+json'],
    [{ accept: 'application/json' }, '', 'application/json'],
    [{ accept: 'text/json' }, '', 'text/json'],
    [{ accept: 'application/fhir+xml, application/json;q=0.5' }, '', 'application/json'],
    [{ accept: 'application/json;q=0.5, application/fhir+json' }, '', 'application/fhir+json'],
    [{ accept: 'application/fhir+json; fhirVersion=4.0' }, '', 'application/fhir+json; fhirVersion=4.0'],
    [{ accept: 'application/fhir+json;fhirVersion="4.0"' }, '', 'application/fhir+json; fhirVersion=4.0'],
    [{ accept: 'application/fhir+json; fhirVersion=4.0.1' }, '', 'application/fhir+json; fhirVersion=4.0.1'],
    [
      { accept: 'application/fhir+json; fhirVersion=5.0, application/fhir+json; fhirVersion=4.0;q=0.5' },
      '',
      'application/fhir+json; fhirVersion=4.0',
    ],
    [{ accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }, '', 'application/fhir+json'],
    [{ accept: 'application/fhir+xml' }, '?_format=json', 'application/fhir+json'],
    [{ accept: 'application/fhir+xml' }, '?_format=application/json', 'application/json'],
    [{}, '?_format=text/json', 'text/json'],
    [{}, '?_format=application/fhir+json', 'application/fhir+json'],
    [{}, '?_format=application%2Ffhir%2Bjson%3B%20fhirVersion%3D4.0', 'application/fhir+json; fhirVersion=4.0'],
    [{ accept: 'application/json' }, '?_format=json', 'application/fhir+json'],
  ])('to %j and %s is %s', async (headers, query, type) => {
    for (const path of [pathOf(patient), `${pathOf(patient)}/_history`, 'Patient', '', 'Patient/nobody']) {
      const response = await server.get(`${path}${query || '?'}${path === '' ? '&_type=Patient&_id=none' : ''}`, {
        headers,
      });

      expect(response.headers['content-type'], path).toBe(`${type}; ${utf8}`);
      expect(response.headers.vary).toBe('Accept, Accept-Encoding');
      expect(response.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it.each<[headers: Record<string, string>, query: string, expression: string, text: RegExp]>([
    [{ accept: 'application/fhir+xml' }, '', 'Accept', /JSON/],
    [{ accept: 'text/html' }, '', 'Accept', /JSON/],
    [{ accept: 'application/json;q=0' }, '', 'Accept', /JSON/],
    [{ accept: 'application/fhir+json; fhirVersion=5.0' }, '', 'Accept', /FHIR 4\.0 is served/],
    [{ accept: 'application/fhir+json; fhirVersion=' }, '', 'Accept', /FHIR 4\.0 is served/],
    [{ accept: 'application/fhir+json' }, '?_format=xml', '_format', /JSON/],
    [{ accept: 'application/fhir+json' }, '?_format=html', '_format', /JSON/],
    [{ accept: 'application/fhir+json' }, '?_format=application/fhir+turtle', '_format', /JSON/],
    [{}, '?_format=application/fhir%2Bjson;fhirVersion=3.0', '_format', /FHIR 4\.0 is served/],
    [{ 'accept-encoding': 'identity;q=0' }, '', 'Accept-Encoding', /gzip/],
    [{ 'accept-encoding': 'br, *;q=0' }, '', 'Accept-Encoding', /gzip/],
  ])('to %j and %s is 406, and nothing is written', async (headers, query, expression, text) => {
    const number = `unacceptable-${JSON.stringify(headers)}${query}`.replaceAll(/\W/g, '-');

    const response = await server.post(`Patient${query}`, numberedPatient(number), { headers });

    expect(response.status).toBe(406);
    expect(expressionsIn(response.body)).toEqual([expression]);
    expect(response.text).toMatch(text);
    expect(resourcesIn((await server.get(`Patient?identifier=${number}`)).body)).toEqual([]);
  });

  it('bears the id of its request, and gives back the one that its sender gave it', async () => {
    const alone = await server.get(pathOf(patient));
    const named = await server.get(pathOf(patient), { headers: { 'x-request-id': 'app-17' } });
    const odd = await server.get('Patient/nobody', { headers: { 'x-request-id': 'a\r\nb: c' } });

    expect(alone.headers['x-request-id']).toMatch(/^request-\d+$/);
    expect(named.headers['x-request-id']).not.toBe(alone.headers['x-request-id']);
    expect(named.headers['x-correlation-id']).toBe('app-17');
    expect([alone, odd].map(({ headers }) => headers['x-correlation-id'])).toEqual([undefined, undefined]);
    expect(odd.text).toContain(odd.headers['x-request-id']);
  });
});

describe('a body', () => {
  it.each([
    ['application/fhir+json; fhirVersion=4.0', 201],
    ['application/fhir+json; fhirVersion=4.0.1; charset=utf-8', 201],
    ['application/json; charset="utf-8"', 201],
    ['application/fhir+json; fhirVersion=3.0', 415],
    ['application/fhir+json; fhirVersion=5.0', 415],
    ['', 415],
  ])('sent as "%s" is %i', async (type, status) => {
    const response = await server.post('Patient', patientBody(), { headers: { 'content-type': type } });

    expect(response.status).toBe(status);
    if (status === 415) expect(expressionsIn(response.body)).toEqual(['Content-Type']);
  });

  it.each(['deflate', 'br', 'zstd', 'gzip, gzip'])('encoded as %s is 415 and names what is taken', async (coding) => {
    const response = await server.post('Patient', Buffer.from('x'), { headers: { 'content-encoding': coding } });

    expect(response.status).toBe(415);
    expect(expressionsIn(response.body)).toEqual(['Content-Encoding']);
    expect(response.headers['accept-encoding']).toBe('gzip');
  });

  it('in gzip is read as it would be without, also where a gateway inflated it and left the header', async () => {
    const headers = { 'content-encoding': 'GZIP' };
    const body = JSON.stringify(patientBody({ birthDate: '1971-02-03' }));

    const compressed = await server.post('Patient', gzipSync(body), { headers });
    const inflated = await server.post('Patient', body, { headers });

    expect([compressed, inflated].map((answer) => [answer.status, answer.body.birthDate])).toEqual([
      [201, '1971-02-03'],
      [201, '1971-02-03'],
    ]);
  });

  it('of a form may come in gzip', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' };

    const { status, body } = await server.post('Patient/_search', gzipSync(`_id=${patient.id}`), { headers });

    expect([status, resourcesIn(body).length]).toEqual([200, 1]);
  });
});

describe('gzip', () => {
  const gzip = { 'accept-encoding': 'gzip, deflate, br' };
  let search: string;
  beforeAll(async () => {
    const owner = await create(server, patientBody());
    for (let n = 0; n < 8; n++) await create(server, observationBody(referenceTo(owner)));
    search = `Observation?patient=${owner.id}`;
  });

  it('is what a client that takes it is sent where that saves a packet', async () => {
    const plain = await server.get(search);
    const compressed = await server.get(search, { headers: gzip });

    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(compressed.bytes).toString()).toBe(compressed.text);
    expect(compressed.body).toEqual(plain.body);
    expect(compressed.bytes.length).toBeLessThan(plain.bytes.length / 4);
  });

  it('is not sent for what is small, unless nothing else is taken', async () => {
    const small = await server.get(pathOf(patient), { headers: gzip });
    const forced = await server.get(pathOf(patient), { headers: { 'accept-encoding': 'gzip, identity;q=0' } });
    const refused = await server.get('Patient/nobody', { headers: { 'accept-encoding': 'gzip, identity;q=0' } });

    expect(small.headers['content-encoding']).toBeUndefined();
    expect([forced, refused].map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', 'gzip']);
    expect(forced.body).toEqual(small.body);
    expect(refused.body.resourceType).toBe('OperationOutcome');
  });

  it.each(['gzip;q=0', 'br', 'identity', 'gzip;q=0.5, identity;q=0.8'])(
    'is not sent to who asks for %s',
    async (header) => {
      const { headers } = await server.get(search, { headers: { 'accept-encoding': header } });

      expect(headers['content-encoding']).toBeUndefined();
    },
  );

  it('changes neither the version that a record is told to have nor what HEAD tells of it', async () => {
    const owner = referenceTo(await create(server, patientBody()));
    const large = await create(server, observationBody(owner, { note: [{ text: 'word '.repeat(1_000) }] }));

    const [plain, compressed, head, known] = [
      await server.get(pathOf(large)),
      await server.get(pathOf(large), { headers: gzip }),
      await server.request('HEAD', pathOf(large), { headers: gzip }),
      await server.get(pathOf(large), { headers: { ...gzip, 'if-none-match': 'W/"1"' } }),
    ];

    expect([plain, compressed, head, known].map(({ headers }) => headers.etag)).toEqual(Array(4).fill('W/"1"'));
    expect(compressed.headers['content-encoding']).toBe('gzip');
    const { 'x-request-id': _one, ...shown } = compressed.headers;
    const { 'x-request-id': _other, ...told } = head.headers;
    expect(told).toEqual(shown);
    expect([known.status, known.text, known.headers['content-encoding']]).toEqual([304, '', undefined]);
  });
});
