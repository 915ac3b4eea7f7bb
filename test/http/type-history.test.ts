import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { writeFeed } from '../../shared/store/feed/write-feed.ts';
import { sweepAndBeat } from '../../shared/store/sweep-on-schedule.ts';
import { postEntry, transactionOf } from '../support/bundles.ts';
import { type FollowedServer, fileRecords, followedServer } from '../support/feed.ts';
import { base, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  nextLinkOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

const minute = 60_000;
const hour = 60 * minute;

/** `Type/id` and version of each entry. */
const told = (pages: readonly TestBody[]): string[] =>
  pages.flatMap(entriesOf).map(({ fullUrl, response }) => {
    const version = String(response?.etag).slice(3, -1);
    return `${String(fullUrl).slice(base.length + 1)} ${version}`;
  });
const version = (record: { resourceType: string; id?: string | undefined }, number: number) =>
  `${referenceTo(record)} ${number}`;

describe('GET /{type}/_history and GET /_history', () => {
  let server: FollowedServer;
  let patient: Stored<fhir4.Patient>;
  let observation: Stored<fhir4.Observation>;
  beforeAll(async () => {
    server = await followedServer();
    const start = Date.parse('2026-03-01T10:00:00Z');
    const at = (hours: number) => server.setTime(start + hours * hour);
    at(0);
    patient = await create(server, patientBody());
    at(1);
    observation = await create(server, observationBody(referenceTo(patient)));
    at(2);
    await server.put(pathOf(patient), { ...patient, birthDate: '1981-01-01' });
    at(3);
    await server.delete(pathOf(observation));
    at(4);
    await server.put(pathOf(observation), observation);
    at(5);
    await create(server, patientBody({ gender: 'male' }), elsewhere);
    server.setTime(undefined);
    await server.file();
  });

  it('shows what was done with records of a type, newest first, deletion and return included', async () => {
    const { status, body } = await server.get('Observation/_history');

    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history' });
    expect(body).not.toHaveProperty('total');
    expect(told([body])).toEqual([3, 2, 1].map((number) => version(observation, number)));
    const [back, deletion, creation] = entriesOf(body);
    expect(back).toMatchObject({
      resource: { id: observation.id, meta: { versionId: '3' } },
      request: { method: 'PUT', url: referenceTo(observation) },
      response: { status: '200' },
    });
    expect(deletion).toMatchObject({
      fullUrl: `${base}/${referenceTo(observation)}`,
      request: { method: 'DELETE', url: referenceTo(observation) },
      response: { status: '204', etag: 'W/"2"', lastModified: '2026-03-01T13:00:00.000Z' },
    });
    expect(deletion).not.toHaveProperty('resource');
    expect(creation).toMatchObject({
      resource: observation,
      request: { method: 'POST', url: 'Observation' },
      response: { status: '201' },
    });
  });

  it('shows each version as reading it by its number does', async () => {
    for (const entry of entriesOf((await server.get('_history')).body)) {
      if (entry.resource === undefined) continue;
      const { body } = await server.get(`${referenceTo(entry.resource)}/_history/${entry.resource.meta?.versionId}`);

      expect(entry.resource).toEqual(body);
    }
  });

  it('shows all types in one order, and nothing of another organisation', async () => {
    const pages = await allPages(server, '_history');

    expect(told(pages)).toEqual([
      version(observation, 3),
      version(observation, 2),
      version(patient, 2),
      version(observation, 1),
      version(patient, 1),
    ]);
  });

  it('shows another organisation its own', async () => {
    const { body } = await server.get('_history', { as: elsewhere });

    expect(told([body])).toHaveLength(1);
    expect(entriesOf(body)[0]).toMatchObject({ resource: { gender: 'male' }, request: { method: 'POST' } });
  });

  it.each([
    ['_since=2026-03-01T12:00:00Z', ['Observation 3', 'Observation 2', 'Patient 2']],
    ['_since=2026-03-01T12:00:00.001Z', ['Observation 3', 'Observation 2']],
    ['_since=2026-03-02', []],
    ['_at=2026-03-01T10:30:00Z', ['Patient 1']],
    ['_at=2026-03-01T12:30', ['Patient 2', 'Observation 1']],
    ['_at=2026-03-01T13:00:00.000Z', ['Observation 2', 'Patient 2']],
    ['_at=2026-03-01', ['Observation 3', 'Observation 2', 'Patient 2', 'Observation 1', 'Patient 1']],
    ['_at=2027', ['Observation 3', 'Patient 2']],
    ['_at=2026-02', []],
  ])('%s shows %j, on one page and on many', async (query, expected) => {
    const shown = async (path: string) => told(await allPages(server, path)).map((text) => text.replace(/\/\S+/, ''));

    expect(await shown(`_history?${query}`)).toEqual(expected);
    expect(await shown(`_history?${query}&_count=1`)).toEqual(expected);
    expect(await shown(`Patient/_history?${query}`)).toEqual(expected.filter((text) => text.startsWith('Patient')));
  });

  it.each(['_since=yesterday', '_since=2026&_at=2026', '_count=x', 'status=final', '_sort=_lastUpdated'])(
    'refuses %s with 400',
    async (query) => {
      const { status } = await server.get(`Observation/_history?${query}`);

      expect(status).toBe(400);
    },
  );

  it('is only to be read', async () => {
    for (const path of ['_history', 'Patient/_history']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const { status, headers } = await server.request(method, path, method === 'DELETE' ? {} : { body: {} });

        expect([method, path, status, headers.allow]).toEqual([method, path, 405, 'GET, HEAD']);
      }
      expect((await server.request('HEAD', path)).status).toBe(200);
    }
  });

  it('answers 404 for a type that there is not, or that has no history', async () => {
    expect((await server.get('Nonsense/_history')).status).toBe(404);
    expect((await server.get('AuditEvent/_history', { as: { role: 'privacy' } })).status).toBe(404);
  });

  it('refuses a role that may not read the type, and leaves it out of the history of all', async () => {
    const as = { role: 'frontdesk' };

    const refused = await server.get('Observation/_history', { as });
    const allowed = told([(await server.get('_history', { as })).body]);

    expect(refused.status).toBe(403);
    expect(issuesOf(refused.body)).toMatchObject([{ reason: 'forbidden-role' }]);
    expect(allowed).toEqual([version(patient, 2), version(patient, 1)]);
  });

  it('refuses a token whose scopes leave out the type', async () => {
    const as = { role: 'physician', scope: 'user/Patient.rs' };

    expect((await server.get('Observation/_history', { as })).status).toBe(403);
    expect(told([(await server.get('_history', { as })).body])).toEqual([version(patient, 2), version(patient, 1)]);
  });

  it('shows of what a scope is narrowed to those versions alone of which the current one is within it, too', async () => {
    const own = await followedServer();
    const category = (code: string) => [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
    ];
    const subject = referenceTo(await create(own, patientBody()));
    const within = await create(own, observationBody(subject, { category: category('laboratory') }));
    await own.put(pathOf(within), { ...within, status: 'amended' });
    const left = await create(own, observationBody(subject, { category: category('laboratory') }));
    await own.put(pathOf(left), { ...left, category: category('vital-signs') });
    await create(own, observationBody(subject, { category: category('vital-signs') }));
    await own.file();
    const scope = 'user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';

    for (const path of ['Observation/_history', '_history', '_history?_count=1']) {
      const pages = await allPages(own, path, { role: 'physician', scope });

      expect(told(pages)).toEqual([version(within, 2), version(within, 1)]);
    }
  });

  describe('where records are hidden from who asks', () => {
    const start = Date.parse('2026-03-01T10:00:00Z');
    const category = (code: string) => [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
    ];
    const condition = 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';
    /** A chart with records that are hidden, whoever of these asks, and what their pages of one version show. */
    const chartWith = async (hidden: number) => {
      const own = await followedServer();
      own.setTime(start);
      const patient = await create(own, patientBody());
      const body = (code: string) => observationBody(referenceTo(patient), { category: category(code) });
      const others = Array.from({ length: hidden }, () => postEntry(body('social-history')));
      if (hidden > 0) expect((await own.post('', transactionOf(...others), { as: system })).status).toBe(200);
      const visible = async (minutes: number) => {
        own.setTime(start + minutes * minute);
        return create(own, body('laboratory'));
      };
      const callers = [
        { role: 'patient', patient: patient.id, scope: `patient/Observation.rs?${condition}` },
        { role: 'physician', scope: `user/Observation.rs?${condition}` },
      ];
      const pages = async () => {
        own.setTime(undefined);
        await own.file();
        const asked = await Promise.all(callers.map((as) => allPages(own, 'Observation/_history?_count=1', as)));
        return asked.map((each) => each.map((page) => told([page])));
      };
      return { visible, pages };
    };

    it.each([0, 1, 5, 7, 19, 120])('there are as many pages with %i of them as with none', async (hidden) => {
      const { visible, pages } = await chartWith(hidden);

      expect(await pages()).toEqual([[[]], [[]]]);
      const first = await visible(1);
      const one = [[version(first, 1)]];
      expect(await pages()).toEqual([one, one]);
      const two = [[version(await visible(2), 1)], ...one];
      expect(await pages()).toEqual([two, two]);
      const three = [...two, [version(await visible(-1), 1)]];
      expect(await pages()).toEqual([three, three]);
    });

    it('a page ends after a thousand of them, and leads on', async () => {
      const { visible, pages } = await chartWith(1_100);
      const all = [[], [version(await visible(-1), 1)]];

      expect(await pages()).toEqual([all, all]);
    });

    it('a page ends after twenty calls for large ones, and leads on', async () => {
      const own = await followedServer();
      const patient = await create(own, patientBody());
      const encounter = await create(own, encounterBody(referenceTo(patient)));
      const binary = { resourceType: 'Binary', contentType: 'application/octet-stream' } as const;
      own.setTime(start);
      const visible = await create(own, { ...binary, data: 'AAAA' } as fhir4.Binary);
      const securityContext = { reference: referenceTo(encounter) };
      const data = randomBytes(2_000_000).toString('base64'); // two are more than a call brings
      own.setTime(start + minute);
      for (let n = 0; n < 21; n++) await create(own, { ...binary, data, securityContext } as fhir4.Binary);
      own.setTime(undefined);
      await own.file();

      const pages = await allPages(own, 'Binary/_history', { role: 'physician', scope: 'user/Binary.rs' });

      expect(pages.map((page) => told([page]))).toEqual([[], [version(visible, 1)]]);
    });
  });

  it('shows of Binaries those alone whose security context may be seen, and tells its chart', async () => {
    const own = await followedServer();
    const patient = await create(own, patientBody());
    const encounter = await create(own, encounterBody(referenceTo(patient)));
    const data = Buffer.from('text').toString('base64');
    const binary = await create(own, {
      resourceType: 'Binary',
      contentType: 'text/plain',
      data,
      securityContext: { reference: referenceTo(encounter) },
    } as fhir4.Binary);
    await own.file();

    const hidden = await own.get('Binary/_history', { as: { role: 'physician', scope: 'user/Binary.rs' } });
    const shown = told([(await own.get('Binary/_history')).body]);

    expect([hidden.status, told([hidden.body])]).toEqual([200, []]);
    expect(shown).toEqual([version(binary, 1)]);
    const log = (await own.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } })).body;
    const named = entriesOf(log)
      .flatMap(({ resource }) => (resource as unknown as fhir4.AuditEvent).entity ?? [])
      .map(({ what }) => what?.reference);
    expect(named).toContain(`Binary/${binary.id}/_history/1`);
  });

  it.each([
    ['of ours', undefined, undefined],
    ['that a client chose, of a patient', 'chosen-patient', undefined],
    ['that a client chose, of a record', undefined, 'chosen-encounter'],
  ])(
    'tells the chart of what a Binary is under now, by an id %s, of versions from before and of its deletion',
    async (_, patientId, encounterId) => {
      const own = await followedServer();
      const start = Date.parse('2026-03-01T10:00:00Z');
      own.setTime(start);
      const stored = async <T extends fhir4.FhirResource>(body: T, id: string | undefined) =>
        (id === undefined
          ? await create(own, body)
          : (await own.put(`${body.resourceType}/${id}`, { ...body, id }, { as: system })).body) as Stored<T>;
      const patient = await stored(patientBody(), patientId);
      const encounter = await stored(encounterBody(referenceTo(patient)), encounterId);
      const binary = await create(own, { resourceType: 'Binary', contentType: 'text/plain', data: 'AAAA' });
      own.setTime(start + hour);
      const securityContext = { reference: referenceTo(patientId === undefined ? encounter : patient) };
      await own.put(pathOf(binary), { ...binary, securityContext });
      own.setTime(start + 2 * hour);
      await own.delete(pathOf(binary));
      own.setTime(undefined);
      await own.file();

      const before = (await own.get('Binary/_history?_at=2026-03-01T10:30:00Z')).body;
      const deletion = (await own.get('Binary/_history?_since=2026-03-01T12:00:00Z')).body;

      expect([told([before]), told([deletion])]).toEqual([[version(binary, 1)], [version(binary, 3)]]);
      const log = (await own.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } })).body;
      const histories = entriesOf(log)
        .map(({ resource }) => resource as unknown as fhir4.AuditEvent)
        .filter(({ subtype }) => subtype?.[0]?.code === 'history-type')
        .map(({ entity }) => entity?.map(({ what }) => what?.reference).filter((name) => name?.startsWith('Binary')));
      expect(histories.toSorted()).toEqual([1, 3].map((number) => [`Binary/${binary.id}/_history/${number}`]));
    },
  );

  it('is an entry of a batch', async () => {
    const { body } = await server.post('', {
      resourceType: 'Bundle',
      type: 'batch',
      entry: ['Patient/_history?_count=1', '_history', 'Observation/_history?_since=2026-03-01T14:00:00Z'].map(
        (url) => ({ request: { method: 'GET', url } }),
      ),
    });

    const [one, all, since] = entriesOf(body).map(({ resource }) => resource as TestBody);
    expect(told([one as TestBody])).toEqual([version(patient, 2)]);
    expect(told([all as TestBody])).toHaveLength(5);
    expect(told([since as TestBody])).toEqual([version(observation, 3)]);
    expect(told(await allPages(server, nextLinkOf(one as TestBody) ?? ''))).toEqual([version(patient, 1)]);
  });

  it('is traced in the log of each chart that it shows', async () => {
    const own = await create(server, patientBody());
    await server.file();
    const since = encodeURIComponent(own.meta.lastUpdated ?? '');

    await server.get(`Patient/_history?_since=${since}`);

    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: { role: 'privacy' } });
    const accesses = entriesOf(body).map(({ resource }) => resource as unknown as fhir4.AuditEvent);
    const access = accesses.find(({ subtype }) => subtype?.[0]?.code === 'history-type');
    expect(access?.entity?.map(({ what }) => what?.reference)).toContain(`Patient/${own.id}/_history/1`);
    const query = access?.entity?.map(({ query: text }) => text).find(Boolean) ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe(`Patient/_history?_since=${own.meta.lastUpdated}`);
  });

  it('shows nothing if the trace cannot be written', async () => {
    const put = server.store.client.middlewareStack;
    put.add(
      (next, context) => async (args) => {
        const item = (args.input as { Item?: { pk?: unknown } }).Item;
        if (context.commandName === 'PutItemCommand' && String(item?.pk).startsWith('A#')) throw new Error('away');
        return next(args);
      },
      { step: 'initialize', name: 'noTrace' },
    );
    const { status, text } = await server.get('Patient/_history');
    put.remove('noTrace');

    expect(status).toBe(500);
    expect(text).not.toContain(patient.id);
  });

  it('shows the directory to everybody, whoever keeps it', async () => {
    const organization = await create(server, organizationBody({ name: 'Feed Clinic' }), {
      ...admin,
      organization: 'lakeside',
    });
    await server.file();

    const { body } = await server.get('Organization/_history');

    expect(told([body])).toEqual([version(organization, 1)]);
  });

  it('shows a patient the own chart, without waiting for the stream', async () => {
    const stranger = await create(server, patientBody());
    await create(server, observationBody(referenceTo(stranger)));
    const began = Date.parse('2026-06-01T10:00:00Z');
    server.setTime(began);
    const own = await create(server, patientBody());
    server.setTime(began + minute);
    const pulse = await create(server, observationBody(referenceTo(own)));
    server.setTime(began + 2 * minute);
    await server.put(pathOf(pulse), { ...pulse, status: 'amended' });
    server.setTime(began + 3 * minute);
    await server.put(pathOf(own), { ...own, birthDate: '1981-01-01' });
    server.setTime(undefined);
    const as = { role: 'patient', patient: own.id, scope: 'patient/*.rs' };

    const ofType = await allPages(server, 'Observation/_history?_count=1', as);
    const ofAll = await allPages(server, '_history', as);
    const at = await allPages(server, `_history?_at=${encodeURIComponent(pulse.meta.lastUpdated ?? '')}`, as);

    expect(told(ofType)).toEqual([version(pulse, 2), version(pulse, 1)]);
    expect(told(ofAll).filter((text) => !text.startsWith('Organization'))).toEqual([
      version(own, 2),
      version(pulse, 2),
      version(pulse, 1),
      version(own, 1),
    ]);
    expect(told(at)).toContain(version(own, 1));
    expect(Date.parse(String(ofType[0]?.meta?.lastUpdated))).toBeGreaterThan(Date.now() - hour);
  });
});

