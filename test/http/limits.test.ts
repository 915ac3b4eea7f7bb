import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { sharedConcord } from '../support/concord.ts';
import { numberedPatient, observationBody, patientBody } from '../support/records.ts';
import { distinctIncludes } from '../support/search-parameters.ts';

// Each limit of docs/search.md and docs/api.md on both of its sides, over HTTP: what is within it is answered, what is beyond it is refused
// in words that name the place.

let concord: Concord;
let token: string;
let patient: string;

interface Answer {
  readonly status: number;
  readonly body: Omit<fhir4.Bundle, 'resourceType'> &
    Omit<fhir4.OperationOutcome, 'resourceType'> & { resourceType: string; id: string };
}

const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
  const headers = { authorization: `Bearer ${token}`, ...init.headers };
  const response = await fetch(path.startsWith('http') ? path : `${concord.url}/${path}`, { ...init, headers });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};
const post = (path: string, body: string | Uint8Array<ArrayBuffer> | object, headers: Record<string, string> = {}) =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
const form = (type: string, body: string) =>
  post(`${type}/_search`, body, { 'content-type': 'application/x-www-form-urlencoded' });

beforeAll(async () => {
  concord = await sharedConcord();
  token = await concord.token('physician@northside.example');
  patient = (await post('Patient', patientBody())).body.id;
});

const expectRefused = ({ status, body }: Answer, expected: number, expression: string, words: RegExp) => {
  expect(status).toBe(expected);
  const [issue, ...others] = body.issue;
  expect(others).toEqual([]);
  expect(issue?.expression).toEqual([expression]);
  expect(issue?.details?.text).toMatch(words);
};

const times = (count: number, text: string, joint = '') => Array.from({ length: count }, () => text).join(joint);
const numbered = (count: number, text: string, joint: string) =>
  Array.from({ length: count }, (_, number) => `${text}${number}`).join(joint);

