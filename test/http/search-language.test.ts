import { beforeAll, describe, expect, it } from 'vitest';
import { subsetted } from '../../shared/search/project.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  linkOf,
  observationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  stored,
} from '../support/records.ts';

let server: FhirServer;
let patient: string;
beforeAll(async () => {
  server = await fhirServer();
  patient = referenceTo(await create(server, patientBody()));
});

const ucum = 'http://unitsofmeasure.org';
const glucose = (value: number, code: string, text: string) =>
  observationBody(patient, {
    code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }], text },
    valueQuantity: { value, system: ucum, code, unit: code },
  });

const textOf = (resource: TestBody): string | undefined => stored<fhir4.Observation>(resource).code.text;

const texts = async (query: string): Promise<(string | undefined)[]> =>
  resourcesIn((await server.get(`Observation?patient=${patient}&${query}`)).body).map(textOf);

/** What a search finds, without the remarks that come along. */
const matchesOf = async (url: string): Promise<string[]> =>
  resourcesIn((await server.get(url)).body)
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
    .map((resource) => referenceTo(resource));

describe('a search of a chart', () => {
  beforeAll(async () => {
    await create(server, glucose(5.4, 'mmol/L', 'in millimoles'));
    await create(server, glucose(97.3, 'mg/dL', 'in milligrams'));
    await create(server, glucose(5_400, 'umol/L', 'in micromoles'));
    await create(server, glucose(9.1, 'mmol/L', 'too much'));
  });

  it('converts units, of a known substance between mass and amount too', async () => {
    const found = await texts(`value-quantity=5.4|${ucum}|mmol/L`);

    expect(found.sort()).toEqual(['in micromoles', 'in milligrams', 'in millimoles']);
    expect(await texts(`value-quantity=gt9|${ucum}|mmol/L`)).toEqual(['too much']);
    expect(await texts(`code-value-quantity=2345-7$gt9000|${ucum}|umol/L`)).toEqual(['too much']);
  });

  it('converts units behind a reference and in what refers to a record', async () => {
    const [high] = resourcesIn(
      (await server.get(`Observation?patient=${patient}&value-quantity=gt9|${ucum}|mmol/L`)).body,
    );
    const derived = await create(
      server,
      observationBody(patient, { derivedFrom: [{ reference: `Observation/${high?.id}` }] }),
    );
    const quantity = `value-quantity=gt9000|${ucum}|umol/L`;
    expect(await matchesOf(`Observation?patient=${patient}&derived-from:Observation.${quantity}`)).toEqual([
      referenceTo(derived),
    ]);
    expect(await matchesOf(`Patient?_id=${patient.slice(8)}&_has:Observation:patient:${quantity}`)).toEqual([patient]);
  });

  it('sorts quantities in whatever unit, and apart what is measured otherwise', async () => {
    const [first, second, ...rest] = (await texts('_sort=-value-quantity')).filter(
      (text) => text !== 'in milligrams' && text !== undefined,
    );

    expect(first).toBe('too much');
    expect([second, ...rest].sort()).toEqual(['in micromoles', 'in millimoles']);
  });

  it('filters by an expression, page by page', async () => {
    const query = `Observation?patient=${patient}&_filter=code eq loinc|2345-7 and not (value-quantity gt 9|${ucum}|mmol/L)&_count=1`;
    const pages = await allPages(server, query);
    const found = pages.flatMap(resourcesIn).map(textOf);

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([1, 1, 1]);
    expect(found.sort()).toEqual(['in micromoles', 'in milligrams', 'in millimoles']);
  });

  it('finds words', async () => {
    expect(await texts('_content=milligrams OR "too much"')).toHaveLength(2);
    expect(await texts('_text=milligrams')).toEqual([]);
  });

  it('warns of elements that the type does not have, and refuses them where that is asked for', async () => {
    const asked = (names: string, headers: Record<string, string> = {}) =>
      server.get(`Observation?patient=${patient}&_elements=${names}&_count=1`, { headers });
    const warned = (await asked('value,vlaue')).body;
    const strict = await asked('value,vlaue', { prefer: 'handling=strict' });
    const known = await asked('value,valueQuantity,resourceType,meta,code', { prefer: 'handling=strict' });
    const outcomes = resourcesIn(warned).filter(({ resourceType }) => resourceType === 'OperationOutcome');

    expect(outcomes).toMatchObject([{ issue: [{ code: 'not-supported', expression: ['_elements'] }] }]);
    expect(linkOf(warned, 'self')).toContain('_elements=value&');
    expect(strict).toMatchObject({ status: 400, body: { issue: [{ expression: ['_elements'] }] } });
    expect(known.status).toBe(200);
    expect(Object.keys(resourcesIn((await asked('vlaue')).body)[0] ?? {})).not.toContain('valueQuantity');
  });

  it('answers with a summary, or the elements that are asked for, marked as such', async () => {
    const summary = (await server.get(`Patient?_id=${patient.slice(8)}&_summary=true`)).body;
    const elements = (await server.get(`Observation?patient=${patient}&_elements=value&_count=1`)).body;

    expect(resourcesIn(summary)[0]?.meta?.tag).toEqual([subsetted]);
    expect(Object.keys(resourcesIn(elements)[0] ?? {}).sort()).toEqual(
      ['code', 'id', 'meta', 'resourceType', 'status', 'valueQuantity'].sort(),
    );
    expect(linkOf(elements, 'self')).toContain('_elements=value');
  });
});

const clinic = { resourceType: 'Location', name: 'Clinic', position: { latitude: 42.255, longitude: -83.692 } };

describe('a search for places', () => {
  it('takes a distance in any unit of length, also of the place where something happened', async () => {
    const reference = referenceTo(await create(server, clinic, admin));
    const visit = await create(server, {
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: patient },
      location: [{ location: { reference } }],
    });
    expect(await matchesOf('Location?near=42.25|-83.69|1|[mi_i]')).toEqual([reference]);
    expect(await matchesOf('Location?near=42.25|-83.69|1|m')).toEqual([]);
    expect(await matchesOf(`Encounter?patient=${patient}&location.near=42.25|-83.69|2|km`)).toEqual([
      referenceTo(visit),
    ]);
    expect((await server.get('Location?near=42.25|-83.69|1|kg')).status).toBe(400);
  });
});

describe('what is not looked up yet', () => {
  it.each([
    ['Patient?gender:in=http://acme.org/vs', 'gender:in'],
    ['Patient?_contained=both', '_contained'],
  ])('is refused and named: %s', async (query, parameter) => {
    const { status, body } = await server.get(query);

    expect(status).toBe(400);
    expect(body.issue).toMatchObject([{ code: 'not-supported', expression: [parameter] }]);
  });

  it('is refused as a condition too', async () => {
    const { status } = await server.post('Patient', patientBody(), {
      headers: { 'if-none-exist': 'gender:in=http://acme.org/vs' },
    });

    expect(status).toBe(400);
  });
});