/** Patients that were created a second apart. */
const createEach = async (server: FollowedServer, count: number): Promise<Stored<fhir4.Patient>[]> => {
  const records: Stored<fhir4.Patient>[] = [];
  for (let n = 0; n < count; n++) {
    server.setTime(Date.parse('2026-04-01T10:00:00Z') + n * 1_000);
    records.push(await create(server, patientBody()));
  }
  server.setTime(undefined);
  return records;
};

describe('paging through the history of a type', () => {
  let server: FollowedServer;
  const records: Stored<fhir4.Patient>[] = [];
  beforeAll(async () => {
    server = await followedServer();
    records.push(...(await createEach(server, 60)));
    await server.file();
  });
  const first = () => records.map((record) => version(record, 1)).reverse();

  it('leads through all of it, each version once', async () => {
    for (const count of [1, 7, 50, 200]) {
      const pages = await allPages(server, `Patient/_history?_count=${count}`);

      expect(told(pages)).toEqual(first());
      expect(pages.map((page) => entriesOf(page).length)).toEqual(
        Array.from({ length: Math.ceil(60 / count) }, (_, n) => Math.min(count, 60 - n * count)),
      );
    }
  });

  it('costs a bounded number of calls, few of which wait for one another', async () => {
    server.calls.reset();
    const { body } = await server.get('Patient/_history?_count=20');
    const { names } = server.calls;
    const count = (name: string) => names.filter((each) => each === name).length;

    expect(entriesOf(body)).toHaveLength(20);
    // Up to when it is complete, one or two rounds of four partitions, the versions, a trace a chart.
    expect(count('Query')).toBeLessThanOrEqual(9);
    expect([count('BatchGetItem'), count('PutItem'), count('GetItem')]).toEqual([1, 20, 0]);
    expect(server.calls.sequential()).toBeLessThanOrEqual(5);
  });

  it('finds what is rare behind 10,000 changes of other types on the first page', async () => {
    const own = await followedServer();
    const [patient] = await createEach(own, 1);
    await own.file();
    const { ids } = own.store;
    const charts = Array.from({ length: 100 }, () => ids.newChart());
    const others = Array.from({ length: 10_000 }, (_, n): RecordChange => {
      const updated = Date.parse('2026-04-02T10:00:00Z') + n * 100;
      const chart = charts[n % charts.length] as string;
      return {
        type: 'Goal',
        chart,
        place: ids.newPlace(updated),
        version: 1,
        updated,
        custodian: 'northside',
        change: 'created',
      };
    });
    await writeFeed(own.store, others);
    own.calls.reset();

    const { body } = await own.get('Patient/_history');

    expect(told([body])).toEqual([version(patient as Stored<fhir4.Patient>, 1)]);
    expect(nextLinkOf(body)).toBeUndefined();
    expect(own.calls.names.length).toBeLessThanOrEqual(1 + 6 * 4 + 2);
  });

  it('is not disturbed by what is written and filed between two pages', async () => {
    const seen: string[] = [];
    const since = encodeURIComponent(records[0]?.meta.lastUpdated ?? '');
    const before = told(await allPages(server, `Patient/_history?_since=${since}`));
    for (let url: string | undefined = `Patient/_history?_since=${since}&_count=9`; url !== undefined; ) {
      const { body } = await server.get(url);
      seen.push(...told([body]));
      await create(server, patientBody());
      await server.put(pathOf(records[5] as Stored<fhir4.Patient>), records[5]);
      await server.file();
      url = nextLinkOf(body);
    }

    expect(seen).toEqual(before);
  });

  it('shows a version once that the stream delivers again, in whatever batches', async () => {
    const own = await followedServer();
    const made = await createEach(own, 12);
    const records = await own.streamed();

    await fileRecords(own.store, records, 100);
    await fileRecords(own.store, records, 100);
    await fileRecords(own.store, records, 7);
    await fileRecords(own.store, records.slice(3), 5);

    const expected = made.map((record) => version(record, 1)).reverse();
    expect(told(await allPages(own, 'Patient/_history'))).toEqual(expected);
    expect(told(await allPages(own, 'Patient/_history?_count=5'))).toEqual(expected);
  });

  it('refuses a link of another caller and of another type', async () => {
    const next = nextLinkOf((await server.get('Patient/_history?_count=5')).body) ?? '';

    for (const response of [
      await server.get(next, { as: { role: 'nurse' } }),
      await server.get(next, { as: elsewhere }),
      await server.get(next.replace('/Patient/', '/Observation/')),
      await server.get(next.replace('/Patient/', '/')),
    ]) {
      expect(response.status).toBe(400);
      expect(issuesOf(response.body)).toMatchObject([{ reason: 'page-link' }]);
    }
  });

  it('shows a large transaction once it is committed, all of it', async () => {
    const own = await followedServer();
    const entry = Array.from({ length: 150 }, (_, n) => ({
      fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      resource: n === 0 ? patientBody() : observationBody('urn:uuid:00000000-0000-4000-8000-000000000000'),
      request: { method: 'POST', url: n === 0 ? 'Patient' : 'Observation' },
    }));
    const { status, body } = await own.post('', { resourceType: 'Bundle', type: 'transaction', entry });
    await own.file();

    const pages = await allPages(own, '_history?_count=40');

    expect(status).toBe(200);
    const written = entriesOf(body).map(({ response }) => String(response?.location).replace('/_history/', ' '));
    expect(told(pages).toSorted()).toEqual(written.map((text) => text.replace(`${base}/`, '')).toSorted());
  });
});

