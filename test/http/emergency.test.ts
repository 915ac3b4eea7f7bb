import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  identifierSystem,
  issuesOf,
  matchesIn,
  numberedPatient,
  observationBody,
  pathOf,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
} from '../support/records.ts';

// An emergency: how a clinician of another organisation finds the patient, what breaking the glass opens and to whom, and who is told.

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const emergencySystem = 'https://concord.example/fhir/CodeSystem/emergency';
const colleague: TestCaller = { role: 'nurse', organization: 'lakeside' };
const sameRole: TestCaller = { ...elsewhere, claims: { sub: 'sub-another-physician' } };
const privacy: TestCaller = { role: 'privacy' };
const minute = 60_000;
const now = Date.parse('2026-03-01T10:10:00Z');

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer(undefined, { breakGlassMinutes: 45 });
  for (const id of ['northside', 'lakeside', 'hillside'])
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
});

let patients = 0;
const chart = async (elements: Partial<fhir4.Patient> = {}, made: readonly fhir4.Coding[] = []) => {
  server.setTime(now);
  const patient = await create(server, numberedPatient(`emergency-${patients++}`, elements));
  const subject = referenceTo(patient);
  const observation = await create(
    server,
    observationBody(subject, made.length > 0 ? { meta: { security: [...made] } } : {}),
  );
  return { patient, subject, observation };
};

const reason = 'Unconscious after a fall';
const breakingGlass = (purpose: string, because: string): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'purpose', valueCode: purpose },
    { name: 'reason', valueString: because },
  ],
});
const breakGlass = (patient: Pick<Stored<fhir4.Patient>, 'id'>, as: TestCaller = elsewhere, because = reason) =>
  server.post(`Patient/${patient.id}/$break-glass`, breakingGlass('BTG', because), { as });
const broken = async () => {
  const known = await chart();
  expect((await breakGlass(known.patient)).status).toBe(200);
  return known;
};

const statusOf = async (path: string, as: TestCaller = elsewhere) => (await server.get(path, { as })).status;
const found = async (path: string, as: TestCaller = elsewhere) =>
  (await allPages(server, path, as)).flatMap(matchesIn).map(referenceTo).sort();

const emergencyTask = async ({ id }: Stored<fhir4.Patient>, as: TestCaller = privacy): Promise<Stored<fhir4.Task>> => {
  const { body } = await server.get(`Task?patient=${id}&code=${emergencySystem}|break-glass-review`, { as });
  const [task] = matchesIn(body);
  if (!task) throw new Error('There is nothing to review');
  return stored<fhir4.Task>(task);
};

const logOf = async ({ id }: Stored<fhir4.Patient>): Promise<fhir4.AuditEvent[]> => {
  const { body } = await server.get(`AuditEvent?patient=${id}`, { as: privacy });
  return resourcesIn(body).map((event) => event as unknown as fhir4.AuditEvent);
};
const purposesOf = (events: readonly fhir4.AuditEvent[], subject: string) =>
  events
    .filter(({ agent }) => agent[0]?.altId === subject)
    .map(({ subtype, purposeOfEvent, outcome }) =>
      [subtype?.[0]?.code, outcome, purposeOfEvent?.[0]?.coding?.[0]?.code].join(' '),
    );

