import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, getEntry } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  linkOf,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// A world of a few records at Northside, one at Lakeside; all are found by searches that name no type or several.

const tag = 'http://concord.test/tag|here';
const meta = { tag: [{ system: 'http://concord.test/tag', code: 'here' }] };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;
const by = new Map<string, string>();
const make = async <T extends fhir4.Resource>(name: string, resource: T, as = system): Promise<Stored<T>> => {
  const record = await create(server, { ...resource, meta }, as);
  by.set(referenceTo(record), name);
  return record;
};
beforeAll(async () => {
  server = await fhirServer();
  patient = await make('ann', patientBody());
  other = await make('ben', patientBody());
  const visit = await make('visit', encounterBody(referenceTo(patient)));
  await make('pulse', observationBody(referenceTo(patient), { encounter: { reference: referenceTo(visit) } }));
  await make('pulse of ben', observationBody(referenceTo(other), { effectiveDateTime: '2020-01-01' }));
  await make('cold', { resourceType: 'Condition', subject: { reference: referenceTo(patient) } } as fhir4.Condition);
  await make('clinic', organizationBody(), admin);
  await make('note', { resourceType: 'Communication', status: 'completed' } as fhir4.Communication);
  const theirs = await make('cleo', patientBody(), { role: 'system', organization: 'lakeside' });
  await make('pulse of cleo', observationBody(referenceTo(theirs)), { role: 'system', organization: 'lakeside' });
});

const matchesIn = (bundle: TestBody, mode = 'match'): string[] =>
  ((bundle as unknown as fhir4.Bundle).entry ?? [])
    .filter(({ search }) => search?.mode === mode)
    .map(({ resource = { resourceType: 'none' } }) => by.get(referenceTo(resource)) ?? '?');
const found = async (query: string, as = system): Promise<string[]> =>
  (await allPages(server, `?${query}`, as)).flatMap((page) => matchesIn(page)).sort();
const search = async (query: string, as = system): Promise<TestBody> => {
  const { status, body } = await server.get(`?${query}`, { as });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const refused = async (query: string, as = system) => {
  const { status, body } = await server.get(`?${query}`, { as });
  return [status, issuesOf(body)[0]?.reason, issuesOf(body)[0]?.expression];
};
const everything = ['ann', 'ben', 'clinic', 'cold', 'note', 'pulse', 'pulse of ben', 'visit'];

describe('a search across types', () => {
  it('finds records of all types that it names, by the parameters that these have', async () => {
    expect(await found(`_type=Observation,Condition&_tag=${tag}`)).toEqual(['cold', 'pulse', 'pulse of ben']);
    expect(await found(`_type=Observation,Condition&patient=${patient.id}`)).toEqual(['cold', 'pulse']);
    expect(await found(`_type=Organization&_tag=${tag}`)).toEqual(['clinic']);
    expect(await found(`_type=Observation,Condition&_type=Observation,Patient&_tag=${tag}`)).toEqual([
      'pulse',
      'pulse of ben',
    ]);
  });

  it('reads a chart once for all types', async () => {
    server.calls.reset();

    const body = await search(`_type=Observation,Condition,Encounter&patient=${patient.id}`);

    expect(matchesIn(body).sort()).toEqual(['cold', 'pulse', 'visit']);
    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
    expect(body.total).toBe(3);
  });

  it('finds records of every type without naming one, and pages through them, each once', async () => {
    expect(await found(`_tag=${tag}`)).toEqual(everything);
    for (const size of [1, 3, 1_000]) expect(await found(`_tag=${tag}&_count=${size}`)).toEqual(everything);
    expect(await found(`_lastUpdated=ge2020&_tag=${tag}`)).toEqual(everything);
    expect(await found(`_lastUpdated=lt2020`)).toEqual([]);
  });

  it('finds a record by its id in one call, whatever its type', async () => {
    server.calls.reset();

    const body = await search(`_type=Observation,Patient,Encounter&_id=${patient.id}`);

    expect(matchesIn(body)).toEqual(['ann']);
    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'PutItem']);
  });

  it('takes its parameters as a form too', async () => {
    const form = { as: system, headers: { 'content-type': 'application/x-www-form-urlencoded' } };

    const { status, body } = await server.post('_search', `_type=Condition&_tag=${tag}`, form);

    expect([status, matchesIn(body)]).toEqual([200, ['cold']]);
    expect(linkOf(body, 'self')).toBe(`https://concord.test/fhir?_type=Condition&_tag=${encodeURIComponent(tag)}`);
  });

  it('sorts over all types by what all have', async () => {
    const { body } = await server.get(`?_type=Observation,Encounter&_tag=${tag}&_sort=-date`, { as: system });

    expect(matchesIn(body)).toEqual(['pulse', 'visit', 'pulse of ben']);
    const paged = await allPages(server, `?_type=Observation,Encounter&_tag=${tag}&_sort=-date&_count=1`, system);
    expect(paged.flatMap((page) => matchesIn(page))).toEqual(['pulse', 'visit', 'pulse of ben']);
    const warned = await search(`_type=Observation,Organization&_tag=${tag}&_sort=date`);
    expect(JSON.stringify(warned)).toContain('There is no such search parameter to sort by');
  });

  it('counts over all types', async () => {
    for (const query of ['_summary=count', '_count=0', '_total=accurate&_count=1']) {
      expect((await search(`_tag=${tag}&${query}`)).total).toBe(everything.length);
    }
    expect((await search(`_type=Observation,Condition&_tag=${tag}&_summary=count`)).total).toBe(3);
  });

  it('includes what any of the types refers to', async () => {
    const included = async (query: string) => matchesIn(await search(query), 'include').sort();

    expect(await included(`_type=Condition,Observation&_tag=${tag}&_include=Observation:encounter`)).toEqual(['visit']);
    expect(await included(`_type=Encounter,Patient&_tag=${tag}&_revinclude=Observation:encounter`)).toEqual(['pulse']);
  });

  it('shows elements of each type', async () => {
    const body = await search(`_type=Observation,Condition&_tag=${tag}&_elements=Observation.valueQuantity`);

    const shown = resourcesIn(body).filter(({ resourceType }) => String(resourceType) === 'Observation');
    expect(shown.every((each) => each.valueQuantity !== undefined && each.effectiveDateTime === undefined)).toBe(true);
  });

  it('answers in a batch', async () => {
    const { body } = await server.post('', batchOf(getEntry(`?_type=Condition&_tag=${tag}`)), { as: system });

    const [answered = {} as TestBody] = entriesOf(body);
    expect(matchesIn(answered.resource as TestBody)).toEqual(['cold']);
  });

  it('leaves its trace in the charts of what it shows', async () => {
    await search(`_type=Condition&_tag=${tag}`);

    const { body } = await server.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } });
    const [event] = resourcesIn(body).filter((each) => JSON.stringify(each).includes('"search-system"'));
    const { entity } = event as unknown as fhir4.AuditEvent;
    const query = entity?.find((each) => each.query !== undefined)?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe('?_type&_tag');
    expect(JSON.stringify(entity)).toContain('Condition/');
  });
});

