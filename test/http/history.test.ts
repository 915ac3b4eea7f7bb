import { beforeAll, describe, expect, it } from 'vitest';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  elsewhere,
  entriesOf,
  issuesOf,
  nextLinkOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

const versions = 120;

let server: FhirServer;
/** A patient of 120 versions. */
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  for (let version = 2; version <= versions; version++) {
    await server.put(pathOf(patient), { ...patient, multipleBirthInteger: version });
  }
});

const versionsIn = (pages: readonly TestBody[]) =>
  pages.flatMap(resourcesIn).map(({ meta }) => Number(meta?.versionId));
const newestFirst = Array.from({ length: versions }, (_, n) => versions - n);

describe('GET /{type}/{id}/_history', () => {
  it('shows what was done, newest first, deletions included', async () => {
    const record = await create(server, patientBody());
    const updated = (await server.put(pathOf(record), { ...record, birthDate: '1981-01-01' })).body;
    await server.delete(pathOf(record));

    const { status, body } = await server.get(`${pathOf(record)}/_history`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 3 });
    const [deletion, update, creation, ...rest] = entriesOf(body);
    expect(rest).toEqual([]);
    expect(deletion).toMatchObject({
      fullUrl: `${base}/${referenceTo(record)}`,
      request: { method: 'DELETE', url: referenceTo(record) },
      response: { status: '204', etag: 'W/"3"' },
    });
    expect(deletion).not.toHaveProperty('resource');
    expect(update).toMatchObject({
      resource: updated,
      request: { method: 'PUT' },
      response: { status: '200', etag: 'W/"2"' },
    });
    expect(creation).toMatchObject({
      resource: record,
      request: { method: 'POST', url: 'Patient' },
      response: { status: '201' },
    });
  });

  it('leads through 120 versions by next links, each once', async () => {
    const pages = await allPages(server, `${pathOf(patient)}/_history`);

    expect(pages.length).toBeGreaterThan(1);
    expect(versionsIn(pages)).toEqual(newestFirst);
    expect(pages[0]?.total).toBe(versions);
  });

  it('keeps the size of a page that was asked for, on every page', async () => {
    const pages = await allPages(server, `${pathOf(patient)}/_history?_count=25`);

    expect(pages.map((page) => entriesOf(page).length)).toEqual([25, 25, 25, 25, 20]);
    expect(versionsIn(pages)).toEqual(newestFirst);
  });

  it('is not disturbed by a version that is made between two pages', async () => {
    const record = await create(server, patientBody());
    for (let n = 0; n < 3; n++) await server.put(pathOf(record), record);
    const first = (await server.get(`${pathOf(record)}/_history?_count=2`)).body;
    await server.put(pathOf(record), record);

    const rest = await allPages(server, nextLinkOf(first) ?? '');

    expect(versionsIn([first, ...rest])).toEqual([4, 3, 2, 1]);
  });

  it('ends without a next link where the last page is full', async () => {
    const record = await create(server, patientBody());
    await server.put(pathOf(record), record);

    const pages = await allPages(server, `${pathOf(record)}/_history?_count=2`);

    expect(versionsIn(pages)).toEqual([2, 1]);
  });

  it('refuses a next link that was altered', async () => {
    const next = nextLinkOf((await server.get(`${pathOf(patient)}/_history`)).body) ?? '';
    const altered = [
      `${next.slice(0, -4)}AAAA`,
      next.slice(0, -8),
      next.replace(/_page=.*/, '_page=x'),
      next.replace(/_page=(.)/, (_, letter: string) => `_page=${letter === 'A' ? 'B' : 'A'}`),
    ];

    for (const url of altered) {
      const response = await server.get(url);

      expect(response.status).toBe(400);
      expect(issuesOf(response.body)).toMatchObject([{ reason: 'page-link', expression: '_page' }]);
    }
  });

  it('refuses the next link of another caller, and of another record', async () => {
    const other = await create(server, patientBody());
    const next = nextLinkOf((await server.get(`${pathOf(patient)}/_history`)).body) ?? '';

    const asColleague = await server.get(next, { as: { role: 'nurse' } });
    const asStranger = await server.get(next, { as: elsewhere });
    const elsewhereUsed = await server.get(next.replace(patient.id ?? '', other.id ?? ''));

    for (const response of [asColleague, asStranger, elsewhereUsed]) {
      expect(response.status).toBe(400);
      expect(issuesOf(response.body)).toMatchObject([{ reason: 'page-link' }]);
    }
  });

  it('refuses a next link after a day', async () => {
    const next = nextLinkOf((await server.get(`${pathOf(patient)}/_history`)).body) ?? '';
    server.setTime(Date.now() + 25 * 3600_000);

    const response = await server.get(next);
    server.setTime(undefined);

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ reason: 'page-link' }]);
  });

  it('puts no version, chart or query into a next link', async () => {
    const next = nextLinkOf((await server.get(`${pathOf(patient)}/_history?_count=25`)).body) ?? '';

    const token = new URL(next).searchParams.get('_page') ?? '';
    expect([...new URL(next).searchParams.keys()]).toEqual(['_count', '_page']);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('query');
  });

  it('answers 404 for a record that never was', async () => {
    expect((await server.get('Patient/nobody/_history')).status).toBe(404);
    expect((await server.get(`Observation/${patient.id}/_history`)).status).toBe(404);
  });

  it.each(['-1', 'x', '1.5', ''])('refuses _count=%s', async (count) => {
    const response = await server.get(`${pathOf(patient)}/_history?_count=${count}`);

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ expression: '_count' }]);
  });
});