describe('a search', () => {
  const parenthesised = (levels: number) => `${times(levels, '(')}code eq 1${times(levels, ')')}`;
  const filterOf = (letters: number) => `code eq ${times(letters - 'code eq '.length, 'a')}`;
  const searches: [what: string, name: string, within: string, beyond: string, words: RegExp][] = [
    // The patient is a value too.
    ['2,000 values', '_id', numbered(1_999, 'a', ','), numbered(2_000, 'a', ','), /2000 values/],
    ['16 levels of a filter', '_filter', parenthesised(15), parenthesised(16), /16 levels/],
    ['4,000 letters of a filter', '_filter', filterOf(4_000), filterOf(4_001), /4000 letters/],
    [
      '16 levels of a search for words',
      '_text',
      `${times(15, '(')}a${times(15, ')')}`,
      `${times(16, '(')}a${times(16, ')')}`,
      /16 levels/,
    ],
    ['200 words', '_content', times(100, 'a', ' OR '), times(101, 'a', ' OR '), /200 words/],
    ['20 rules of an order', '_sort', times(20, 'date', ','), times(21, 'date', ','), /20 rules/],
  ];
  it.each(searches)('has at most %s', async (_what, name, within, beyond, words) => {
    const search = (value: string) => form('Observation', `patient=${patient}&${name}=${encodeURIComponent(value)}`);

    expect((await search(within)).status).toBe(200);
    expectRefused(await search(beyond), 400, name, words);
  });

  it('goes through at most 5 other records, one behind the other', async () => {
    const chained = (records: number) =>
      ask(`Encounter?subject=Patient/${patient}&${times(records, 'part-of.')}status=finished`);
    const reversed = (records: number) =>
      ask(`Observation?patient=${patient}&${times(records, '_has:Observation:has-member:')}code=1`);

    expect([(await chained(5)).status, (await reversed(5)).status]).toEqual([200, 200]);
    expectRefused(await chained(6), 400, `${times(6, 'part-of.')}status`, /5 records/);
    expectRefused(await reversed(6), 400, `${times(6, '_has:Observation:has-member:')}code`, /5 records/);
  });

  it('has at most 50 includes', async () => {
    const search = (includes: number) => form('Patient', `_id=${patient}&${distinctIncludes(includes).join('&')}`);

    expect((await search(50)).status).toBe(200);
    expectRefused(await search(51), 400, '_include:iterate', /50 includes/);
  });

  it('has names of at most 500 letters', async () => {
    const named = (letters: number) => form('Observation', `patient=${patient}&${times(letters, 'a')}=1`);

    expect((await named(500)).status).toBe(200);
    expectRefused(await named(501), 400, `${times(50, 'a')}…`, /name is too long/);
  });

  it('has at most 200 parameters, of the address and the form together', async () => {
    const search = (inForm: number) =>
      ask(`Observation/_search?patient=${patient}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: times(inForm, 'code=1', '&'),
      });

    expect((await search(199)).status).toBe(200);
    expectRefused(await search(200), 400, 'code', /200 parameters/);
  });

  it('is a form of at most 200 KB, also when that is compressed', async () => {
    const filled = (bytes: number) => `patient=${patient}&code=`.padEnd(bytes, 'a');
    const packed = (bytes: number) =>
      post('Observation/_search', gzipSync(filled(bytes)), {
        'content-type': 'application/x-www-form-urlencoded',
        'content-encoding': 'gzip',
      });

    expect((await form('Observation', filled(200_000))).status).toBe(200);
    expectRefused(await form('Observation', filled(200_001)), 413, 'Content-Length', /200 KB/);
    expect((await packed(200_000)).status).toBe(200);
    expectRefused(await packed(200_001), 413, 'Content-Length', /200 KB/);
  });

  it('has an address of at most 10,240 letters, with its headers', async () => {
    const search = (letters: number) => ask(`Observation?patient=${patient}&code=${times(letters, 'a')}`);

    expect((await search(8_000)).status).toBe(200);
    const tooLong = await search(10_240);
    const withHeaders = await ask(`Observation?patient=${patient}`, { headers: { 'x-long': times(10_240, 'a') } });

    expect([tooLong.status, withHeaders.status]).toEqual([414, 431]);
    for (const { body } of [tooLong, withHeaders]) expect(body.resourceType).toBe('OperationOutcome');
  });

  it('that takes several pages is short enough for a link to the next one', async () => {
    for (const number of [1, 2])
      await post('Patient', numberedPatient(`limits-${number}`, { name: [{ family: 'Limits' }] }));
    const random = (letters: number) => Array.from({ length: letters }, (_, at) => ((at * 7_919) % 36).toString(36));
    const search = (ids: number, count: number) =>
      form(
        'Patient',
        `family=Limits&_count=${count}&birthdate:missing=false&name=Limits,${numbered(ids, random(40).join(''), ',')}`,
      );

    const followed = await search(700, 1);
    const next = followed.body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
    expect(followed.status).toBe(200);
    expect((await ask(next)).body.entry).toHaveLength(1);
    expect((await search(1_900, 2)).body.entry).toHaveLength(2);
  });

  it('that takes several pages is refused where no link could repeat it, and tells what to do', async () => {
    const family = 'Limitless';
    for (const number of [1, 2]) await post('Patient', numberedPatient(`limitless-${number}`, { name: [{ family }] }));
    // Nothing that repeats, so nothing that a link could be spared.
    const values = Array.from({ length: 1_500 }, () => crypto.randomUUID()).join();
    const search = (count: number) => form('Patient', `family=${family}&name=${family},${values}&_count=${count}`);

    expectRefused(await search(1), 400, 'name', /too long.*fewer values.*larger pages/);
    expect((await search(2)).body.entry).toHaveLength(2);
  });
});

describe('a page', () => {
  it('has at most 1,000 matches: a larger _count is cut down, and the self link says so', {
    timeout: 300_000,
  }, async () => {
    const { id } = (await post('Patient', patientBody())).body;
    const entry = Array.from({ length: 1_001 }, () => ({
      resource: observationBody(`Patient/${id}`),
      request: { method: 'POST', url: 'Observation' },
    }));
    expect((await post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
    const linkOf = ({ body }: Answer, wanted: string) =>
      body.link?.find(({ relation }) => relation === wanted)?.url ?? '';
    const matchesIn = ({ body }: Answer) => (body.entry ?? []).filter(({ search }) => search?.mode === 'match').length;

    const exact = await ask(`Observation?patient=${id}&_count=1000`);
    const cut = await ask(`Observation?patient=${id}&_count=1001`);

    expect([exact, cut].map(matchesIn)).toEqual([1_000, 1_000]);
    expect(new URL(linkOf(cut, 'self')).searchParams.get('_count')).toBe('1000');
    expect(JSON.stringify(exact.body.entry?.slice(1_000))).toBe('[]');
    expect(cut.body.entry?.at(-1)?.resource).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', expression: ['_count'] }],
    });
    expect(matchesIn(await ask(linkOf(cut, 'next')))).toBe(1);
  });
});

describe('a body', () => {
  const padded = (bytes: number) => JSON.stringify(patientBody()).padEnd(bytes, ' ');

  it('has at most 4 MB', async () => {
    expect((await post('Patient', padded(4_000_000))).status).toBe(201);
    expectRefused(await post('Patient', padded(4_000_001)), 413, 'Content-Length', /4 MB/);
  });

  it('has at most 20 MB when it is inflated', async () => {
    const packed = (bytes: number) => post('Patient', gzipSync(padded(bytes)), { 'content-encoding': 'gzip' });

    expect((await packed(20_000_000)).status).toBe(201);
    expectRefused(await packed(20_000_001), 413, 'Content-Length', /20 MB/);
  });

  it('has at most 64 levels, and is not read beyond 100', async () => {
    const extended = (levels: number): fhir4.Extension =>
      levels === 0
        ? { url: 'http://concord.test/level', valueBoolean: true }
        : { url: 'http://concord.test/level', extension: [extended(levels - 1)] };
    const nested = (levels: number) => post('Patient', patientBody({ extension: [extended(levels)] }));

    expect((await nested(30)).status).toBe(201);
    expectRefused(await nested(31), 400, 'Patient', /64 levels/);
    expectRefused(await nested(50), 400, 'body', /100 levels/);
  });

  it('is a bundle of at most 5,000 entries', async () => {
    const entry = { request: { method: 'GET', url: 'Nothing/1' } };
    const bundle = (entries: number) =>
      post('', { resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: entries }, () => entry) });

    expect((await bundle(5_000)).body.entry).toHaveLength(5_000);
    expectRefused(await bundle(5_001), 413, 'Bundle.entry', /5000 entries/);
  });

  it('names in its entries addresses and conditions of at most 10,000 letters, and 200 parameters', async () => {
    const status = async (request: fhir4.BundleEntryRequest) => {
      const entry = [{ request, ...(request.method === 'GET' ? {} : { resource: patientBody() }) }];
      const { body } = await post('', { resourceType: 'Bundle', type: 'batch', entry });
      const { response } = body.entry?.[0] ?? {};
      const outcome = response?.outcome as fhir4.OperationOutcome | undefined;
      return [response?.status.slice(0, 3), ...(outcome?.issue[0]?.expression ?? [])];
    };
    const get = (url: string) => status({ method: 'GET', url });
    const conditional = (ifNoneExist: string) => status({ method: 'POST', url: 'Patient', ifNoneExist });

    expect(await get('Patient?family='.padEnd(10_000, 'a'))).toEqual(['200']);
    expect(await get('Patient?family='.padEnd(10_001, 'a'))).toEqual(['400', 'Bundle.entry[0].request.url']);
    expect(await conditional('identifier='.padEnd(10_000, 'b'))).toEqual(['201']);
    expect(await conditional('identifier='.padEnd(10_001, 'b'))).toEqual([
      '400',
      'Bundle.entry[0].request.ifNoneExist',
    ]);
    expect(await get(`Patient?${times(200, 'family=Nobody', '&')}`)).toEqual(['200']);
    expect((await get(`Patient?${times(201, 'family=Nobody', '&')}`))[0]).toBe('400');
  });
});
