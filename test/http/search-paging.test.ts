import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  stored,
  system,
} from '../support/records.ts';

// Pages of searches whose plan finds other charts, rows or batches meanwhile.

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const found = (pages: readonly TestBody[]): string[] =>
  pages
    .flatMap(resourcesIn)
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
    .map(referenceTo)
    .sort();

/** The first page, what happens then, and the rest. */
const pagesAround = async (query: string, meanwhile: () => Promise<unknown>): Promise<TestBody[]> => {
  const first = await server.get(query, { as: system });
  expect(first.status, first.text).toBe(200);
  await meanwhile();
  const next = nextLinkOf(first.body);
  return [first.body, ...(next === undefined ? [] : await allPages(server, next, system))];
};

const practitioner = (family: string) =>
  create(server, { resourceType: 'Practitioner', name: [{ family }] } as fhir4.Practitioner, admin);

let day = 1;
const appointment = async (actor: string): Promise<string> => {
  const start = `2031-01-${String(day++).padStart(2, '0')}T10:00:00Z`;
  const body = {
    resourceType: 'Appointment',
    status: 'booked',
    start,
    end: start.replace('10:00', '10:30'),
    participant: [{ actor: { reference: actor }, status: 'accepted' }],
  };
  return referenceTo(await create(server, body as fhir4.Appointment, system));
};

describe('pages of a search', () => {
  it('hold records of several types that have one id, each once', async () => {
    for (const resourceType of ['Organization', 'Location']) {
      const resource = { resourceType, id: 'twice', name: 'Twice' };
      expect((await server.put(`${resourceType}/twice`, resource, { as: admin })).status).toBe(201);
    }

    const pages = await allPages(server, '?_type=Organization,Location&_id=twice&_sort=_id&_count=1', system);

    expect(found(pages)).toEqual(['Location/twice', 'Organization/twice']);
  });

  it('lose nothing of several types where a named patient comes into being', async () => {
    const put = (id: string) => server.put(`Patient/${id}`, { ...patientBody(), id }, { as: system });
    expect((await put('named-first')).status).toBe(201);
    const made: string[] = [];
    for (let n = 0; n < 4; n++) {
      made.push(referenceTo(await create(server, observationBody('Patient/named-first'))));
      const subject = { reference: 'Patient/named-first' };
      made.push(referenceTo(await create(server, { resourceType: 'Condition', subject } as fhir4.Condition)));
    }

    const query = '?_type=Observation,Condition&patient=named-first,named-later&_count=3';
    const pages = await pagesAround(query, () => put('named-later'));

    expect(found(pages)).toEqual(made.sort());
  });

  it('lose nothing where others come into the rows that are read, or leave them', async () => {
    const [first, ...others] = [
      await practitioner('Pagerow'),
      await practitioner('Pagerow'),
      await practitioner('Pagerow'),
    ];
    const own: string[] = [];
    for (let n = 0; n < 3; n++) if (first) own.push(await appointment(referenceTo(first)));
    const made: string[] = [];
    for (const each of others) for (let n = 0; n < 3; n++) made.push(await appointment(referenceTo(each)));

    const pages = await pagesAround('Appointment?actor:Practitioner.family=pagerow&_count=4', async () => {
      if (first) await server.put(pathOf(first), { ...first, name: [{ family: 'Renamed' }] }, { as: admin });
      await practitioner('Pagerow');
    });

    const shown = found(pages);
    expect(shown.filter((name) => made.includes(name))).toEqual(made.sort());
    expect(new Set(shown).size).toBe(shown.length);
    expect(shown.filter((name) => !made.includes(name) && !own.includes(name))).toEqual([]);
  });

  it('go through many candidates at once where few of them are worth following', async () => {
    const bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: Array.from({ length: 150 }, (_, n) => ({
        resource: patientBody({ gender: n % 2 === 0 ? 'male' : 'female', name: [{ family: `Sparse${n}` }] }),
        request: { method: 'POST', url: 'Patient' },
      })),
    };
    expect((await server.post('', bundle, { as: system })).status).toBe(200);
    server.calls.reset();

    const pages = await allPages(server, 'Observation?status=amended&patient.gender=male', system);

    expect(found(pages)).toEqual([]);
    expect(pages.length).toBeLessThanOrEqual(5);
    expect(server.calls.names.length).toBeLessThanOrEqual(250);
  });

  it('are told as another search’s where the next one is found in another way', async () => {
    const first = await server.get('Observation?status=final&_count=1', { as: system });
    const next = new URL(nextLinkOf(first.body) ?? '');
    expect(next.searchParams.get('_page')).not.toBeNull();

    const swapped = new URL(next);
    swapped.pathname = swapped.pathname.replace('Observation', 'Condition');

    expect((await server.get(swapped.href, { as: system })).status).toBe(400);
  });
});

describe('a search', () => {
  it('by many ids that clients chose asks for a hundred at a time', async () => {
    const ids = Array.from({ length: 250 }, (_, n) => `nobody-${n}`).join();
    server.calls.reset();

    expect((await server.get(`Observation?_id=${ids}`, { as: system })).status).toBe(200);

    expect(server.calls.names.filter((name) => name !== 'PutItem')).toEqual([
      'BatchGetItem',
      'BatchGetItem',
      'BatchGetItem',
    ]);
  });

  it('by the bare id of a patient as subject reads the chart', async () => {
    const patient = await create(server, patientBody());
    const observation = await create(server, observationBody(referenceTo(patient)));
    server.calls.reset();

    const { body } = await server.get(`Observation?subject=${patient.id}`, { as: system });

    expect(resourcesIn(body).map(({ id }) => id)).toEqual([observation.id]);
    expect([...server.calls.names].sort()).toEqual(['GetItem', 'PutItem', 'Query']);
  });

  it('with records that are too large together includes fewer, and follows references to them', async () => {
    const patient = referenceTo(await create(server, patientBody()));
    for (let n = 0; n < 12; n++) {
      const content = [{ attachment: { contentType: 'text/plain', data: randomBytes(2_000_000).toString('base64') } }];
      const document = {
        resourceType: 'DocumentReference',
        status: 'current',
        subject: { reference: patient },
        content,
      };
      const derivedFrom = [{ reference: referenceTo(await create(server, document as fhir4.DocumentReference)) }];
      await create(server, observationBody(patient, { derivedFrom }));
    }

    const including = await server.get(`Observation?patient=${patient}&_include=Observation:derived-from`, {
      as: system,
    });
    const chained = await server.get(
      `Observation?patient=${patient}&derived-from:DocumentReference.status=current&_summary=count`,
      { as: system },
    );

    expect([including.status, nextLinkOf(including.body) === undefined]).toEqual([200, false]);
    expect([chained.status, stored<fhir4.Bundle>(chained.body).total]).toEqual([200, 12]);
  });
});
