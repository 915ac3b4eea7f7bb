import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { sharedConcord } from '../support/concord.ts';
import { identifierSystem, numberedPatient, observationBody, patientBody } from '../support/records.ts';

// SMART's JavaScript client, which apps use that are launched from within a record, over real HTTP and as it is published.

interface Paging {
  readonly pageLimit?: number;
  readonly flat?: boolean;
  readonly resolveReferences?: string;
  readonly onPage?: (page: fhir4.Bundle) => void;
}
interface Headers {
  readonly headers: Readonly<Record<string, string>>;
}
type Request = string | ({ readonly url: string; readonly method: string; readonly body: string } & Headers);
interface SmartClient {
  create(resource: object, options?: Headers): Promise<unknown>;
  update(resource: object, options?: Headers): Promise<unknown>;
  patch(url: string, patch: readonly object[]): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  request(request: Request, paging?: Paging): Promise<unknown>;
  pages(url: string): AsyncIterable<fhir4.Bundle>;
  resources(url: string): AsyncIterable<fhir4.Resource>;
  getFhirVersion(): Promise<string>;
  getFhirRelease(): Promise<number>;
  readonly patient: { read(): Promise<unknown>; request(request: Request, paging?: Paging): Promise<unknown> };
}
type Smart = (request: object, response: object, storage: object) => { client(state: object): SmartClient };
// The package's own types bring those of a browser with them, for the whole project.
const smart = createRequire(import.meta.url)('fhirclient') as Smart;

type Saved = fhir4.Patient & { id: string; meta: { versionId: string } };

let concord: Concord;
let client: SmartClient;
let stranger: SmartClient;
let patient: Saved;
const observations: string[] = [];

/** Where the client keeps what it learnt at sign-in, which these tests do by themselves. */
const noSession = { get: async () => undefined, set: async <T>(_: string, value: T) => value, unset: async () => true };

const answered = async <T>(answer: Promise<unknown>): Promise<T> => (await answer) as T;

beforeAll(async () => {
  concord = await sharedConcord();
  const clientOf = async (user: string, context: { patient?: string } = {}) =>
    smart({}, {}, noSession).client({
      serverUrl: concord.url,
      tokenResponse: { access_token: await concord.token(user), ...context },
    });
  const unbound = await clientOf('physician@northside.example');
  patient = await answered<Saved>(unbound.create(patientBody({ name: [{ family: 'Smartclient' }] })));
  client = await clientOf('physician@northside.example', { patient: patient.id });
  stranger = await clientOf('physician@lakeside.example');
  for (let day = 1; day <= 7; day++) {
    const body = observationBody(`Patient/${patient.id}`, { effectiveDateTime: `2024-05-0${day}` });
    observations.unshift((await answered<{ id: string }>(client.create(body))).id);
  }
});

interface Failure {
  readonly status: number;
  readonly message: string;
}
const failureOf = (request: Promise<unknown>): Promise<Failure> =>
  request.then(
    () => {
      throw new Error('This should have been refused');
    },
    (error: Failure) => error,
  );
/** The client puts the body of a refusal behind two line ends into its message. */
const outcomeIn = ({ message }: Failure) => JSON.parse(message.slice(message.indexOf('{'))) as fhir4.OperationOutcome;

const idsOf = (resources: readonly fhir4.Resource[]) => resources.map(({ id }) => id);

