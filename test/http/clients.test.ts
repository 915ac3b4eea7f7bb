import { Client } from 'fhir-kit-client';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { sharedConcord } from '../support/concord.ts';
import { observationBody, patientBody } from '../support/records.ts';

// The whole chain over real HTTP: gateway event → handler → DynamoDB → stream → event, by a client that apps use.

let concord: Concord;
let client: Client;
let stranger: Client;
beforeAll(async () => {
  concord = await sharedConcord();
  const clientOf = async (user: string) => new Client({ baseUrl: concord.url, bearerToken: await concord.token(user) });
  client = await clientOf('physician@northside.example');
  stranger = await clientOf('physician@lakeside.example');
});

/** The client's own types are looser and stricter than FHIR's in turn; what it answers is asserted below. */
const kit = async <T>(answer: Promise<unknown>): Promise<T> => (await answer) as T;
const sent = (resource: object) => resource as never;

type Answer = fhir4.Patient & { id: string; meta: { versionId: string } };
const statusOf = (request: Promise<unknown>): Promise<number | undefined> =>
  request.then(
    () => undefined,
    (error: { response?: { status?: number } }) => error.response?.status,
  );

describe('fhir-kit-client', () => {
  it('creates, reads, updates with If-Match, meets 412, deletes, meets 410', async () => {
    const resourceType = 'Patient';
    const created = await kit<Answer>(client.create({ resourceType, body: sent(patientBody()) }));
    const { id } = created;
    const options = (version: number) => ({ headers: { 'If-Match': `W/"${version}"` } });
    const body = { ...created, gender: 'male' as const };

    const read = await kit<Answer>(client.read({ resourceType, id }));
    const updated = await kit<Answer>(client.update({ resourceType, id, body: sent(body), options: options(1) }));
    const conflict = await statusOf(client.update({ resourceType, id, body: sent(body), options: options(1) }));
    await client.delete({ resourceType, id });
    const gone = await statusOf(client.read({ resourceType, id }));
    const version = await kit<Answer>(client.vread({ resourceType, id, version: '2' }));
    const history = await kit<fhir4.Bundle>(client.history({ resourceType, id }));

    expect(read).toEqual(created);
    expect(updated).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
    expect(conflict).toBe(412);
    expect(gone).toBe(410);
    expect(version).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['DELETE', 'PUT', 'POST']);
  });

  it('patches, updates and deletes by a condition', async () => {
    const resourceType = 'Patient';
    const identifier = [{ system: 'http://concord.test/number', value: 'kit-condition' }];
    const searchParams = { identifier: 'http://concord.test/number|kit-condition' };
    const body = sent(patientBody({ identifier }));

    const created = await kit<Answer>(client.update({ resourceType, searchParams, body }));
    const { id } = created;
    const updated = await kit<Answer>(client.update({ resourceType, searchParams, body }));
    const patch = [{ op: 'replace' as const, path: '/gender', value: 'other' }];
    const patched = await kit<Answer>(client.patch({ resourceType, id, jsonPatch: patch }));
    await client.request(`${resourceType}?identifier=${searchParams.identifier}`, { method: 'DELETE' });
    const gone = await statusOf(client.read({ resourceType, id }));

    expect([updated.id, updated.meta.versionId]).toEqual([id, '2']);
    expect(patched).toMatchObject({ gender: 'other', meta: { versionId: '3' } });
    expect(gone).toBe(410);
  });

  it('searches and pages to the end, and finds nothing as another organisation’s user', async () => {
    const patient = await kit<Answer>(
      client.create({
        resourceType: 'Patient',
        body: sent(patientBody({ name: [{ family: 'Kitpage' }] })),
      }),
    );
    const subject = `Patient/${patient.id}`;
    for (let n = 0; n < 12; n++)
      await client.create({ resourceType: 'Observation', body: sent(observationBody(subject)) });
    const search = { resourceType: 'Observation', searchParams: { patient: patient.id, _count: 5 } };

    const seen: string[] = [];
    let page: fhir4.Bundle | undefined = await kit<fhir4.Bundle>(client.search(search));
    while (page) {
      seen.push(...(page.entry ?? []).map(({ resource }) => resource?.id ?? ''));
      page = await kit<fhir4.Bundle | undefined>(client.nextPage({ bundle: sent(page) }) ?? Promise.resolve(undefined));
    }
    const hidden = await kit<fhir4.Bundle>(stranger.search(search));

    expect(new Set(seen).size).toBe(12);
    expect(seen.length).toBe(12);
    expect(hidden.entry ?? []).toEqual([]);
    expect(await statusOf(stranger.read({ resourceType: 'Patient', id: patient.id }))).toBe(404);
    expect(await statusOf(stranger.history({ resourceType: 'Patient', id: patient.id }))).toBe(404);
  });

  it('searches by POST and pages on from there', async () => {
    const family = 'Kitform';
    for (const given of ['One', 'Two', 'Three'])
      await client.create({ resourceType: 'Patient', body: sent(patientBody({ name: [{ family, given: [given] }] })) });
    const searchParams = { family, _count: 2, _format: 'application/fhir+json', _pretty: 'true' };

    const first = await kit<fhir4.Bundle>(
      client.search({ resourceType: 'Patient', searchParams, options: { postSearch: true } }),
    );
    const second = await kit<fhir4.Bundle>(client.nextPage({ bundle: sent(first) }) ?? Promise.reject());

    expect([first, second].map(({ entry }) => entry?.length)).toEqual([2, 1]);
    expect(new Set([first, second].flatMap(({ entry = [] }) => entry.map(({ fullUrl }) => fullUrl))).size).toBe(3);
  });

  it('follows references from what it searches, and tells what was included from what matched', async () => {
    const family = 'Kitchain';
    const { id } = await kit<Answer>(
      client.create({ resourceType: 'Patient', body: sent(patientBody({ name: [{ family }] })) }),
    );
    const made = await kit<Answer>(
      client.create({ resourceType: 'Observation', body: sent(observationBody(`Patient/${id}`)) }),
    );
    const search = async (resourceType: string, searchParams: Record<string, string>) => {
      const { entry = [] } = await kit<fhir4.Bundle>(client.search({ resourceType, searchParams }));
      return entry.flatMap(({ resource, search }) =>
        search?.mode === 'outcome' ? [] : [`${search?.mode} ${resource?.id}`],
      );
    };

    expect(await search('Observation', { 'subject:Patient.family': family, _include: 'Observation:subject' })).toEqual([
      `match ${made.id}`,
      `include ${id}`,
    ]);
    expect(
      await search('Patient', {
        family,
        '_has:Observation:patient:code': 'http://loinc.org|8867-4',
        _revinclude: 'Observation:patient',
      }),
    ).toEqual([`match ${id}`, `include ${made.id}`]);
    expect(await search('Patient', { family, '_has:Observation:patient:code': 'http://loinc.org|1' })).toEqual([]);
  });

  it('posts a transaction and reads the capability statement', async () => {
    const fullUrl = 'urn:uuid:5b7c1b4e-4a55-4a5c-9a83-0c8d5b1f6f11';
    const answer = await kit<fhir4.Bundle>(
      client.transaction({
        body: {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [
            { resource: observationBody(fullUrl), request: { method: 'POST', url: 'Observation' } },
            { fullUrl, resource: patientBody(), request: { method: 'POST', url: 'Patient' } },
          ],
        } as never,
      }),
    );
    const statement = await kit<fhir4.CapabilityStatement>(client.capabilityStatement());

    expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['201 Created', '201 Created']);
    const [observation, patient] = (answer.entry ?? []).map(
      ({ response }) => response?.location?.split('/').at(-3) ?? '',
    );
    expect(observation?.startsWith(`${patient}.`)).toBe(true);
    expect(statement).toMatchObject({ fhirVersion: '4.0.1', kind: 'instance' });
    expect(statement.rest?.[0]?.resource?.length).toBe(143);
  });
});