describe('breaking the glass', () => {
  it('opens what others keep of the patient, at every door, to whoever broke it', async () => {
    const { patient, observation, subject } = await chart();
    expect(await statusOf(pathOf(observation))).toBe(404);

    const { status, body } = await breakGlass(patient);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      parameter: [{ name: 'until', valueInstant: new Date(now + 45 * minute).toISOString() }],
    });
    for (const path of [
      pathOf(observation),
      `${pathOf(observation)}/_history`,
      `${pathOf(observation)}/_history/1`,
      pathOf(patient),
    ])
      expect(await statusOf(path), path).toBe(200);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(observation)]);
    expect(await found(`Patient/${patient.id}/Observation`)).toEqual([referenceTo(observation)]);
    expect(await found(`${subject}/$everything`)).toEqual([patient, observation].map(referenceTo).sort());
  });

  it('opens it to nobody else, and of nobody else', async () => {
    const { observation } = await broken();
    const other = await chart();

    for (const as of [colleague, sameRole, { role: 'physician', organization: 'hillside' }])
      expect(await statusOf(pathOf(observation), as)).toBe(404);
    const moved: TestCaller = { ...elsewhere, organization: 'hillside', claims: { sub: 'sub-physician-lakeside' } };
    expect(await statusOf(pathOf(observation), moved)).toBe(404);
    expect(await statusOf(pathOf(other.observation))).toBe(404);
    expect(await found(`Observation?patient=${other.patient.id}`)).toEqual([]);
  });

  it('ends by the clock, and is renewed by a new reason', async () => {
    const { patient, observation } = await broken();
    server.setTime(now + 45 * minute - 1);
    expect(await statusOf(pathOf(observation))).toBe(200);

    server.setTime(now + 45 * minute);
    expect(await statusOf(pathOf(observation))).toBe(404);
    expect((await breakGlass(patient, elsewhere, 'Still unconscious, in surgery')).status).toBe(200);

    expect(await statusOf(pathOf(observation))).toBe(200);
    expect(await found(`Task?patient=${patient.id}`, privacy)).toHaveLength(2);
  });

  it('lasts 12 hours at most, whatever the policy says', async () => {
    const long = await fhirServer(undefined, { breakGlassMinutes: 100_000 });
    long.setTime(now);
    const patient = await create(long, numberedPatient('long'));
    const { body } = await long.post(`${pathOf(patient)}/$break-glass`, breakingGlass('BTG', reason), {
      as: elsewhere,
    });

    expect(body).toMatchObject({ parameter: [{ valueInstant: new Date(now + 12 * 60 * minute).toISOString() }] });
  });

  it('opens what is labelled and what the patient denies, and no psychotherapy notes nor Consents', async () => {
    const hiv = await chart({}, [{ system: `${hl7}v3-ActCode`, code: 'HIV' }]);
    const notes = await create(
      server,
      observationBody(hiv.subject, { meta: { security: [{ system: `${hl7}v3-ActCode`, code: 'PSYTHPN' }] } }),
    );
    const consent = await create<fhir4.Consent>(server, {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
      category: [{ coding: [{ system: `${hl7}consentcategorycodes`, code: 'infa' }] }],
      patient: { reference: hiv.subject },
      policyRule: { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTOUT' }] },
    });
    await breakGlass(hiv.patient);

    expect(await statusOf(pathOf(hiv.observation))).toBe(200);
    for (const closed of [notes, consent]) expect(await statusOf(pathOf(closed))).toBe(404);
  });

  it('keeps to scopes and roles', async () => {
    const { patient, observation, subject } = await chart();
    await create(server, { ...encounterBody(subject) });
    const narrow: TestCaller = { ...elsewhere, scope: 'user/Patient.rs user/Encounter.rs' };
    expect((await breakGlass(patient, narrow)).status).toBe(200);

    expect(await statusOf(pathOf(observation), narrow)).toBe(403);
    expect(await found(`Encounter?patient=${patient.id}`, narrow)).toHaveLength(1);
    const desk: TestCaller = { role: 'frontdesk', organization: 'lakeside', claims: { sub: 'sub-physician-lakeside' } };
    expect(await statusOf(pathOf(observation), desk)).toBe(403);
  });

  it.each<[string, number, TestCaller, fhir4.Parameters]>([
    ['a front desk', 403, { role: 'frontdesk', organization: 'lakeside' }, breakingGlass('BTG', reason)],
    ['a laboratory', 403, { role: 'lab', organization: 'lakeside' }, breakingGlass('BTG', reason)],
    ['a system', 403, { role: 'system', organization: 'lakeside' }, breakingGlass('BTG', reason)],
    ['an administrator', 403, { role: 'admin', organization: 'lakeside' }, breakingGlass('BTG', reason)],
    ['a scope without patients', 403, { ...elsewhere, scope: 'user/Observation.rs' }, breakingGlass('BTG', reason)],
    ['another purpose', 400, elsewhere, breakingGlass('TREAT', reason)],
    ['hardly a reason', 400, elsewhere, breakingGlass('BTG', '  urgent     ')],
    ['no reason', 400, elsewhere, { resourceType: 'Parameters', parameter: [{ name: 'purpose', valueCode: 'BTG' }] }],
  ])('is refused to %s with %i', async (_who, status, as, parameters) => {
    const { patient, observation } = await chart();

    expect((await server.post(`${pathOf(patient)}/$break-glass`, parameters, { as })).status).toBe(status);
    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(await found(`Task?patient=${patient.id}`, privacy)).toEqual([]);
  });

  it('is refused for a patient that there is not, and in a bundle', async () => {
    const { patient } = await chart();
    expect((await breakGlass({ id: 'nobody-here' })).status).toBe(404);
    expect((await breakGlass({ id: server.store.ids.newChart() })).status).toBe(404);
    const entry = {
      request: { method: 'POST', url: `${pathOf(patient)}/$break-glass` },
      resource: breakingGlass('BTG', reason),
    };
    for (const type of ['batch', 'transaction'])
      expect(
        JSON.stringify(
          (await server.post('', { resourceType: 'Bundle', type, entry: [entry] }, { as: elsewhere })).body,
        ),
      ).toContain('not-in-bundle');
    expect(await found(`Task?patient=${patient.id}`, privacy)).toEqual([]);
  });

  it('leaves nothing behind where one of its records cannot be written', async () => {
    const { patient, observation } = await chart();
    const { client } = server.store;
    const send = client.send.bind(client);
    let refused = 0;
    client.send = ((command: { input?: { TransactItems?: unknown[] } }, ...rest: []) => {
      if (JSON.stringify(command.input?.TransactItems ?? []).includes('!access#~!')) {
        refused++;
        throw Object.assign(new Error('The store is not there'), { name: 'InternalServerError' });
      }
      return send(command as never, ...rest);
    }) as typeof client.send;
    try {
      expect((await breakGlass(patient)).status).toBeGreaterThanOrEqual(500);
    } finally {
      client.send = send;
    }

    expect(refused).toBeGreaterThan(0);
    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(await found(`Task?patient=${patient.id}`, privacy)).toEqual([]);
  });
});

