import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  atOnce,
  create,
  nextLinkOf,
  observationBody,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

// Where a search reads one chart after the other, it reads some at once: in order, each once, and no more than it may.

const patients = 70;
let server: FhirServer;
let charts: string[];
beforeAll(async () => {
  server = await fhirServer();
  charts = await atOnce(patients, async (index) => {
    const patient = referenceTo(await create(server, patientBody({ gender: index % 2 === 0 ? 'female' : 'male' })));
    for (const code of [`each-${index % 3}`, 'all']) {
      await create(server, observationBody(patient, { code: { coding: [{ code }] } }));
    }
    return patient;
  });
});

const matchesIn = (pages: Awaited<ReturnType<typeof allPages>>) =>
  pages.flatMap(resourcesIn).filter(({ resourceType }) => resourceType !== 'OperationOutcome');
const subjectsIn = (pages: Awaited<ReturnType<typeof allPages>>) =>
  matchesIn(pages).map((resource) => String(resource.subject?.reference));

describe('a walk', () => {
  it('shows the same records in the same order, whatever the size of its pages', async () => {
    const at = async (count: number) =>
      subjectsIn(await allPages(server, `Observation?code=all&_count=${count}`)).map(String);
    const whole = await at(1_000);

    expect(whole.toSorted()).toEqual(charts.toSorted());
    for (const count of [1, 7, 50]) expect(await at(count)).toEqual(whole);
  });

  it('takes its sixty calls in twelve turns, and ends with a link', async () => {
    server.calls.reset();

    const { body } = await server.get('Observation?code=nobody-has-it');

    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(60);
    expect(server.calls.sequential()).toBe(12);
    expect(nextLinkOf(body)).toBeDefined();
  });

  it('reads no further than its first chart if that fills the page', async () => {
    server.calls.reset();

    await server.get('Observation?code=all&_count=1');

    // Observations of no patient, the list of patients, the first chart, and two for the record that tells of a second page.
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(5);
  });
});

describe('a search that names patients', () => {
  it('reads their charts some at once, and shows each record once and in order', async () => {
    const query = `Observation?patient=${charts.slice(0, 40).join(',')}&code=each-1`;
    server.calls.reset();
    const { body } = await server.get(query);
    const { names } = server.calls;

    expect(names.filter((name) => name === 'Query')).toHaveLength(40);
    expect(server.calls.sequential()).toBeLessThanOrEqual(9);
    const subjects = subjectsIn([body]);
    expect(subjects).toEqual(
      charts
        .slice(0, 40)
        .filter((_, index) => index % 3 === 1)
        .toSorted(),
    );
    expect(subjectsIn(await allPages(server, `${query}&_count=3`))).toEqual(subjects);
  });

  it('counts and sorts them alike', async () => {
    const query = `Observation?patient=${charts.slice(0, 40).join(',')}&code=each-1`;

    expect((await server.get(`${query}&_summary=count`)).body.total).toBe(13);
    expect(subjectsIn([(await server.get(`${query}&_sort=-date,patient`)).body])).toHaveLength(13);
  });
});

describe('many values of an index', () => {
  it('are read some at once, each record once', async () => {
    const dates = Array.from({ length: 30 }, (_, day) => `1931-01-${String(day + 1).padStart(2, '0')}`);
    const born = await atOnce(dates.length, async (index) =>
      referenceTo(await create(server, patientBody({ birthDate: dates[index] ?? '' }))),
    );
    server.calls.reset();
    const { body } = await server.get(`Patient?birthdate=${dates.join(',')}`);

    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(30);
    expect(server.calls.sequential()).toBeLessThanOrEqual(8);
    const found = resourcesIn(body).map(referenceTo);
    expect(found.toSorted()).toEqual(born.toSorted());
    const paged = await allPages(server, `Patient?birthdate=${dates.join(',')}&_count=4`);
    expect(matchesIn(paged).map(referenceTo)).toEqual(found);
  });
});