describe('fhir-kit-client with a batch and a Binary', () => {
  it('posts a batch whose entries are answered one by one', async () => {
    const { id } = await kit<Answer>(client.create({ resourceType: 'Patient', body: sent(patientBody()) }));
    const entry = [
      { request: { method: 'GET', url: `Patient/${id}` } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
      { resource: patientBody(), request: { method: 'POST', url: 'Patient' } },
    ];

    const answer = await kit<fhir4.Bundle>(
      client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } as never }),
    );

    expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['200 OK', '404', '201 Created']);
  });

  it('reads the history of a type and of the system', async () => {
    const { id } = await kit<Answer>(client.create({ resourceType: 'Patient', body: sent(patientBody()) }));
    const idsIn = async (history: Promise<unknown>) =>
      (await kit<fhir4.Bundle>(history)).entry?.map(({ resource }) => resource?.id);

    // Both are read from the feed, which follows what is written.
    await expect.poll(() => idsIn(client.typeHistory({ resourceType: 'Patient' }))).toContain(id);
    await expect.poll(() => idsIn(client.systemHistory())).toContain(id);
  });

  it('creates and reads a Binary as a resource', async () => {
    const body = sent({ resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' });

    const { id } = await kit<Answer>(client.create({ resourceType: 'Binary', body }));
    const read = await kit<fhir4.Binary>(client.read({ resourceType: 'Binary', id }));

    expect(read).toMatchObject({ contentType: 'text/plain', data: 'aGVsbG8=' });
  });
});

