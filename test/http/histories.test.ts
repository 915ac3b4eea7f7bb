import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import {
  create,
  encounterBody,
  entriesOf,
  issuesOf,
  matchesIn,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

// Rules of histories where they are met: on every way to write. All pairs of states are in test/unit/histories.

type Change = Readonly<Record<string, unknown>>;

let server: FhirServer;
let subject: string;
let visits: string[];

beforeAll(async () => {
  server = await fhirServer();
  subject = referenceTo(await create(server, patientBody()));
  visits = [];
  for (let each = 0; each < 2; each++) visits.push(referenceTo(await create(server, encounterBody(subject))));
});

const coded = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});
const snomed = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://snomed.info/sct', code }] });
const of = (category: string) => ({ category: [coded('condition-category', category)] });
const conditionBody = (elements: Partial<fhir4.Condition> = {}): fhir4.Condition => ({
  resourceType: 'Condition',
  clinicalStatus: coded('condition-clinical', 'active'),
  verificationStatus: coded('condition-ver-status', 'confirmed'),
  code: snomed('195967001'),
  subject: { reference: subject },
  ...elements,
});
const diagnosis = (): fhir4.Condition =>
  conditionBody({ ...of('encounter-diagnosis'), encounter: { reference: visits[0] ?? '' } });
const given = (elements: Partial<fhir4.Immunization> = {}): fhir4.Immunization => ({
  resourceType: 'Immunization',
  status: 'completed',
  vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '140' }] },
  patient: { reference: subject },
  occurrenceDateTime: '2024-05-06',
  lotNumber: 'A1',
  ...elements,
});

/** What may be made of a record, what may not, and by which rule. */
const cases: readonly {
  readonly body: () => fhir4.FhirResource;
  readonly refused: () => Change;
  readonly reason: string;
  readonly at: string;
  readonly allowed: () => Change;
  readonly flag: string;
}[] = [
  {
    body: () => conditionBody(),
    refused: () => ({ verificationStatus: coded('condition-ver-status', 'provisional') }),
    reason: 'move-needs-reason',
    at: 'verificationStatus',
    allowed: () => ({ clinicalStatus: coded('condition-clinical', 'remission') }),
    flag: 'irregular-move',
  },
  {
    body: () => conditionBody({ clinicalStatus: coded('condition-clinical', 'resolved') }),
    refused: () => ({ clinicalStatus: coded('condition-clinical', 'relapse') }),
    reason: 'illegal-move',
    at: 'clinicalStatus',
    allowed: () => ({ clinicalStatus: coded('condition-clinical', 'recurrence') }),
    flag: 'irregular-move',
  },
  {
    body: diagnosis,
    refused: () => ({ category: [...of('encounter-diagnosis').category, ...of('problem-list-item').category] }),
    reason: 'kept-apart',
    at: 'category',
    allowed: () => ({ note: [{ text: 'Told to the patient' }] }),
    flag: 'irregular-move',
  },
  {
    body: diagnosis,
    refused: () => ({ encounter: { reference: visits[1] } }),
    reason: 'kept-apart',
    at: 'encounter',
    allowed: () => ({ recordedDate: '2024-05-06' }),
    flag: 'irregular-move',
  },
  {
    body: () => conditionBody({ clinicalStatus: coded('condition-clinical', 'resolved'), onsetDateTime: '2024' }),
    refused: () => ({ abatementDateTime: '2023-12' }),
    reason: 'impossible-times',
    at: 'abatement',
    allowed: () => ({ abatementDateTime: '2024-02' }),
    flag: 'impossible-times',
  },
  {
    body: () => ({
      resourceType: 'AllergyIntolerance',
      clinicalStatus: coded('allergyintolerance-clinical', 'active'),
      verificationStatus: coded('allergyintolerance-verification', 'confirmed'),
      code: { text: 'Peanuts' },
      patient: { reference: subject },
    }),
    refused: () => ({ verificationStatus: coded('allergyintolerance-verification', 'unconfirmed') }),
    reason: 'move-needs-reason',
    at: 'verificationStatus',
    allowed: () => ({ verificationStatus: coded('allergyintolerance-verification', 'refuted') }),
    flag: 'irregular-move',
  },
  {
    body: given,
    refused: () => ({ status: 'not-done', statusReason: { text: 'The patient refused' } }),
    reason: 'illegal-move',
    at: 'status',
    allowed: () => ({ lotNumber: 'A2' }),
    flag: 'irregular-move',
  },
  {
    body: given,
    refused: () => ({ occurrenceDateTime: '2999-01-01' }),
    reason: 'impossible-times',
    at: 'occurrence',
    allowed: () => ({ status: 'entered-in-error' }),
    flag: 'impossible-times',
  },
  {
    body: () => ({ resourceType: 'Procedure', status: 'in-progress', subject: { reference: subject } }),
    refused: () => ({ status: 'stopped' }),
    reason: 'move-needs-reason',
    at: 'status',
    allowed: () => ({ status: 'stopped', statusReason: { text: 'It bled' } }),
    flag: 'irregular-move',
  },
  {
    body: () => ({
      resourceType: 'FamilyMemberHistory',
      status: 'entered-in-error',
      patient: { reference: subject },
      relationship: { text: 'Mother' },
    }),
    refused: () => ({ status: 'partial' }),
    reason: 'illegal-move',
    at: 'status',
    allowed: () => ({ name: 'Ann' }),
    flag: 'irregular-move',
  },
];