describe('a time in the history of a record', () => {
  const hour = 3600_000;
  const first = Date.parse('2026-03-01T10:00:00Z');
  /** A record of four versions: 1 at ten o'clock, 2 at eleven, 3, its deletion, at twelve, 4 at one. */
  let record: Stored<fhir4.Patient>;
  beforeAll(async () => {
    server.setTime(first);
    record = await create(server, patientBody());
    server.setTime(first + hour);
    await server.put(pathOf(record), record);
    server.setTime(first + 2 * hour);
    await server.delete(pathOf(record));
    server.setTime(first + 3 * hour);
    await server.put(pathOf(record), record);
    server.setTime(undefined);
  });

  const versionsAt = async (query: string) => {
    const pages = await allPages(server, `${pathOf(record)}/_history?${query}`);
    const versions = pages.flatMap(entriesOf).map(({ response }) => Number(response?.etag?.slice(3, -1)));
    return { versions, pages: pages.length, total: pages[0]?.total };
  };

  it.each([
    ['_since=2026-03-01T09:00:00Z', [4, 3, 2, 1]],
    ['_since=2026-03-01T11:00:00Z', [4, 3, 2]],
    ['_since=2026-03-01T11:00:00.001Z', [4, 3]],
    ['_since=2026-03-01T14:00:00%2B02:00', [4, 3]],
    ['_since=2026-03-01T14:00:00+02:00', [4, 3]],
    ['_since=2026-03-02', []],
    ['_at=2026-03-01T10:30:00Z', [1]],
    ['_at=2026-03-01T11:00:00.000Z', [2]],
    ['_at=2026-03-01T12:30', [3]],
    ['_at=2026-03-01', [4, 3, 2, 1]],
    ['_at=2027', [4]],
    ['_at=2026-02', []],
  ])('%s shows the versions %j', async (query, expected) => {
    expect(await versionsAt(query)).toEqual({ versions: expected, pages: 1, total: expected.length });
  });

  it.each([
    ['_since=2026-03-01T10:30:00Z&_count=2', [4, 3, 2], 2],
    ['_since=2026-03-01T10:30:00Z&_count=3', [4, 3, 2], 1],
    ['_at=2026-03-01&_count=1', [4, 3, 2, 1], 4],
  ])('%s pages', async (query, expected, pages) => {
    expect(await versionsAt(query)).toMatchObject({ versions: expected, pages });
  });

  it('passes by many newer versions', async () => {
    const pages = await allPages(server, `${pathOf(patient)}/_history?_at=${patient.meta.lastUpdated}&_count=5`);

    expect(versionsIn(pages)).toEqual([1]);
  });

  it('shows that a record was deleted and came back', async () => {
    const { body } = await server.get(`${pathOf(record)}/_history?_since=2026-03-01T12:00:00Z`);

    expect(entriesOf(body)).toMatchObject([
      { request: { method: 'PUT' }, response: { status: '200', etag: 'W/"4"' } },
      { request: { method: 'DELETE', url: referenceTo(record) }, response: { status: '204', etag: 'W/"3"' } },
    ]);
    expect(entriesOf(body)[1]).not.toHaveProperty('resource');
  });

  it.each(['_since=yesterday', '_at=', '_at=ge2026', '_at=2026-03-01T11', '_since=2026&_at=2026'])(
    'refuses %s with 400',
    async (query) => {
      const response = await server.get(`${pathOf(record)}/_history?${query}`);

      expect(response.status).toBe(400);
      expect(issuesOf(response.body)[0]?.expression).toMatch(/^_(?:since|at)$/);
    },
  );
});