describe('what clients send by themselves', () => {
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const authorization = `Bearer ${await concord.token('physician@northside.example')}`;
    return fetch(`${concord.url}/${path}`, { ...init, headers: { authorization, ...headers } });
  };

  it.each([
    ['Accept', 'application/fhir+json, */*; q=0.1'],
    ['Accept', 'application/fhir+json; fhirVersion=4.0, application/json;q=0.9'],
    ['Accept', 'application/fhir+xml;q=1.0, application/fhir+json;q=1.0'],
    ['Accept-Charset', 'utf-8'],
    ['X-Medplum', 'extended'],
    ['X-Requested-With', 'XMLHttpRequest'],
    ['Prefer', 'return=presentation'],
    ['Prefer', 'respond-async, wait=10'],
    ['Content-Type', 'application/fhir+json'],
    ['Cache-Control', 'no-cache'],
    ['Origin', 'https://app.example'],
  ])('is no reason to refuse a search: %s: %s', async (name, value) => {
    const response = await ask('Patient?family=Nobody', { [name]: value });

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(
      /^application\/fhir\+json; (?:fhirVersion=4.0; )?charset=utf-8$/,
    );
  });

  it.each([
    'Patient/?family=Nobody',
    'Patient?family=Nobody&_format=application%2Ffhir%2Bjson',
    'Patient?family=Nobody&_format=application/fhir+json',
    'Patient?family=Nobody&_format=json&_pretty=true',
    'Patient?family=Nobody&',
    'Patient?&family=Nobody',
    'metadata?_format=json',
    'metadata/',
  ])('is no reason to refuse %s', async (path) => {
    expect((await ask(path)).status).toBe(200);
  });

  it('may be a form without a length of its own or with a charset', async () => {
    const type = 'application/x-www-form-urlencoded; charset=UTF-8';
    const post = (body: string) => ask('Patient/_search', { 'content-type': type }, { method: 'POST', body });

    expect((await post('family=Nobody')).status).toBe(200);
    expect((await post('family=Nobody&_format=json')).status).toBe(200);
    expect((await post('family=Nobody&_format=xml')).status).toBe(406);
    expect((await post('')).status).toBe(200);
    expect((await ask('Patient/_search?family=Nobody', {}, { method: 'POST' })).status).toBe(200);
  });
});