const send = (bundle: 'transaction' | 'batch', entry: readonly unknown[], as?: TestCaller) =>
  server.post(
    '',
    { resourceType: 'Bundle', type: bundle, entry },
    { headers: { prefer: 'return=representation' }, ...(as ? { as } : {}) },
  );
const patchOf = (change: Change) =>
  Object.entries(change).map(([element, value]) => ({ op: 'add', path: `/${element}`, value }));
const put = (record: TestBody, change: Change) => ({
  resource: { ...(record as object), ...change },
  request: { method: 'PUT', url: referenceTo(record) },
});

const ways: Readonly<Record<string, (record: TestBody, change: Change) => Promise<TestResponse>>> = {
  PUT: (record, change) => server.put(referenceTo(record), { ...(record as object), ...change }),
  PATCH: (record, change) =>
    server.request('PATCH', referenceTo(record), {
      body: patchOf(change),
      headers: { 'content-type': 'application/json-patch+json' },
    }),
  'conditional PUT': (record, change) =>
    server.put(`${record.resourceType}?_id=${record.id}`, { ...(record as object), ...change }),
  'PUT in a transaction': (record, change) => send('transaction', [put(record, change)]),
  'PUT in a batch': async (record, change) => {
    const answer = await send('batch', [put(record, change)]);
    const [{ response } = {} as TestBody] = entriesOf(answer.body);
    const { status, outcome } = response as unknown as fhir4.BundleEntryResponse;
    return { ...answer, status: Number(status.slice(0, 3)), body: (outcome ?? {}) as unknown as TestBody };
  },
};

/** One record of each case, by one request. */
const begun = async (): Promise<TestBody[]> => {
  const { status, body, text } = await send(
    'transaction',
    cases.map((each) => {
      const resource = each.body();
      return { resource, request: { method: 'POST', url: resource.resourceType } };
    }),
  );
  expect(status, text).toBe(200);
  return resourcesIn(body);
};

describe('a history', () => {
  it.each(Object.keys(ways))('becomes what its rules permit, by %s, and nothing else', async (way) => {
    const records = await begun();
    for (const [index, { refused, reason, at, allowed }] of cases.entries()) {
      const record = records[index] as TestBody;
      const no = await ways[way]?.(record, refused());
      const [issue] = issuesOf(no?.body as TestBody);
      expect([no?.status, issue?.reason], no?.text).toEqual([422, reason]);
      expect(issue?.expression?.split('.').at(-1)).toBe(at);
      const yes = await ways[way]?.(record, allowed());
      expect(yes?.status, yes?.text).toBe(200);
    }
    const stored = await send(
      'batch',
      records.map((record) => ({ request: { method: 'GET', url: referenceTo(record) } })),
    );
    expect(new Set(resourcesIn(stored.body).map(({ meta }) => meta?.versionId))).toEqual(new Set(['2']));
  });

  it('is stored as an interface tells it, flagged, and looked at', async () => {
    const records = await begun();
    const told = await send(
      'transaction',
      records.map((record, index) => put(record, cases[index]?.refused() ?? {})),
      system,
    );
    expect(told.status, told.text).toBe(200);
    const flags = resourcesIn(told.body).map(({ meta }) => (meta as fhir4.Meta).tag?.map(({ code }) => code));
    expect(flags).toEqual(cases.map(({ flag }) => [flag]));
    const tasks = await send(
      'batch',
      records.map((record) => ({ request: { method: 'GET', url: `Task?focus=${referenceTo(record)}` } })),
    );
    const found = resourcesIn(tasks.body).map((bundle) => matchesIn(bundle));
    expect(found.map((each) => each.map((task) => (task['for'] as fhir4.Reference).reference))).toEqual(
      cases.map(() => [subject]),
    );
  });

  it('that cannot be is looked at from its first version on', async () => {
    const record = await create(server, given({ occurrenceDateTime: '2999-01-01' }), system);

    expect(record.meta.tag).toMatchObject([{ code: 'impossible-times' }]);
    expect(matchesIn((await server.get(`Task?focus=${referenceTo(record)}`)).body)).toMatchObject([
      { status: 'requested', for: { reference: subject } },
    ]);
    const refused = await server.post('Immunization', given({ occurrenceDateTime: '2999-01-01' }));
    expect([refused.status, issuesOf(refused.body)[0]?.reason]).toEqual([422, 'impossible-times']);
  });

  it('of a vaccine is corrected, and its history keeps what was said before', async () => {
    const record = await create(server, given());
    const name = referenceTo(record);
    expect((await server.put(name, { ...record, lotNumber: 'B7', occurrenceDateTime: '2024-05-05' })).status).toBe(200);

    const versions = resourcesIn((await server.get(`${name}/_history`)).body);
    expect(versions.map(({ lotNumber, occurrenceDateTime }) => [lotNumber, occurrenceDateTime])).toEqual([
      ['B7', '2024-05-05'],
      ['A1', '2024-05-06'],
    ]);
  });
});

