import { beforeAll, describe, expect, it } from 'vitest';
import { putEntry, transactionOf } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import {
  create,
  encounterBody,
  issuesOf,
  observationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

// Moves of states on every path by which a record is written, against tables that are written here once more: all pairs by a batch, and by each other
// path one of those that may follow a state and one of those that may not. All paths meet at two doors, so that a path is right or wrong as one.

/** State → states that may follow; behind ! those that need a reason. */
type Table = Readonly<Record<string, string>>;

interface Case {
  readonly body: (subject: string) => fhir4.FhirResource;
  readonly table: Table;
  /** What gives a reason, for the moves that need one. */
  readonly because: Change;
}

const reason = { text: 'It went on after all' };

const because = (url: string): Change => ({
  extension: [{ url: `http://hl7.org/fhir/StructureDefinition/${url}`, valueCodeableConcept: reason }],
});
const goal = (subject: string): fhir4.Goal => ({
  resourceType: 'Goal',
  lifecycleStatus: 'active',
  description: { text: 'To walk a mile' },
  subject: { reference: subject },
});

const cases: Readonly<Record<string, Case>> = {
  'Encounter.status': {
    body: (subject) => encounterBody(subject),
    table: {
      planned: 'arrived triaged in-progress cancelled unknown entered-in-error',
      arrived: 'triaged in-progress cancelled unknown entered-in-error',
      triaged: 'in-progress cancelled unknown entered-in-error',
      'in-progress': 'onleave finished unknown entered-in-error',
      onleave: 'in-progress finished unknown entered-in-error',
      finished: '!in-progress entered-in-error',
      cancelled: 'entered-in-error',
      unknown: 'planned arrived triaged in-progress onleave finished cancelled entered-in-error',
      'entered-in-error': '',
    },
    because: because('event-statusReason'),
  },
  'Appointment.status': {
    // Of the past: all of it may have happened.
    body: (subject) => ({
      resourceType: 'Appointment',
      status: 'proposed',
      start: '2024-05-06T07:00:00Z',
      end: '2024-05-06T07:30:00Z',
      participant: [{ actor: { reference: subject }, status: 'accepted' }],
    }),
    table: {
      proposed: 'pending waitlist booked cancelled entered-in-error',
      pending: 'proposed waitlist booked cancelled entered-in-error',
      waitlist: 'proposed pending booked cancelled entered-in-error',
      booked: 'proposed pending waitlist arrived checked-in fulfilled noshow cancelled entered-in-error',
      arrived: 'checked-in fulfilled cancelled !booked entered-in-error',
      'checked-in': 'fulfilled cancelled !booked entered-in-error',
      fulfilled: '!checked-in !noshow entered-in-error',
      noshow: 'arrived checked-in cancelled !booked !fulfilled entered-in-error',
      cancelled: 'proposed waitlist !booked entered-in-error',
      'entered-in-error': '',
    },
    because: because('request-statusReason'),
  },
  'MedicationRequest.status': {
    body: (subject) => ({
      resourceType: 'MedicationRequest',
      status: 'draft',
      intent: 'order',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: subject },
    }),
    table: {
      draft: 'cancelled entered-in-error',
      active: '!on-hold completed !stopped !cancelled entered-in-error',
      'on-hold': 'active completed !stopped !cancelled entered-in-error',
      completed: 'entered-in-error',
      stopped: 'entered-in-error',
      cancelled: 'entered-in-error',
      unknown: 'on-hold completed stopped cancelled entered-in-error',
      'entered-in-error': '',
    },
    because: { statusReason: reason },
  },
  'MedicationDispense.status': {
    body: (subject) => ({
      resourceType: 'MedicationDispense',
      status: 'preparation',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: subject },
    }),
    table: {
      preparation: 'in-progress !on-hold completed !cancelled !stopped !declined unknown entered-in-error',
      'in-progress': 'preparation !on-hold completed !cancelled !stopped !declined unknown entered-in-error',
      'on-hold': 'preparation in-progress completed !cancelled !stopped !declined unknown entered-in-error',
      completed: 'entered-in-error',
      cancelled: 'entered-in-error',
      stopped: 'entered-in-error',
      declined: 'entered-in-error',
      unknown: 'preparation in-progress on-hold completed cancelled stopped declined entered-in-error',
      'entered-in-error': '',
    },
    because: { statusReasonCodeableConcept: reason },
  },
  'MedicationAdministration.status': {
    body: (subject) => ({
      resourceType: 'MedicationAdministration',
      status: 'in-progress',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: subject },
      effectiveDateTime: '2024-05-06T07:00:00Z',
    }),
    table: {
      'in-progress': '!on-hold completed !stopped !not-done unknown entered-in-error',
      'on-hold': 'in-progress completed !stopped !not-done unknown entered-in-error',
      completed: 'entered-in-error',
      'not-done': 'entered-in-error',
      stopped: 'entered-in-error',
      unknown: 'in-progress on-hold completed not-done stopped entered-in-error',
      'entered-in-error': '',
    },
    because: { statusReason: [reason] },
  },
  'MedicationStatement.status': {
    body: (subject) => ({
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: subject },
    }),
    table: {
      intended: 'active on-hold not-taken stopped unknown entered-in-error',
      active: 'on-hold completed stopped not-taken unknown entered-in-error',
      'on-hold': 'active completed stopped not-taken unknown entered-in-error',
      completed: '!active entered-in-error',
      stopped: '!active entered-in-error',
      'not-taken': '!active entered-in-error',
      unknown: 'intended active on-hold completed stopped not-taken entered-in-error',
      'entered-in-error': '',
    },
    because: { statusReason: [reason] },
  },
  'Task.status': {
    body: (subject) => ({
      resourceType: 'Task',
      status: 'draft',
      intent: 'order',
      description: 'Call the patient',
      for: { reference: subject },
    }),
    table: {
      draft: 'requested ready in-progress cancelled entered-in-error',
      requested: 'received accepted rejected ready in-progress on-hold completed failed cancelled entered-in-error',
      received: 'requested accepted rejected ready in-progress on-hold completed failed cancelled entered-in-error',
      accepted: 'requested ready in-progress on-hold completed failed cancelled entered-in-error',
      rejected: 'entered-in-error',
      ready: 'requested in-progress on-hold completed failed cancelled entered-in-error',
      cancelled: 'entered-in-error',
      'in-progress': 'requested on-hold completed failed cancelled entered-in-error',
      'on-hold': 'requested accepted ready in-progress completed failed cancelled entered-in-error',
      failed: '!requested entered-in-error',
      completed: '!in-progress entered-in-error',
      'entered-in-error': '',
    },
    because: { statusReason: reason },
  },
  'CarePlan.status': {
    body: (subject) => ({
      resourceType: 'CarePlan',
      status: 'draft',
      intent: 'plan',
      subject: { reference: subject },
    }),
    table: {
      draft: 'active revoked unknown entered-in-error',
      active: 'on-hold revoked completed unknown entered-in-error',
      'on-hold': 'active revoked completed unknown entered-in-error',
      revoked: 'entered-in-error',
      completed: '!active entered-in-error',
      unknown: 'draft active on-hold revoked completed entered-in-error',
      'entered-in-error': '',
    },
    because: because('request-statusReason'),
  },
  'ServiceRequest.status': {
    body: (subject) => ({
      resourceType: 'ServiceRequest',
      status: 'draft',
      intent: 'order',
      subject: { reference: subject },
    }),
    table: {
      draft: 'active revoked unknown entered-in-error',
      active: 'on-hold revoked completed unknown entered-in-error',
      'on-hold': 'active revoked completed unknown entered-in-error',
      revoked: 'entered-in-error',
      completed: '!active entered-in-error',
      unknown: 'draft active on-hold revoked completed entered-in-error',
      'entered-in-error': '',
    },
    because: because('request-statusReason'),
  },
  'Goal.lifecycleStatus': {
    body: goal,
    table: {
      proposed: 'planned accepted active rejected cancelled entered-in-error',
      planned: 'accepted active on-hold rejected cancelled entered-in-error',
      accepted: 'planned active on-hold cancelled entered-in-error',
      active: 'on-hold completed cancelled entered-in-error',
      'on-hold': 'active completed cancelled entered-in-error',
      completed: '!active entered-in-error',
      cancelled: 'entered-in-error',
      'entered-in-error': '',
      rejected: 'entered-in-error',
    },
    because: { statusReason: reason.text },
  },
  'Communication.status': {
    body: (subject) => ({
      resourceType: 'Communication',
      status: 'preparation',
      subject: { reference: subject },
      payload: [{ contentString: 'We have moved' }],
    }),
    table: {
      preparation: 'in-progress on-hold not-done completed unknown entered-in-error',
      'in-progress': 'on-hold stopped completed unknown entered-in-error',
      'on-hold': 'preparation in-progress not-done stopped completed unknown entered-in-error',
      'not-done': 'entered-in-error',
      stopped: 'entered-in-error',
      completed: 'entered-in-error',
      unknown: 'preparation in-progress on-hold not-done stopped completed entered-in-error',
      'entered-in-error': '',
    },
    because: {},
  },
  'CommunicationRequest.status': {
    body: (subject) => ({ resourceType: 'CommunicationRequest', status: 'draft', subject: { reference: subject } }),
    table: {
      draft: 'active on-hold revoked unknown entered-in-error',
      active: 'on-hold revoked completed unknown entered-in-error',
      'on-hold': 'active revoked completed unknown entered-in-error',
      revoked: 'entered-in-error',
      completed: 'entered-in-error',
      unknown: 'draft active on-hold revoked completed entered-in-error',
      'entered-in-error': '',
    },
    because: {},
  },
  'DiagnosticReport.status': {
    body: (subject) => ({
      resourceType: 'DiagnosticReport',
      status: 'registered',
      code: { text: 'Blood count' },
      subject: { reference: subject },
    }),
    table: {
      registered: 'partial preliminary final cancelled unknown entered-in-error',
      partial: 'preliminary final cancelled unknown entered-in-error',
      preliminary: 'final cancelled unknown entered-in-error',
      final: 'amended corrected appended entered-in-error',
      amended: 'corrected appended entered-in-error',
      corrected: 'amended appended entered-in-error',
      appended: 'amended corrected entered-in-error',
      cancelled: '!registered entered-in-error',
      unknown: 'registered partial preliminary final amended corrected appended cancelled entered-in-error',
      'entered-in-error': '',
    },
    because: because('event-statusReason'),
  },
  'Observation.status': {
    body: (subject) => observationBody(subject),
    table: {
      registered: 'preliminary final cancelled unknown entered-in-error',
      preliminary: 'final cancelled unknown entered-in-error',
      final: 'amended corrected entered-in-error',
      amended: 'corrected entered-in-error',
      corrected: 'amended entered-in-error',
      cancelled: '!registered entered-in-error',
      unknown: 'registered preliminary final amended corrected cancelled entered-in-error',
      'entered-in-error': '',
    },
    because: because('event-statusReason'),
  },
  'Specimen.status': {
    body: (subject) => ({ resourceType: 'Specimen', status: 'available', subject: { reference: subject } }),
    table: {
      available: 'unavailable unsatisfactory entered-in-error',
      unavailable: 'available unsatisfactory entered-in-error',
      unsatisfactory: '!available unavailable entered-in-error',
      'entered-in-error': '',
    },
    because: because('event-statusReason'),
  },
};