describe('the history of a type and of all types', () => {
  it('is read by fhir-kit-client, which pages through it', async () => {
    const { id } = await kit<Answer>(client.create({ resourceType: 'Patient', body: sent(patientBody()) }));
    const subject = `Patient/${id}`;
    const made = await kit<Answer>(
      client.create({ resourceType: 'Observation', body: sent(observationBody(subject)) }),
    );
    await client.delete({ resourceType: 'Observation', id: made.id });
    await concord.settled();
    const ownIn = ({ entry = [] }: fhir4.Bundle) =>
      entry
        .filter(({ fullUrl }) => fullUrl?.includes(id))
        .map(({ request }) => `${request?.method} ${request?.url.split('/')[0]}`);

    const ofType = await kit<fhir4.Bundle>(client.typeHistory({ resourceType: 'Observation' }));
    const ofAll = await kit<fhir4.Bundle>(client.systemHistory());
    const first = await kit<fhir4.Bundle>(client.request('_history?_count=2'));
    const second = await kit<fhir4.Bundle>(client.nextPage({ bundle: sent(first) }) ?? Promise.reject());
    const hidden = await kit<fhir4.Bundle>(stranger.systemHistory());

    expect(ofType.type).toBe('history');
    expect(ownIn(ofType)).toEqual(['DELETE Observation', 'POST Observation']);
    expect(ownIn(ofAll).toSorted()).toEqual(['DELETE Observation', 'POST Observation', 'POST Patient']);
    expect([...ownIn(first), ...ownIn(second)]).toEqual(ownIn(ofAll));
    expect(ownIn(hidden)).toEqual([]);
  });

  it('comes to be complete by the sweeper’s beats', async () => {
    const known = async () => {
      await concord.settled();
      return (await kit<fhir4.Bundle>(client.systemHistory())).meta?.lastUpdated;
    };

    await expect.poll(known, { interval: 500 }).toBeDefined();
  });
});

describe('a change', () => {
  it('reaches the bus as one event for each version, which says which record changed and not what is in it', async () => {
    const family = 'Unmentioned';
    const created = await kit<Answer>(
      client.create({
        resourceType: 'Patient',
        body: sent(patientBody({ name: [{ family }] })),
      }),
    );
    await client.update({ resourceType: 'Patient', id: created.id, body: sent({ ...created, active: true }) });
    await client.delete({ resourceType: 'Patient', id: created.id });

    await concord.settled();

    const events = concord.events().filter(({ event }) => JSON.stringify(event).includes(created.id));
    expect(JSON.stringify(events)).not.toContain(family);
    expect(events.map(({ event }) => event)).toMatchObject(
      (['created', 'updated', 'deleted'] as const).map((change, index) => ({
        source: 'concord.records',
        'detail-type': 'RecordChanged.v1',
        detail: {
          recordType: 'Patient',
          recordId: created.id,
          version: index + 1,
          change,
          custodian: 'northside',
          recipient: 'northside',
        },
      })),
    );
  });
});

describe('200 creates in eight lanes', () => {
  it('are each found by the search right after them', async () => {
    const token = await concord.token('physician@northside.example');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    const ask = async (path: string, init: RequestInit = {}) =>
      (await fetch(`${concord.url}/${path}`, { ...init, headers })).json() as Promise<fhir4.Bundle & { id: string }>;
    const charts = Array.from({ length: 2 }, () =>
      ask('Patient', { method: 'POST', body: JSON.stringify(patientBody()) }),
    );
    const patients = (await Promise.all(charts)).map(({ id }) => id);
    const missed: number[] = [];

    const lane = async (first: number) => {
      for (let n = first; n < 200; n += 8) {
        const patient = patients[n % patients.length];
        const code = { coding: [{ system: 'http://concord.test/code', code: `number-${n}` }] };
        const body = JSON.stringify(observationBody(`Patient/${patient}`, { code }));
        const { id } = await ask('Observation', { method: 'POST', body });
        const found = await ask(`Observation?patient=${patient}&code=http://concord.test/code|number-${n}&_count=1`);
        if (found.entry?.[0]?.resource?.id !== id) missed.push(n);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, first) => lane(first)));

    expect(missed).toEqual([]);
    expect((await ask(`Observation?patient=${patients.join(',')}&_summary=count`)).total).toBe(200);
  });
});