describe('writes of who broke the glass', () => {
  it('are the own organisation’s about the patient, at once and also later, and none of what others keep', async () => {
    const { patient, subject, observation } = await broken();

    const encounter = await create(server, encounterBody(subject, { status: 'in-progress' }), elsewhere);
    const own = await create(
      server,
      observationBody(subject, {
        encounter: { reference: referenceTo(encounter) },
        derivedFrom: [{ reference: referenceTo(observation) }],
      }),
      elsewhere,
    );

    const changed = { ...observation, status: 'amended' };
    expect((await server.put(pathOf(observation), changed, { as: elsewhere })).status).toBe(403);
    expect((await server.delete(pathOf(observation), { as: elsewhere })).status).toBe(403);
    for (const [as, both] of [
      [elsewhere, true],
      [colleague, false],
    ] as const)
      expect(await found(`Observation?patient=${patient.id}`, as)).toEqual(
        (both ? [own, observation] : [own]).map(referenceTo).sort(),
      );
    expect(await statusOf(pathOf(own), { role: 'physician' })).toBe(404);
    server.setTime(now + 24 * 60 * minute);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(own)]);
    expect((await server.put(pathOf(own), { ...own, status: 'amended' }, { as: elsewhere })).status).toBe(200);
    expect((await server.post('Observation', observationBody(subject), { as: elsewhere })).status).toBe(400);
  });

  it('are nobody else’s', async () => {
    const { subject } = await broken();

    expect((await server.post('Observation', observationBody(subject), { as: colleague })).status).toBe(400);
  });
});

