import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, statusesOf, transactionOf, writtenIn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { localTableWithoutStream } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { writeObservations } from '../support/large-chart.ts';
import {
  allPages,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  matchesIn,
  nextLinkOf,
  observationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// A chart by clinical date, against sorting all of it.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: string;
/** `Type/id` of all that is in the chart, newest first, by what each record says. */
let line: string[];

const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const laboratory = [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
];

/** When a record was, by a look at its elements; without one, when it was written. */
const dateOf = (record: TestBody): number => {
  const said = record as unknown as Record<string, string | undefined> & { period?: fhir4.Period; meta: fhir4.Meta };
  const text =
    said['effectiveDateTime'] ??
    said['onsetDateTime'] ??
    said['occurrenceDateTime'] ??
    said['performedDateTime'] ??
    said['recordedDate'] ??
    said.period?.start ??
    said.meta.lastUpdated;
  return Date.parse(text ?? '');
};

/** Days of 2023 and 2024, in no order, each once. */
const days = Array.from({ length: 60 }, (_, n) => new Date(Date.UTC(2023, 0, 1 + ((n * 277) % 600))).toISOString());
const day = (n: number): string => days[n] ?? '';

const oneDay = day(12).slice(0, 10);

const recordsOf = (about: string): fhir4.FhirResource[] => {
  const ofSubject = { subject: { reference: about } };
  const ofPatient = { patient: { reference: about } };
  return Array.from({ length: 10 }, (_, n): fhir4.FhirResource[] => [
    observationBody(about, { effectiveDateTime: day(6 * n), ...(n % 4 === 0 ? { category: laboratory } : {}) }),
    {
      resourceType: 'Condition',
      ...ofSubject,
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      category: [{ coding: [{ code: n % 2 === 0 ? 'problem-list-item' : 'health-concern' }] }],
      onsetDateTime: day(6 * n + 1),
    },
    encounterBody(about, { period: { start: day(6 * n + 2) } }),
    {
      resourceType: 'Immunization',
      ...ofPatient,
      status: 'completed',
      vaccineCode: { text: 'Influenza' },
      occurrenceDateTime: day(6 * n + 3),
    },
    { resourceType: 'Procedure', ...ofSubject, status: 'completed', performedDateTime: day(6 * n + 4) },
    {
      resourceType: 'AllergyIntolerance',
      ...ofPatient,
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
      code: { text: `Plant ${n}` },
      recordedDate: day(6 * n + 5),
    },
  ]).flat();
};

const fill = async (about: string, records: readonly fhir4.FhirResource[]): Promise<string[]> => {
  const names: string[] = [];
  for (let from = 0; from < records.length; from += 90) {
    const { body } = await server.post(
      '',
      transactionOf(...records.slice(from, from + 90).map((each) => postEntry(each))),
    );
    expect(new Set(statusesOf(body)), about).toEqual(new Set(['201']));
    names.push(...writtenIn(body));
  }
  return names;
};

beforeAll(async () => {
  server = await fhirServer(await localTableWithoutStream());
  patient = await create(server, patientBody());
  subject = referenceTo(patient);
  await fill(subject, recordsOf(subject));
  // One without a date, one whose date has changed, and one that was deleted.
  await create(server, { resourceType: 'Condition', subject: { reference: subject }, code: { text: 'Cough' } });
  const moved = await create(server, observationBody(subject, { effectiveDateTime: '2025-01-01' }));
  await server.put(referenceTo(moved), { ...moved, effectiveDateTime: '2023-02-03T04:05:06Z' });
  await server.delete(referenceTo(await create(server, observationBody(subject))));
  const chart = (await allPages(server, `${subject}/$everything`)).flatMap(resourcesIn);
  line = chart
    .filter(({ resourceType }) => resourceType !== 'Patient')
    .sort((a, b) => dateOf(b) - dateOf(a))
    .map(referenceTo);
  expect(line).toHaveLength(62);
});

const timeline = async (query = '', as?: TestCaller, about = subject): Promise<string[]> =>
  (await allPages(server, `${about}/$timeline${query}`, ...(as ? [as] : []))).flatMap(matchesIn).map(referenceTo);
const isOf =
  (...types: string[]) =>
  (name: string) =>
    types.includes(name.split('/')[0] ?? '');

describe('GET /Patient/{id}/$timeline', () => {
  it.each(['', '?_count=6', '?_count=61', '?_count=62'])(
    'is the chart by date, newest first, in pages (%s)',
    async (query) => {
      expect(await timeline(query)).toEqual(line);
    },
  );

  it('is a searchset of what a read shows, with its number where one page holds all', async () => {
    const { status, body } = await server.get(`${subject}/$timeline?_count=200`);

    expect([status, body.type, body.total]).toEqual([200, 'searchset', 62]);
    const [first] = matchesIn(body);
    expect((await server.get(referenceTo(first as TestBody))).body).toEqual(first);
    expect((await server.get(`${subject}/$timeline`)).body.total).toBeUndefined();
  });

  it.each<[string, readonly string[]]>([
    ['_type=Condition', ['Condition']],
    ['_type=Condition,Immunization&_count=9', ['Condition', 'Immunization']],
    ['_type=Condition&_type=Procedure', ['Condition', 'Procedure']],
    [
      '_type=Condition,Immunization,Encounter,Procedure,Observation&_count=9',
      ['Condition', 'Immunization', 'Encounter', 'Procedure', 'Observation'],
    ],
  ])('has the types that are asked for: %s', async (query, types) => {
    expect(await timeline(`?${query}`)).toEqual(line.filter(isOf(...types)));
  });

  it.each([
    ['start=2023-06-01', '2023-06-01', '9999'],
    ['end=2023-06', '0000', '2023-07'],
    [`start=${oneDay}&end=${oneDay}`, oneDay, `${oneDay}T24`],
    ['start=2024&end=2024&_count=10', '2024', '2025'],
    ['end=2023-09-09&_type=Observation&_count=3', '0000', '2023-09-10'],
  ])('keeps to the days from start to end, both included: %s', async (query, from, to) => {
    const chart = (await allPages(server, `${subject}/$everything`)).flatMap(resourcesIn);
    const within = new Set(
      chart
        .filter((each) => {
          const text = new Date(dateOf(each)).toISOString();
          return text >= from && text < to;
        })
        .map(referenceTo),
    );

    const expected = line.filter((name) => within.has(name) && (!query.includes('_type') || name.startsWith('Obs')));
    expect(await timeline(`?${query}`)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
  });

  it.each([
    ['problem-list-item', 5],
    ['laboratory', 3],
    ['http://terminology.hl7.org/CodeSystem/observation-category|laboratory', 3],
    ['laboratory,problem-list-item', 8],
    ['other', 0],
  ])('has the categories that are asked for: %s', async (category, count) => {
    const found = await timeline(`?category=${encodeURIComponent(category)}`);

    expect(found).toHaveLength(count);
    expect(found).toEqual(line.filter((name) => found.includes(name)));
  });

  it.each([
    ['start=2024&end=2023', 'end'],
    ['_type=Nothing', '_type'],
    ['_count=-1', '_count'],
    ['_sort=date', '_sort'],
  ])('refuses what makes no sense: %s', async (query, expression) => {
    const { status, body } = await server.get(`${subject}/$timeline?${query}`);

    expect([status, issuesOf(body)[0]?.expression]).toEqual([400, expression]);
  });

  it('has what comes behind the page that was read, once, and not again what was shown', async () => {
    const { id } = await create(server, patientBody());
    const about = `Patient/${id}`;
    const written = await fill(about, recordsOf(about).slice(0, 30));
    const first = await server.get(`${about}/$timeline?_count=10`);
    const [older, newer] = [
      await create(server, encounterBody(about, { period: { start: '2022-12-31' } })),
      await create(server, encounterBody(about, { period: { start: '2025-12-31' } })),
    ];
    const rest = (await allPages(server, nextLinkOf(first.body) ?? '')).flatMap(matchesIn).map(referenceTo);
    const all = [...matchesIn(first.body).map(referenceTo), ...rest];

    expect(all.toSorted()).toEqual([...written, referenceTo(older)].toSorted());
    expect(all.at(-1)).toBe(referenceTo(older));
    expect(all).not.toContain(referenceTo(newer));
  });
});

describe('what a reader may not see', () => {
  it('is left out, by role, scope and custodian, and by label', async () => {
    const narrowed = { role: 'physician', scope: 'user/Patient.r user/Condition.r' };
    const byCategory = { role: 'physician', scope: 'user/Patient.r user/Condition.r?category=problem-list-item' };

    expect(await timeline('', narrowed)).toEqual(line.filter(isOf('Condition')));
    expect(await timeline('?_count=2', byCategory)).toHaveLength(5);
    expect(await timeline('', { role: 'frontdesk' })).toEqual(
      (await allPages(server, `${subject}/$everything`, { role: 'frontdesk' }))
        .flatMap(matchesIn)
        .map(referenceTo)
        .filter((name) => name !== subject)
        .sort((a, b) => line.indexOf(a) - line.indexOf(b)),
    );
    const { status } = await server.get(`${subject}/$timeline`, { as: elsewhere });
    expect(status).toBe(404);
  });

  it('is not told by support, nor of a patient who is not there', async () => {
    const support = await server.get(`${subject}/$timeline`, { as: { role: 'support' } });
    const nobody = await server.get('Patient/nobody/$timeline');

    expect([support.status, nobody.status]).toEqual([403, 404]);
  });

  it('is seen by the patient alone, of the own chart', async () => {
    const other = await create(server, patientBody());
    const own = { role: 'patient', patient: patient.id };

    expect(await timeline('', own)).toEqual(line);
    expect((await server.get(`${referenceTo(other)}/$timeline`, { as: own })).status).toBe(404);
  });

  it('is opened by breaking the glass as $everything is', async () => {
    const { id } = await create(server, patientBody());
    const about = `Patient/${id}`;
    const open = await create(server, observationBody(about));
    await create(server, observationBody(about, { meta: { security: [restricted] } }));
    const parameter = [
      { name: 'purpose', valueCode: 'BTG' },
      { name: 'reason', valueString: 'Unconscious after a fall' },
    ];
    const broken = await server.post(
      `${about}/$break-glass`,
      { resourceType: 'Parameters', parameter },
      { as: elsewhere },
    );
    expect(broken.status, broken.text).toBe(200);
    const everything = (await allPages(server, `${about}/$everything`, elsewhere)).flatMap(matchesIn).map(referenceTo);

    const found = await timeline('', elsewhere, about);
    expect(found).toContain(referenceTo(open));
    expect(found.toSorted()).toEqual(everything.filter((name) => name !== about).toSorted());
  });

  it('leaves one trace, as of an operation', async () => {
    const { id } = await create(server, patientBody());
    await server.get(`Patient/${id}/$timeline?_type=Condition`);
    const { body } = await server.get(`AuditEvent?patient=${id}&subtype=operation`, { as: { role: 'privacy' } });

    expect(resourcesIn(body)).toHaveLength(1);
    expect(JSON.stringify(body)).toContain(Buffer.from(`Patient/${id}/$timeline?_type=Condition`).toString('base64'));
  });
});

describe('charts that were merged', () => {
  it('are one line, page by page', async () => {
    const [one, two] = [await create(server, patientBody()), await create(server, patientBody())];
    const written = [
      ...(await fill(one.id, recordsOf(referenceTo(one)).slice(0, 20))),
      ...(await fill(two.id, recordsOf(referenceTo(two)).slice(20, 40))),
    ];
    const parameter = [{ name: 'source', valueReference: { reference: referenceTo(two) } }];
    const merged = await server.post(`${referenceTo(one)}/$merge`, { resourceType: 'Parameters', parameter });
    expect(merged.status, merged.text).toBe(200);
    for (const query of ['', '?_count=6', '?_type=Condition,Observation&_count=3', '?end=2024-06-01&_type=Condition']) {
      const records = (await allPages(server, `${referenceTo(one)}/$timeline${query}`)).flatMap(matchesIn);
      const expected = written.filter((name) => !query.includes('_type') || query.includes(name.split('/')[0] ?? ''));
      if (!query.includes('end')) expect(records.map(referenceTo).toSorted(), query).toEqual(expected.toSorted());
      const dates = records.map(dateOf);
      expect(dates, query).toEqual(dates.toSorted((a, b) => b - a));
      expect(new Set(records.map((each) => (each['subject'] ?? each['patient']) as unknown as object)).size).toBe(
        records.length,
      );
    }
  });
});

describe('what a page costs', () => {
  const cost = async (path: string) => {
    server.calls.reset();
    const { status, body } = await server.get(path);
    expect(status).toBe(200);
    const { names, readUnits } = server.calls;
    const queries = names.filter((name) => name === 'Query').length;
    return { queries, reads: readUnits, sequential: server.calls.sequential(), found: matchesIn(body).length, body };
  };

  it('is one Query of a small chart', async () => {
    const first = await cost(`${subject}/$timeline`);
    const second = await cost(nextLinkOf(first.body) ?? '');

    expect([first.queries, first.sequential, first.found]).toEqual([1, 1, 50]);
    expect([second.queries, second.sequential, second.found]).toEqual([1, 1, 12]);
  });

  it('does not grow with the chart: 4,000 records cost what 600 do', async () => {
    const costs = [];
    for (const count of [600, 4_000]) {
      const { id } = await create(server, patientBody());
      const written = await fill(id, recordsOf(`Patient/${id}`).slice(0, 6));
      await writeObservations(server.store, id, count);
      const first = await cost(`Patient/${id}/$timeline`);
      const second = await cost(nextLinkOf(first.body) ?? '');
      const names = [first, second].flatMap(({ body }) => matchesIn(body)).map(referenceTo);
      // The others are of the year 2000.
      expect(names.slice(0, 6).toSorted()).toEqual(written.toSorted());
      expect(new Set(names).size).toBe(100);
      costs.push(
        [first, second].map(({ queries, reads, sequential, found }) => ({ queries, reads, sequential, found })),
      );
    }

    const [small, large] = costs;
    expect(large).toEqual(small);
    expect(large).toMatchObject([{ found: 50 }, { found: 50 }]);
    expect(large?.[1]?.queries).toBeLessThan(75);
    expect(large?.[1]?.reads).toBeLessThan(100);
    expect(large?.[1]?.sequential).toBeLessThanOrEqual(4);
  });
});