type Path = 'PUT in a batch' | 'PUT' | 'PATCH' | 'conditional PUT' | 'PUT in a transaction' | 'PATCH in a transaction';
const paths: readonly Path[] = [
  'PUT in a batch',
  'PUT',
  'PATCH',
  'conditional PUT',
  'PUT in a transaction',
  'PATCH in a transaction',
];

let server: FhirServer;

beforeAll(async () => {
  server = await fhirServer();
});

const send = (bundle: 'transaction' | 'batch', entry: readonly unknown[]) =>
  server.post('', { resourceType: 'Bundle', type: bundle, entry }, { headers: { prefer: 'return=representation' } });

const typeAndElement = (name: string) => name.split('.') as [type: string, element: string];

/** Records in these states, in a chart of their own, by one request. */
const recordsIn = async (name: string, states: readonly string[]): Promise<TestBody[]> => {
  const [type, element] = typeAndElement(name);
  const patient = referenceTo(await create(server, patientBody()));
  const begun = states.map((state) => ({ ...cases[name]?.body(patient), [element]: state }));
  const { status, body, text } = await send(
    'transaction',
    begun.map((resource) => ({ resource, request: { method: 'POST', url: type } })),
  );
  expect(status, text).toBe(200);
  return resourcesIn(body);
};