describe('who is told that the glass was broken', () => {
  it('is the log: each access by it is flagged, and no other one', async () => {
    const { patient, observation } = await broken();
    const own = await create(server, observationBody(referenceTo(patient)), elsewhere);
    await server.get(pathOf(own), { as: elsewhere });
    await server.get(pathOf(observation), { as: elsewhere });
    await server.get(`Observation?patient=${patient.id}`, { as: elsewhere });
    await server.get(pathOf(observation));
    await server.get(pathOf(observation), { as: colleague });

    const events = await logOf(patient);

    expect(purposesOf(events, 'sub-physician-lakeside').sort()).toEqual([
      '110127 0 BTG', // the emergency override itself
      'create 0 ', // the review and the notice
      'create 0 BTG',
      'read 0 ',
      'read 0 BTG',
      'search-type 0 BTG',
    ]);
    expect(purposesOf(events, 'sub-physician-northside').filter((each) => each.endsWith('BTG'))).toEqual([]);
    expect(purposesOf(events, 'sub-nurse-lakeside')).toEqual(['read 4 ']);
    const flagged = events.find(({ purposeOfEvent, subtype }) => purposeOfEvent && subtype?.[0]?.code === 'read');
    const { body } = await server.get(`AuditEvent/${flagged?.id}`, { as: privacy });
    expect(body).toMatchObject({ purposeOfEvent: [{ coding: [{ code: 'BTG' }] }] });
  });

  it('is not told of an access whose flag cannot be written', async () => {
    const { observation } = await broken();
    const { client } = server.store;
    const send = client.send.bind(client);
    let refused = 0;
    client.send = ((command: { input?: { Item?: { sk?: unknown } } }, ...rest: []) => {
      if (String(command.input?.Item?.sk).endsWith('!emergency')) {
        refused++;
        throw Object.assign(new Error('The store is not there'), { name: 'InternalServerError' });
      }
      return send(command as never, ...rest);
    }) as typeof client.send;
    try {
      expect(await statusOf(pathOf(observation))).toBe(500);
    } finally {
      client.send = send;
    }
    expect(refused).toBeGreaterThan(0);
  });

  it('is the patient, by the channel that the patient prefers and without anything of care', async () => {
    const { patient } = await chart({
      telecom: [
        { system: 'phone', value: '+1 555 0100', use: 'work', rank: 1 },
        { system: 'email', value: 'ann@home.example', use: 'home', rank: 2 },
        { system: 'phone', value: '+1 555 0101', use: 'mobile', rank: 3 },
      ],
    });
    await breakGlass(patient);

    const as: TestCaller = { role: 'patient', patient: patient.id };
    const { body } = await server.get(`Communication?patient=${patient.id}`, { as });
    const [notice] = matchesIn(body);
    expect(notice).toMatchObject({
      status: 'preparation',
      category: [{ coding: [{ code: 'break-glass-notice' }] }],
      recipient: [{ reference: referenceTo(patient) }],
      medium: [{ coding: [{ code: 'EMAILWRIT' }] }],
    });
    expect(JSON.stringify(notice)).not.toContain('fall');
    expect(await found(`Communication?patient=${patient.id}`)).toEqual([]);
  });

  it('is a privacy officer of each organisation concerned', async () => {
    const { patient, subject } = await broken();
    await create(server, observationBody(subject), elsewhere);
    const task = await emergencyTask(patient);
    expect(task).toMatchObject({
      status: 'requested',
      for: { reference: subject },
      owner: { reference: 'Organization/northside' },
      reasonCode: { text: reason },
    });

    const third: TestCaller = { role: 'physician', organization: 'hillside' };
    expect((await breakGlass(patient, third)).status).toBe(200);

    expect(await emergencyTask(patient, { role: 'privacy', organization: 'lakeside' })).toMatchObject({
      owner: { reference: 'Organization/lakeside' },
    });
    expect(await found(`Task?patient=${patient.id}`, third)).toEqual([]);
  });
});