describe('up to when a history is complete', () => {
  const start = Date.parse('2026-05-01T08:00:00Z');
  const completeOf = async (server: FollowedServer, path = 'Patient/_history') => {
    const { body } = await server.get(path);
    return (body.meta as fhir4.Meta | undefined) ?? {};
  };

  it('is not known before the stream has been followed', async () => {
    const server = await followedServer();
    await create(server, patientBody());
    await server.file();

    expect(await completeOf(server)).toEqual({
      _lastUpdated: {
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
      },
    });
  });

  it('is a minute before the last beat that came through: what is there besides is shown too', async () => {
    const server = await followedServer();
    await server.beat(start);
    await create(server, patientBody());
    await server.file();

    const { body } = await server.get('Patient/_history');

    expect(body.meta).toEqual({ lastUpdated: new Date(start - minute).toISOString() });
    expect(entriesOf(body)).toHaveLength(1);
  });

  it('does not move while the consumer stands still, whatever is written', async () => {
    const server = await followedServer();
    await server.beat(start);
    server.setTime(start + minute);
    const late = await create(server, patientBody());
    await sweepAndBeat(server.store, start + 5 * minute);

    const behind = (await server.get('Patient/_history')).body;
    await server.file();
    const after = (await server.get('Patient/_history')).body;

    expect([behind.meta, told([behind])]).toEqual([{ lastUpdated: new Date(start - minute).toISOString() }, []]);
    expect([after.meta, told([after])]).toEqual([
      { lastUpdated: new Date(start + 4 * minute).toISOString() },
      [version(late, 1)],
    ]);
  });

  it('is on every page what the first page said, so that a poll from there misses nothing that came late', async () => {
    const server = await followedServer();
    server.setTime(start);
    for (let n = 0; n < 3; n++) await create(server, patientBody());
    await server.beat(start + 10 * minute);
    server.setTime(start + 9 * minute + 1);
    const late = await create(server, patientBody()); // its change is not filed before the first page is read
    server.setTime(start + 20 * minute);
    const newer = await create(server, patientBody());
    const streamed = await server.streamed();
    const isLate = ({ dynamodb }: (typeof streamed)[number]) => dynamodb?.NewImage?.pk?.S === `C#${late.id}`;
    await fileRecords(
      server.store,
      streamed.filter((record) => !isLate(record)),
    );

    const first = (await server.get('Patient/_history?_count=2')).body;
    await fileRecords(server.store, streamed.filter(isLate));
    await server.beat(start + 30 * minute);
    const rest = await allPages(server, nextLinkOf(first) ?? '');
    const complete = String(first.meta?.lastUpdated);
    const poll = await allPages(server, `Patient/_history?_since=${encodeURIComponent(complete)}`);

    expect(complete).toBe(new Date(start + 9 * minute).toISOString());
    expect(rest.map(({ meta }) => meta?.lastUpdated)).toEqual(rest.map(() => complete));
    expect(told([first, ...rest])).not.toContain(version(late, 1));
    expect(told(poll)).toEqual([version(newer, 1), version(late, 1)]);
  });
});