/** What is written to move a record: the elements that become others. */
type Change = Readonly<Record<string, unknown>>;

const operations = (change: Change) =>
  Object.entries(change).map(([element, value]) => ({ op: 'add', path: `/${element}`, value }));

const inBinary = (patch: unknown) => ({
  resourceType: 'Binary',
  contentType: 'application/json-patch+json',
  data: Buffer.from(JSON.stringify(patch)).toString('base64'),
});

/** Writes these changes on a path; a transaction holds all of them. */
const write = async (
  path: Path,
  changes: readonly (readonly [record: TestBody, change: Change])[],
): Promise<TestResponse[]> => {
  if (path === 'PUT in a transaction' || path === 'PATCH in a transaction') {
    const method = path === 'PUT in a transaction' ? 'PUT' : 'PATCH';
    const entry = changes.map(([record, change]) => ({
      resource: method === 'PUT' ? { ...(record as object), ...change } : inBinary(operations(change)),
      request: { method, url: referenceTo(record) },
    }));
    return [await send('transaction', entry)];
  }
  if (path === 'PUT in a batch') {
    const entry = changes.map(([record, change]) => ({
      resource: { ...(record as object), ...change },
      request: { method: 'PUT', url: referenceTo(record) },
    }));
    const whole = await send('batch', entry);
    return ((whole.body as unknown as fhir4.Bundle).entry ?? []).map(({ response, resource }) => ({
      ...whole,
      status: Number(response?.status.slice(0, 3)),
      body: (response?.outcome ?? resource) as unknown as TestBody,
      text: JSON.stringify(response?.outcome ?? resource),
    }));
  }
  const answers: TestResponse[] = [];
  for (const [record, change] of changes) {
    const name = referenceTo(record);
    const next = { ...(record as object), ...change };
    const headers = { 'content-type': 'application/json-patch+json' };
    answers.push(
      path === 'PATCH'
        ? await server.request('PATCH', name, { body: operations(change), headers })
        : await server.put(path === 'PUT' ? name : `${record.resourceType}?_id=${record.id}`, next),
    );
  }
  return answers;
};