describe('the review', () => {
  const put = (task: Stored<fhir4.Task>, changed: Partial<fhir4.Task>, as: TestCaller = privacy) =>
    server.put(pathOf(task), { ...task, ...changed }, { as });
  const reasonOf = (body: TestBody) => issuesOf(body).map((issue) => issue.reason);

  it('is closed with a statement, once, by a privacy officer', async () => {
    const task = await emergencyTask((await broken()).patient);
    expect((await put(task, { status: 'in-progress' }, { role: 'physician' })).status).toBe(403);
    expect((await put(task, { status: 'in-progress' })).status).toBe(200);
    const without = await put(task, { status: 'completed' });
    expect([without.status, ...reasonOf(without.body)]).toEqual([422, 'review-needs-outcome']);

    expect((await put(task, { status: 'completed', statusReason: { text: 'Justified: life at risk' } })).status).toBe(
      200,
    );

    const again = await put(task, { status: 'in-progress' });
    expect([again.status, ...reasonOf(again.body)]).toEqual([422, 'review-closed']);
  });

  it('is not for who broke the glass, whatever else they are', async () => {
    const { patient } = await chart();
    const claims = { sub: 'sub-own-review', roles: ['physician', 'privacy'] };
    const both: TestCaller = { role: 'physician', claims };
    expect((await breakGlass(patient, both)).status).toBe(200);
    const task = await emergencyTask(patient);
    const closed = { status: 'completed', statusReason: { text: 'Justified: life at risk' } } as const;
    expect((await put(task, closed, both)).status).toBe(403);
    expect((await put(task, closed)).status).toBe(200);
  });

  it('is written by nobody as a first version, nor made of another task', async () => {
    const { patient } = await chart();
    const code = { coding: [{ system: emergencySystem, code: 'break-glass-review' }] };
    const other: fhir4.Task = {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: `Patient/${patient.id}` },
      requester: { reference: `Patient/${patient.id}` },
    };
    const forged = { ...other, status: 'completed', code, statusReason: { text: 'All of it was in order' } };
    const plain = stored<fhir4.Task>((await server.post('Task', other, { as: { role: 'nurse' } })).body);
    const reasonOf = ({ body }: { body: TestBody }) => issuesOf(body)[0]?.reason;

    for (const as of [{ role: 'nurse' }, privacy, { role: 'patient', patient: patient.id }] as const)
      expect(reasonOf(await server.post('Task', forged, { as }))).toBe('review-asked');
    const put = { ...forged, id: `forged-${patient.id}` };
    expect(reasonOf(await server.put(`Task/${put.id}`, put, { as: { role: 'nurse' } }))).toBe('review-asked');
    const made = { ...forged, id: plain.id };
    expect(reasonOf(await server.put(pathOf(plain), made, { as: { role: 'nurse' } }))).toBe('review-asked');
    expect((await server.post('Task', forged, { as: { role: 'system' } })).status).toBe(201);
  });

  it('is neither dropped nor changed in what it is about', async () => {
    const { patient } = await broken();
    const task = await emergencyTask(patient);

    for (const status of ['cancelled', 'rejected', 'failed', 'entered-in-error', 'draft'] as const)
      expect((await put(task, { status })).status, status).toBe(422);
    for (const changed of [
      { reasonCode: { text: 'something else altogether' } },
      { code: { text: 'something else' } },
      { owner: { reference: 'Organization/lakeside' } },
      { description: '' },
    ])
      expect((await put(task, changed)).status).toBeGreaterThanOrEqual(400);
    const patch = [{ op: 'remove', path: '/code' }];
    const patched = await server.request('PATCH', pathOf(task), {
      body: JSON.stringify(patch),
      headers: { 'content-type': 'application/json-patch+json' },
      as: privacy,
    });
    expect([patched.status, ...reasonOf(patched.body)]).toEqual([422, 'review-changed']);
    expect((await server.delete(pathOf(task))).status).toBe(403);
    expect((await server.delete(`Task?_id=${task.id}&patient=${patient.id}`)).status).toBe(403);
    expect((await server.delete(pathOf(task), { as: { role: 'system' } })).status).toBe(403);
    expect(await emergencyTask(patient)).toMatchObject({ meta: { versionId: '1' } });
  });
});

