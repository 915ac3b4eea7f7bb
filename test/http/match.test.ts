import { beforeAll, describe, expect, it } from 'vitest';
import { evidenceUrl } from '../../shared/matching/evidence.ts';
import { partitionFor } from '../../shared/store/index-rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  entriesOf,
  expressionsIn,
  identifierSystem,
  matchesIn,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let okafor: Stored<fhir4.Patient>;
let twin: Stored<fhir4.Patient>;

const family = { family: 'Okafor-Núñez' };
const home: Partial<fhir4.Patient> = {
  birthDate: '1980-02-03',
  telecom: [
    { system: 'phone', value: '555 010 2030' },
    { system: 'email', value: 'ngozi@home.example' },
  ],
  address: [{ line: ['12 North Street'], city: 'Springfield', postalCode: '12345' }],
};

beforeAll(async () => {
  server = await fhirServer();
  okafor = await create(
    server,
    patientBody({
      ...home,
      name: [{ ...family, given: ['Elizabeth'] }],
      identifier: [{ system: identifierSystem, value: 'A-7' }],
    }),
  );
  twin = await create(server, patientBody({ ...home, name: [{ ...family, given: ['Susan'] }] }));
  await create(
    server,
    patientBody({ name: [{ family: 'Smith', given: ['John'] }], birthDate: '1980-02-03', gender: 'male' }),
  );
  await create(server, patientBody({ ...home, name: [{ ...family, given: ['Elizabeth'] }] }), elsewhere);
});

const described = (elements: Partial<fhir4.Patient>): fhir4.Patient => ({ resourceType: 'Patient', ...elements });
const match = async (resource: object, parameters: readonly object[] = [], as?: TestCaller): Promise<TestBody> => {
  const body = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }, ...parameters] };
  const { status, body: answer } = await server.post('Patient/$match', body, as ? { as } : {});
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer;
};
const searchesIn = (bundle: TestBody): fhir4.BundleEntrySearch[] =>
  (entriesOf(bundle) as unknown as fhir4.BundleEntry[]).flatMap(({ search }) =>
    search?.mode === 'match' ? [search] : [],
  );
const gradesIn = (bundle: TestBody) =>
  searchesIn(bundle).map(({ extension = [] }) => extension.find(({ url }) => url.endsWith('/match-grade'))?.valueCode);