describe.each(Object.keys(cases))('%s', (name) => {
  const [type, element] = typeAndElement(name);
  const { table, because: reasoned } = cases[name] as Case;
  const states = Object.keys(table);
  const mayFollow = (from: string, to: string): boolean =>
    table[from]?.split(' ').some((state) => state === to || state === `!${to}`) ?? false;
  const pairs = states.flatMap((from) => states.flatMap((to) => (to === from ? [] : [{ from, to }])));
  const changeTo = (from: string, to: string): Change => ({
    [element]: to,
    ...(table[from]?.split(' ').includes(`!${to}`) ? reasoned : {}),
  });

  /** Of these pairs, by a batch all; by another path one for each state from which they lead, not the same by each. */
  const by = (path: Path, of: typeof pairs): typeof pairs =>
    path === 'PUT in a batch'
      ? of
      : states.flatMap((state) => {
          const fromHere = of.filter(({ from }) => from === state);
          return fromHere[paths.indexOf(path) % fromHere.length] ?? [];
        });

  it.each(paths)('becomes what it may become, by %s', async (path) => {
    const legal = by(
      path,
      pairs.filter(({ from, to }) => mayFollow(from, to)),
    );
    const subjects = await recordsIn(
      name,
      legal.map(({ from }) => from),
    );

    const answers = await write(
      path,
      subjects.map((subject, index) => [subject, changeTo(legal[index]?.from ?? '', legal[index]?.to ?? '')]),
    );

    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    const stored = await send(
      'batch',
      subjects.map((record) => ({ request: { method: 'GET', url: referenceTo(record) } })),
    );
    expect(resourcesIn(stored.body).map((each) => each[element])).toEqual(legal.map(({ to }) => to));
  });

  it.each(paths)('becomes nothing else, by %s', async (path) => {
    const illegal = by(
      path,
      pairs.filter(({ from, to }) => !mayFollow(from, to)),
    );
    const subjects = await recordsIn(name, states);

    const asked = illegal.map(
      ({ from, to }) => [subjects[states.indexOf(from)] as TestBody, changeTo(from, to)] as const,
    );
    const answers: (TestResponse | undefined)[] = [];
    // A transaction is refused as a whole.
    if (path === 'PUT in a batch') answers.push(...(await write(path, asked)));
    else for (const one of asked) answers.push((await write(path, [one]))[0]);
    for (const [index, { from, to }] of illegal.entries()) {
      const answer = answers[index];
      const [issue] = issuesOf(answer?.body as TestBody);
      expect([answer?.status, issue?.reason], `${from} → ${to}`).toEqual([422, 'illegal-move']);
      expect(issue?.expression).toMatch(new RegExp(`^(?:${type}|Bundle\\.entry\\[\\d+\\]\\.resource)\\.${element}$`));
    }

    const stored = await send(
      'batch',
      subjects.map((record) => ({ request: { method: 'GET', url: referenceTo(record) } })),
    );
    expect(new Set(resourcesIn(stored.body).map(({ meta }) => meta?.versionId))).toEqual(new Set(['1']));
  });
});