describe('fhirclient', () => {
  it('follows every page to a flat list, in order and without repeating any', async () => {
    const url = `Observation?patient=${patient.id}&_count=2`;

    const flat = await answered<fhir4.Observation[]>(client.request(url, { pageLimit: 0, flat: true }));
    const pages = await answered<fhir4.Bundle[]>(client.request(url, { pageLimit: 0 }));

    expect(idsOf(flat)).toEqual(observations);
    expect(pages.map(({ entry }) => entry?.length)).toEqual([2, 2, 2, 1]);
  });

  it('iterates over pages and resources', async () => {
    const pages: (number | undefined)[] = [];
    for await (const page of client.pages(`Observation?patient=${patient.id}&_count=3`)) pages.push(page.entry?.length);
    const seen: fhir4.Resource[] = [];
    for await (const resource of client.resources(`Observation?patient=${patient.id}&_count=3`)) seen.push(resource);

    expect(pages).toEqual([3, 3, 1]);
    expect(idsOf(seen)).toEqual(observations);
  });

  it('hands each page to a function, and stops at a limit', async () => {
    const lengths: (number | undefined)[] = [];
    const onPage = (page: fhir4.Bundle) => {
      lengths.push(page.entry?.length);
    };

    await client.request(`Observation?patient=${patient.id}&_count=2`, { pageLimit: 3, onPage });

    expect(lengths).toEqual([2, 2, 2]);
  });

  it('gets what is included beside the matches of each page, once a page', async () => {
    const url = `Observation?subject:Patient.family=Smartclient&patient=${patient.id}&_include=Observation:subject&_count=4`;

    const pages = await answered<fhir4.Bundle[]>(client.request(url, { pageLimit: 0 }));
    const flat = await answered<fhir4.Resource[]>(client.request(url, { pageLimit: 0, flat: true }));

    const modes = pages.map(({ entry = [] }) => entry.map(({ search }) => search?.mode));
    expect(modes).toEqual([
      ['match', 'match', 'match', 'match', 'include'],
      ['match', 'match', 'match', 'include'],
    ]);
    expect(idsOf(flat)).toEqual([...observations.slice(0, 4), patient.id, ...observations.slice(4), patient.id]);
  });

  it('searches by POST and follows the pages of it', async () => {
    const request = {
      url: 'Observation/_search',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `patient=${patient.id}&_count=4`,
    };

    const found = await answered<fhir4.Observation[]>(client.request(request, { pageLimit: 0, flat: true }));

    expect(idsOf(found)).toEqual(observations);
  });

  it('reads the patient of its launch, and searches in that chart', async () => {
    const own = await answered<fhir4.Patient>(client.patient.read());
    const found = await answered<fhir4.Observation[]>(
      client.patient.request('Observation', { pageLimit: 0, flat: true }),
    );

    expect(own).toEqual(patient);
    expect(idsOf(found)).toEqual(observations);
  });

  it('resolves the references of what it finds', async () => {
    const [found] = await answered<fhir4.Observation[]>(
      client.request(`Observation?patient=${patient.id}&_count=1`, { resolveReferences: 'subject', flat: true }),
    );

    expect(found?.subject).toEqual(patient);
  });

  it('updates with If-Match, and its error tells of a version that is not the newest', async () => {
    const created = await answered<Saved>(client.create(patientBody()));
    const headers = { 'if-match': 'W/"1"' };

    const updated = await answered<Saved>(client.update({ ...created, gender: 'male' }, { headers }));
    const conflict = await failureOf(client.update({ ...created, gender: 'other' }, { headers }));
    await client.delete(`Patient/${created.id}`);
    const gone = await failureOf(client.request(`Patient/${created.id}`));

    expect(updated).toMatchObject({ gender: 'male', meta: { versionId: '2' } });
    expect(conflict.status).toBe(412);
    expect(outcomeIn(conflict).issue[0]).toMatchObject({ severity: 'error', code: 'conflict' });
    expect(gone.status).toBe(410);
  });

  it('creates on a condition once', async () => {
    const headers = { 'if-none-exist': `identifier=${identifierSystem}|smart-once` };
    const body = numberedPatient('smart-once');

    const first = await answered<Saved>(client.create(body, { headers }));
    const again = await answered<Saved>(client.create(body, { headers }));

    expect(again).toEqual(first);
  });

  it('patches, deletes, and reads versions and history', async () => {
    const { id } = await answered<Saved>(client.create(patientBody()));
    const patched = await answered<Saved>(
      client.patch(`Patient/${id}`, [{ op: 'replace', path: '/gender', value: 'other' }]),
    );
    await client.delete(`Patient/${id}`);

    const first = await answered<Saved>(client.request(`Patient/${id}/_history/1`));
    const history = await answered<fhir4.Bundle>(client.request(`Patient/${id}/_history`));

    expect(patched).toMatchObject({ gender: 'other', meta: { versionId: '2' } });
    expect(first).toMatchObject({ gender: 'female', meta: { versionId: '1' } });
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['DELETE', 'PUT', 'POST']);
  });

  it('creates a Binary and reads it as a resource, since it asks for JSON', async () => {
    const body = { resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' };

    const binary = await answered<fhir4.Binary>(client.create(body));
    const read = await answered<fhir4.Binary>(client.request(`Binary/${binary.id}`));

    expect(read).toEqual(binary);
    expect(read.data).toBe('aGVsbG8=');
  });

  it('posts a batch whose entries are answered one by one', async () => {
    const entry = [
      { request: { method: 'GET', url: `Patient/${patient.id}` } },
      { request: { method: 'GET', url: 'Patient/nobody' } },
    ];

    const answer = await answered<fhir4.Bundle>(
      client.request({
        url: concord.url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }),
      }),
    );

    expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['200 OK', '404']);
  });

  it('posts a bundle to the base, with and without a slash behind it', async () => {
    const entry = [{ resource: patientBody(), request: { method: 'POST', url: 'Patient' } }];
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    };

    for (const url of [concord.url, `${concord.url}/`]) {
      const answer = await answered<fhir4.Bundle>(client.request({ ...request, url }));
      expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['201 Created']);
    }
  });

  it('has the outcome of a refusal in its error, which names what was wrong', async () => {
    const badSearch = await failureOf(client.request('Patient?birthdate=soon'));
    const badBody = await failureOf(client.create({ resourceType: 'Patient', gender: 'unheard-of' }));
    const missing = await failureOf(stranger.request(`Patient/${patient.id}`));

    expect([badSearch.status, badBody.status, missing.status]).toEqual([400, 400, 404]);
    expect(outcomeIn(badSearch).issue[0]?.expression).toEqual(['birthdate']);
    expect(outcomeIn(badBody).issue[0]?.expression).toEqual(['Patient.gender']);
    expect(outcomeIn(missing).issue[0]?.code).toBe('not-found');
  });

  it('learns which version of FHIR this is', async () => {
    expect(await client.getFhirVersion()).toBe('4.0.1');
    expect(await client.getFhirRelease()).toBe(4);
  });
});