describe('Patient/$emergency-match', () => {
  const described = (resource: Partial<fhir4.Patient>) => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'resource', resource: { resourceType: 'Patient', ...resource } }],
  });
  let clinicians = 0;
  /** Somebody who has asked nothing yet. */
  const fresh = (): TestCaller => ({ ...elsewhere, claims: { sub: `sub-match-${clinicians++}` } });
  const match = (resource: Partial<fhir4.Patient>, as: TestCaller = fresh()) =>
    server.post('Patient/$emergency-match', described(resource), { as });
  const name = [{ family: 'Quill', given: ['Odo'] }];

  it('finds the one patient of the network who has all that is told, with what tells who it is', async () => {
    const identifier = [{ system: identifierSystem, value: 'odo-1' }];
    const telecom: fhir4.ContactPoint[] = [{ system: 'phone', value: '+1 555-0177' }];
    server.setTime(now);
    const patient = await create(
      server,
      numberedPatient('odo-1', { name, birthDate: '1971-05-06', telecom, contact: [{ name: { text: 'kin' } }] }),
    );

    for (const facts of [
      { identifier, birthDate: '1971-05-06' },
      { name, birthDate: '1971-05-06' },
      { name: [{ family: 'QUILL', given: ['odo'] }], telecom: [{ system: 'phone' as const, value: '15550177' }] },
    ]) {
      const { status, body } = await match(facts);
      expect(status).toBe(200);
      expect(matchesIn(body)).toEqual([
        {
          resourceType: 'Patient',
          meta: { tag: [{ system: `${hl7}v3-ObservationValue`, code: 'SUBSETTED' }] },
          id: patient.id,
          name,
          gender: 'female',
          birthDate: '1971-05-06',
        },
      ]);
    }
    // A list of guesses is no fact, even with the right one among them.
    const guesses = [...name, { family: 'Quill', given: ['Ada'] }];
    expect(matchesIn((await match({ name: guesses, birthDate: '1971-05-06' })).body)).toEqual([]);
    expect(await statusOf(pathOf(patient))).toBe(404);
    expect((await logOf(patient)).filter(({ purposeOfEvent }) => purposeOfEvent)).toHaveLength(3);
  });

  it('does not tell nobody from several, nor one fact from another', async () => {
    server.setTime(now);
    for (const organization of ['northside', 'hillside'])
      await create(server, numberedPatient('twin', { name: [{ family: 'Twin', given: ['A'] }] }), {
        role: 'physician',
        organization,
      });
    const answers = [
      await match({ name: [{ family: 'Twin', given: ['A'] }], birthDate: '1980-02-03' }),
      await match({ name: [{ family: 'Nobody', given: ['A'] }], birthDate: '1980-02-03' }),
      await match({ identifier: [{ system: identifierSystem, value: 'odo-1' }], birthDate: '1980-02-04' }),
    ].map(({ status, body }) => ({ status, body }));

    expect(answers[0]?.body).toMatchObject({ total: 0, entry: [{ search: { mode: 'outcome' } }] });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it.each<[string, Partial<fhir4.Patient>]>([
    ['one fact', { birthDate: '1971-05-06' }],
    ['a year', { name, birthDate: '1971' }],
    ['half a name', { name: [{ family: 'Quill' }], birthDate: '1971-05-06' }],
    ['a gender besides', { gender: 'male', birthDate: '1971-05-06' }],
    [
      'several of one kind',
      {
        identifier: [
          { system: 'a', value: '1' },
          { system: 'b', value: '2' },
        ],
      },
    ],
  ])('asks for more than %s', async (_what, facts) => {
    const { status, body } = await match(facts);

    expect([status, ...issuesOf(body).map((issue) => issue.reason)]).toEqual([400, 'too-little-told']);
  });

  it.each(['frontdesk', 'lab', 'system', 'privacy', 'admin', 'support'])('is refused to %s', async (role) => {
    const { status } = await match({ name, birthDate: '1971-05-06' }, { role, organization: 'lakeside' });

    expect(status).toBe(403);
  });

  it('is asked ten times an hour by one person, whatever process answers, and each time leaves a trace', async () => {
    server.setTime(now);
    const as = fresh();
    const ask = () => match({ name: [{ family: 'Nobody', given: ['B'] }], birthDate: '1971-05-06' }, as);
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await ask()).status));
    expect(statuses).toEqual(statuses.map(() => 200));

    const { status, headers } = await ask();

    expect([status, headers['retry-after']]).toEqual([429, '3000']);
    expect((await match({ name, birthDate: '1971-05-06' })).status).toBe(200);
    server.setTime(now + 50 * minute);
    expect((await ask()).status).toBe(200);
  });
});