describe('a visit', () => {
  const reopened = (text: string): Change => ({
    status: 'in-progress',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason', valueCodeableConcept: { text } }],
  });

  it('that is finished is opened again for a reason, a new one each time', async () => {
    const [record] = (await recordsIn('Encounter.status', ['finished'])) as [TestBody];
    const name = referenceTo(record);
    const put = async (change: Change) => server.put(name, { ...((await server.get(name)).body as object), ...change });

    expect(issuesOf((await put({ status: 'in-progress' })).body)).toMatchObject([{ reason: 'move-needs-reason' }]);
    expect((await put(reopened('The patient came back'))).status).toBe(200);
    expect((await put({ status: 'finished' })).status).toBe(200);
    expect((await put({ status: 'in-progress' })).status).toBe(422);
    expect((await put(reopened('And once more'))).body.statusHistory).toMatchObject([
      { status: 'finished' },
      { status: 'in-progress' },
      { status: 'finished' },
    ]);
  });

  it('has its history from the server, to the millisecond, on every path', async () => {
    const subjects = await recordsIn(
      'Encounter.status',
      paths.map(() => 'triaged'),
    );
    const invented = [{ status: 'planned', period: { start: '2020-01-01' } }];
    const at = Date.UTC(2026, 3, 5, 6, 7, 8, 9);
    server.setTime(at);
    try {
      for (const [index, path] of paths.entries()) {
        const [answer] = await write(path, [
          [subjects[index] as TestBody, { status: 'in-progress', statusHistory: invented }],
        ]);
        expect(answer?.status, answer?.text).toBe(200);
      }
    } finally {
      server.setTime(undefined);
    }

    for (const record of subjects) {
      const { statusHistory } = (await server.get(referenceTo(record))).body;
      expect(statusHistory).toEqual([
        { status: 'triaged', period: { start: '2024-05-06T07:00:00Z', end: new Date(at).toISOString() } },
      ]);
    }
  });

  it('that an interface tells of is stored whatever it became, flagged, and looked at by somebody', async () => {
    const [record] = (await recordsIn('Encounter.status', ['cancelled'])) as [TestBody];
    const name = referenceTo(record);
    const told = await server.put(name, { ...(record as object), status: 'finished' }, { as: system });
    const flag = { system: 'https://concord.example/fhir/CodeSystem/work', code: 'irregular-move' };

    expect(told.status, told.text).toBe(200);
    expect(told.body.meta?.tag).toMatchObject([flag]);
    const tasks = async () => resourcesIn((await server.get(`Task?focus=${name}`)).body);
    expect(await tasks()).toMatchObject([
      { status: 'requested', for: record.subject, performerType: [{ coding: [{ code: '106292003' }] }] },
    ]);

    const { tag: _flag, ...meta } = (told.body.meta ?? {}) as fhir4.Meta;
    const again = await server.put(name, { ...(told.body as object), meta, status: 'planned' }, { as: system });
    expect(again.body.meta?.tag).toMatchObject([flag]);
    expect(await tasks()).toHaveLength(1);
    const parameter = [{ name: 'meta', valueMeta: { tag: [flag] } }];
    await server.post(`${name}/$meta-delete`, { resourceType: 'Parameters', parameter });
    expect((await server.get(name)).body.meta?.tag).toBeUndefined();
  });
});