describe('a problem that newly stands on the list', () => {
  const asthma = (elements: Partial<fhir4.Condition> = {}) =>
    conditionBody({ ...of('problem-list-item'), subject: { reference: chart }, ...elements });
  let chart: string;
  const begin = async () => void (chart = referenceTo(await create(server, patientBody())));
  const isWarned = ({ headers }: TestResponse) =>
    (headers['x-fhir-request-validation'] ?? '').includes('has this problem already');
  const post = (body: fhir4.Condition, as?: TestCaller) => server.post('Condition', body, as ? { as } : {});

  it('warns where it stands there already, and is stored', async () => {
    await begin();
    const first = await post(asthma());
    const second = await post(asthma());

    expect([first.status, isWarned(first), second.status, isWarned(second)]).toEqual([201, false, 201, true]);
  });

  it.each<[string, Partial<fhir4.Condition>]>([
    ['of another part of the body', { bodySite: [snomed('72098002')] }],
    ['of another code', { code: snomed('38341003') }],
    ['resolved', { clinicalStatus: coded('condition-clinical', 'resolved') }],
    ['ruled out', { verificationStatus: coded('condition-ver-status', 'refuted') }],
    ['a diagnosis of a visit', { ...of('encounter-diagnosis') }],
  ])('warns of none that is %s', async (_, elements) => {
    await begin();
    await create(server, asthma(elements));

    expect(isWarned(await post(asthma()))).toBe(false);
  });

  it('warns when it comes back, in words too, and not when something else of it changes', async () => {
    await begin();
    const code = { text: ' Asthma' };
    const past = await create(server, asthma({ code, clinicalStatus: coded('condition-clinical', 'resolved') }));
    const held = await create(server, asthma({ code: { text: 'asthma' } }));
    const again = { ...past, clinicalStatus: coded('condition-clinical', 'recurrence') };
    const back = await server.put(referenceTo(past), again);
    const noted = await server.put(referenceTo(held), { ...held, note: [{ text: 'Worse in spring' }] });

    expect([back.status, isWarned(back), noted.status, isWarned(noted)]).toEqual([200, true, 200, false]);
  });

  it('warns in a transaction that writes both, once each', async () => {
    await begin();
    const entry = [asthma(), asthma()].map((resource) => ({ resource, request: { method: 'POST', url: 'Condition' } }));
    const { body } = await send('transaction', entry);
    const responses = entriesOf(body).map(({ response }) => response as unknown as fhir4.BundleEntryResponse);
    const warnings = responses.map(({ outcome }) => (outcome as fhir4.OperationOutcome).issue.map(({ code }) => code));

    expect(responses.map(({ status }) => status.slice(0, 3))).toEqual(['201', '201']);
    expect(warnings).toEqual([['duplicate'], ['duplicate']]);
  });

  it('looks once at a chart, however many it writes there', async () => {
    await begin();
    const entry = Array.from({ length: 20 }, (_, n) => ({
      resource: asthma({ code: snomed(String(10_000 + n)) }),
      request: { method: 'POST', url: 'Condition' },
    }));
    server.calls.reset();
    const { status } = await send('transaction', entry);

    expect(status).toBe(200);
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(1);
  });

  it('tells nothing of what the writer may not see, and an interface is asked nothing', async () => {
    await begin();
    await create(server, asthma());
    const scope =
      'user/Condition.c user/Condition.rs?category=health-concern user/Condition.r?category=encounter-diagnosis';
    const narrowed = await post(asthma(), { role: 'physician', scope });
    server.calls.reset();
    const told = await post(asthma(), system);

    expect([narrowed.status, isWarned(narrowed), told.status, isWarned(told)]).toEqual([201, false, 201, false]);
    expect(server.calls.names.filter((name) => name === 'Query')).toEqual([]);
  });

  it('is found by its category, and neither diagnoses nor concerns are', async () => {
    await begin();
    for (const category of ['problem-list-item', 'encounter-diagnosis', 'health-concern'])
      await create(server, conditionBody({ ...of(category), subject: { reference: chart } }));
    const found = async (category: string) =>
      matchesIn((await server.get(`Condition?patient=${chart}&category=${category}`)).body).map(
        (each) => (each['category'] as unknown as fhir4.CodeableConcept[])[0]?.coding?.[0]?.code,
      );

    expect(await found('problem-list-item')).toEqual(['problem-list-item']);
    expect(await found('encounter-diagnosis')).toEqual(['encounter-diagnosis']);
    expect(await found('health-concern')).toEqual(['health-concern']);
  });
});