describe('what a search across types does not show', () => {
  it('is what another organisation keeps', async () => {
    expect(await found(`_tag=${tag}`, elsewhere)).toEqual(['cleo', 'clinic', 'pulse of cleo']);
    expect(await found(`_type=Observation&patient=${patient.id}`, elsewhere)).toEqual([]);
  });

  it('is what another patient is about', async () => {
    const own = { role: 'patient', patient: other.id };

    expect(await found(`_tag=${tag}`, own)).toEqual(['ben', 'clinic', 'pulse of ben']);
  });

  it('are types that the caller may not search: left out if none is named, else refused', async () => {
    const frontdesk = { role: 'frontdesk' };

    expect(await found(`_tag=${tag}`, frontdesk)).toEqual(['ann', 'ben', 'clinic', 'note']);
    expect(await refused(`_type=Patient,Condition&_tag=${tag}`, frontdesk)).toEqual([403, 'forbidden-role', undefined]);
    const scoped = { role: 'physician', scope: 'user/Condition.rs user/Patient.rs' };
    expect(await found(`_tag=${tag}`, scoped)).toEqual(['ann', 'ben', 'cold']);
    expect(await refused('_type=Observation', scoped)).toEqual([403, 'forbidden-scope', undefined]);
  });

  it('is the access log, which is searched by itself', async () => {
    expect(await refused('_type=AuditEvent', { role: 'privacy' })).toEqual([400, 'not-supported', '_type']);
    expect(await found('_lastUpdated=ge2020', { role: 'privacy' })).not.toContain('AuditEvent');
  });

  it('is what it does not understand', async () => {
    expect(await refused('_type=Nonsense')).toEqual([400, 'invalid', '_type']);
    expect(await refused('_type=Bundle')).toEqual([400, 'not-supported', '_type']);
    expect((await server.get('?onset-date=2020', { as: system })).text).toContain('no such search parameter');
    const { status, headers } = await server.put('', {});
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    expect((await server.get('_search', { as: system })).headers.allow).toBe('POST');
  });
});