describe('Patient/$match', () => {
  it('finds who is described in full, with a score, before the twin', async () => {
    const body = await match(described({ ...home, name: [{ ...family, given: ['Elizabeth'] }], gender: 'female' }));

    expect(matchesIn(body).map(referenceTo)).toEqual([okafor, twin].map(referenceTo));
    expect(gradesIn(body)).toEqual(['certain', 'possible']);
    const scores = searchesIn(body).map(({ score }) => score ?? 0);
    expect(scores[0]).toBeGreaterThan(0.995);
    expect(scores[0]).toBeLessThanOrEqual(1);
    expect(scores[1]).toBeLessThanOrEqual(0.85);
  });

  it('tells why, field by field, and what held a grade down', async () => {
    const [first, second] = searchesIn(await match(described({ ...home, name: [{ ...family, given: ['Liz'] }] })));
    const evidence = ({ extension = [] }: fhir4.BundleEntrySearch) =>
      extension
        .filter(({ url }) => url === evidenceUrl)
        .map(({ extension: parts = [] }) =>
          parts.map(({ valueCode, valueString }) => valueCode ?? valueString).filter(Boolean),
        );

    expect(first && evidence(first)).toEqual([
      ['family', 'same'],
      ['given', 'nickname'],
      ['birthDate', 'same'],
      ['phone', 'same'],
      ['email', 'same'],
      ['address', 'same'],
    ]);
    expect(second && evidence(second)).toContainEqual(['given', 'different']);
    expect(second && evidence(second).flat().join()).toContain('twins');
  });

  it.each<[string, Partial<fhir4.Patient>]>([
    ['no accents, one of two names', { name: [{ family: 'Nunez', given: ['elizabeth'] }], birthDate: '1980-02-03' }],
    [
      'names in the other order',
      { name: [{ family: 'Elizabeth', given: ['Okafor', 'Núñez'] }], birthDate: '1980-02-03' },
    ],
    ['day and month in the other order', { name: [{ ...family, given: ['Elizabeth'] }], birthDate: '1980-03-02' }],
    ['a wrong digit', { name: [{ ...family, given: ['Elizabeth'] }], birthDate: '1980-02-08' }],
    ['a misspelt name', { name: [{ family: 'Okaforr Nunez', given: ['Elizabeht'] }], birthDate: '1980-02-03' }],
    [
      'a telephone number',
      { telecom: [{ system: 'phone', value: '555 010 2030' }], name: [{ given: ['Elizabeth'] }], birthDate: '1980' },
    ],
    [
      'a mail address',
      {
        telecom: [{ system: 'email', value: 'NGOZI@home.example' }],
        name: [{ given: ['Betty'] }],
        birthDate: '1980-02-03',
      },
    ],
    ['an identifier', { identifier: [{ system: identifierSystem, value: 'A-7' }] }],
    ['one text', { name: [{ text: 'Elizabeth Okafor-Núñez' }], birthDate: '1980-02-03' }],
  ])('finds by %s', async (_, elements) => {
    const body = await match(described(elements));

    expect(matchesIn(body).map(referenceTo)[0]).toBe(referenceTo(okafor));
    expect(searchesIn(body)[0]?.score).toBeGreaterThan(0.5);
  });

  it('finds under a former name, by the record’s and by the described one', async () => {
    const married = await create(
      server,
      patientBody({
        name: [
          { family: 'Kowalski', given: ['Ada'] },
          { family: 'Lindqvist', given: ['Ada'], use: 'maiden' },
        ],
        birthDate: '1990-10-11',
      }),
    );

    for (const name of [[{ family: 'Lindqvist', given: ['Ada'] }], [{ family: 'Kowalsky', given: ['Ada'] }]]) {
      const body = await match(described({ name, birthDate: '1990-10-11' }));
      expect(matchesIn(body).map(referenceTo)).toEqual([referenceTo(married)]);
      expect(gradesIn(body)).toEqual(['probable']);
    }
  });

  it('answers with nothing for a stranger, and about another organisation’s patient as about one', async () => {
    const stranger = await match(described({ name: [{ family: 'Nobody', given: ['Here'] }], birthDate: '1900-01-01' }));
    const theirs = await match(described({ identifier: [{ system: identifierSystem, value: 'A-7' }] }), [], elsewhere);

    for (const body of [stranger, theirs]) expect([body.total, entriesOf(body)]).toEqual([0, []]);
  });

  it('shows only certain matches where it is asked to, and none of several', async () => {
    const only = [{ name: 'onlyCertainMatches', valueBoolean: true }];
    const full = described({ ...home, name: [{ ...family, given: ['Elizabeth'] }] });
    const one = await match(full, only);
    const double = await create(server, patientBody({ ...home, name: [{ ...family, given: ['Elizabeth'] }] }));
    const several = await match(full, only);
    await server.delete(referenceTo(double));

    expect(matchesIn(one).map(referenceTo)).toEqual([referenceTo(okafor)]);
    expect(several.total).toBe(0);
    expect(JSON.stringify(entriesOf(several))).toContain('Not shown: 3');
  });

  it('shows as many as count says, and tells how many more there are', async () => {
    const body = await match(described({ ...home, name: [{ ...family }] }), [{ name: 'count', valueInteger: 1 }]);

    expect(matchesIn(body)).toHaveLength(1);
    expect(JSON.stringify(entriesOf(body))).toContain('Not shown: 1');
  });

  it('takes a Patient as its body, too', async () => {
    const { status, body } = await server.post(
      'Patient/$match?count=1',
      described({ ...home, name: [{ ...family, given: ['Elizabeth'] }] }),
    );

    expect([status, matchesIn(body).map(referenceTo)]).toEqual([200, [referenceTo(okafor)]]);
  });

  it.each<[string, object, string]>([
    ['nobody', { resourceType: 'Parameters', parameter: [] }, 'resource'],
    ['too little', described({ gender: 'male' }), 'resource'],
    ['something else', { resourceType: 'Observation' }, 'resourceType'],
    ['a broken date', described({ birthDate: '1980-02-31' }), 'Patient.birthDate'],
    [
      'a count of none',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'count', valueInteger: 0 },
          { name: 'resource', resource: described({ birthDate: '1980-02-03' }) },
        ],
      },
      'count',
    ],
  ])('refuses %s', async (_, sent, expression) => {
    const { status, body } = await server.post('Patient/$match', sent);

    expect([status, expressionsIn(body)]).toEqual([400, [expression]]);
  });

  it('is refused to who may not search patients', async () => {
    const admin = await server.post('Patient/$match', described({ birthDate: '1980-02-03' }), {
      as: { role: 'admin' },
    });
    const byGet = await server.get('Patient/$match');

    expect([admin.status, byGet.status]).toEqual([403, 405]);
  });

  it('shows patients who sign in nobody but themselves', async () => {
    const body = await match(described({ ...home, name: [{ ...family }] }), [], { role: 'patient', patient: twin.id });

    expect(matchesIn(body).map(referenceTo)).toEqual([referenceTo(twin)]);
  });

  it('leaves a trace with whom it shows, which does not tell whom it was asked about', async () => {
    const shown = await create(server, patientBody({ name: [{ family: 'Traceable' }], birthDate: '1911-12-13' }));
    await match(described({ name: [{ family: 'Traceable' }], birthDate: '1911-12-13' }));

    const { body } = await server.get(`AuditEvent?patient=${shown.id}&subtype=operation`, { as: { role: 'privacy' } });

    expect(entriesOf(body)).toHaveLength(1);
    expect(JSON.stringify(body)).not.toContain('1911');
  });

  it.each([
    ['beyond the count', { name: 'count', valueInteger: 1 }],
    ['where several are certain', { name: 'onlyCertainMatches', valueBoolean: true }],
  ])('leaves a trace with whom it counts and does not show, %s', async (_, parameter) => {
    const known = {
      name: [{ family: 'Countable', given: ['Ida'] }],
      identifier: [{ system: identifierSystem, value: parameter.name }],
    };
    const twins = [await create(server, patientBody(known)), await create(server, patientBody(known))];

    const body = await match(described({ ...known, birthDate: '1980-02-03' }), [parameter]);

    expect(JSON.stringify(body)).toMatch(/Not shown: \d+ patients/);
    for (const { id } of twins) {
      const { body: log } = await server.get(`AuditEvent?patient=${id}&subtype=operation`, { as: { role: 'privacy' } });
      expect(entriesOf(log)).toHaveLength(1);
    }
  });

  it('tells where more patients bear a name than it looks at', async () => {
    const { store } = server;
    const partition = partitionFor(store, 'northside', 'Patient', 'name', 'string', 'commonest');
    const row = { pk: partition, chart: okafor.id, place: '' };
    await writeRows(
      store,
      Array.from({ length: 1_001 }, (_, n) => ({ ...row, sk: `commonest#${String(n).padStart(4, '0')}` })),
    );
    server.calls.reset();

    const body = await match(described({ name: [{ family: 'Commonest' }] }));

    expect(JSON.stringify(entriesOf(body))).toContain('More patients share the name');
    expect(server.calls.names.length).toBeLessThanOrEqual(13);
  });

  it('makes a bounded number of calls, whatever is told', async () => {
    const many = Array.from({ length: 60 }, (_, n) => ({ system: 'email' as const, value: `m${n}@x.example` }));
    server.calls.reset();

    await match(described({ ...home, name: [{ ...family }], telecom: many }));

    expect(server.calls.names.length).toBeLessThanOrEqual(45);
  });
});