describe('what was sent', () => {
  const sentIn = async (): Promise<TestBody[]> =>
    recordsIn(
      'Communication.status',
      paths.map(() => 'completed'),
    );

  it.each([
    ['payload', [{ contentString: 'We have not moved' }]],
    ['sent', '2020-01-01'],
    ['inResponseTo', [{ reference: 'https://elsewhere.example/Communication/1' }]],
    ['about', [{ display: 'Something else' }]],
    ['recipient', [{ display: 'Somebody else' }]],
    ['sender', { display: 'Somebody else' }],
    ['medium', [{ text: 'By telephone' }]],
  ])('keeps its %s, on every path, also where it is said to be an error', async (element, value) => {
    const before = (await sentIn()).map(
      (record) => ({ ...(record as object), sent: '2026-01-01' }) as unknown as TestBody,
    );
    for (const record of before) expect((await server.put(referenceTo(record), record)).status).toBe(200);

    for (const [index, path] of paths.entries()) {
      const record = before[index] as TestBody;
      const [answer] = await write(path, [[record, { [element]: value, status: 'entered-in-error' }]]);
      const [issue] = issuesOf(answer?.body as TestBody);
      expect([answer?.status, issue?.reason], path).toEqual([422, 'words-sent']);
      expect(issue?.expression).toMatch(new RegExp(`Communication\\.${element}$|resource\\.${element}$`));
      const kept = (await server.get(referenceTo(record))).body;
      expect([kept[element], kept.status, kept.meta?.versionId]).toEqual([record[element], 'completed', '2']);
    }
  });

  it('is not deleted, and has a category, a note and an error like all else', async () => {
    const [record] = (await sentIn()) as [TestBody];
    const name = referenceTo(record);
    const deleted = await server.delete(name);
    const put = async (change: Change) => (await server.put(name, { ...(record as object), ...change })).status;

    expect([deleted.status, issuesOf(deleted.body)[0]?.reason]).toEqual([422, 'words-sent']);
    expect(await put({ note: [{ text: 'Called as well' }], category: [{ text: 'Address' }] })).toBe(200);
    expect(await put({ status: 'entered-in-error' })).toBe(200);
    expect(await put({ status: 'entered-in-error', payload: [{ contentString: 'Nothing' }] })).toBe(422);
  });

  it('that an interface writes anew is stored, flagged, and looked at by somebody', async () => {
    const [record] = (await sentIn()) as [TestBody];
    const name = referenceTo(record);
    const payload = [{ contentString: 'We have not moved' }];
    const told = await server.put(name, { ...(record as object), payload }, { as: system });

    expect(told.status, told.text).toBe(200);
    expect(told.body.meta?.tag).toMatchObject([{ code: 'rewritten' }]);
    expect(resourcesIn((await server.get(`Task?focus=${name}`)).body)).toMatchObject([
      { status: 'requested', for: record.subject, performerType: [{ coding: [{ code: '106292003' }] }] },
    ]);
  });
});

describe('a record that was deleted', () => {
  const visit = async (status: fhir4.Encounter['status']) => {
    const { id } = await create(server, patientBody());
    const stored = await create(server, encounterBody(`Patient/${id}`, { status }));
    expect((await server.delete(referenceTo(stored))).status).toBe(204);
    return stored;
  };

  it('goes on from the state that it had, on every way by which it is written anew', async () => {
    const stored = await visit('cancelled');
    const again = { ...stored, status: 'in-progress' } as unknown as TestBody;
    const ways = [
      await server.put(referenceTo(stored), again),
      await server.put(`Encounter?_id=${stored.id}`, again),
      await server.post('', transactionOf(putEntry(again as unknown as fhir4.Encounter))),
    ];

    expect(ways.map(({ status, body }) => [status, issuesOf(body)[0]?.reason])).toEqual(
      ways.map(() => [422, 'illegal-move']),
    );
    expect((await server.put(referenceTo(stored), stored as unknown as TestBody)).status).toBe(201);
  });

  it('is flagged where an interface tells otherwise, for that may have happened', async () => {
    const stored = await visit('cancelled');
    const { status, body } = await server.put(
      referenceTo(stored),
      { ...stored, status: 'in-progress' } as unknown as TestBody,
      { as: system },
    );

    expect(status).toBe(201);
    expect(JSON.stringify(body)).toContain('https://concord.example/fhir/CodeSystem/work');
  });

  it('costs a call more than another update where its moves are judged, and none where not', async () => {
    const callsOf = async (stored: fhir4.Resource) => {
      server.calls.reset();
      expect((await server.put(referenceTo(stored as never), stored as unknown as TestBody)).status).toBe(201);
      return server.calls.names.filter((name) => name !== 'TransactWriteItems').length;
    };
    const { id } = await create(server, patientBody());
    const risk = await create<fhir4.RiskAssessment>(server, {
      resourceType: 'RiskAssessment',
      status: 'final',
      subject: { reference: `Patient/${id}` },
    });
    await server.delete(referenceTo(risk));

    expect([await callsOf(await visit('planned')), await callsOf(risk)]).toEqual([2, 1]);
  });
});
