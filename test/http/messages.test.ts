import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  issuesOf,
  matchesIn,
  nextLinkOf,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Words between patients and staff.

const nurse: TestCaller = { role: 'nurse' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let as: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
  for (const id of ['northside-nurse', 'northside-frontdesk'])
    await server.put(`Practitioner/${id}`, { resourceType: 'Practitioner', id }, { as: admin });
});

const someone = async (): Promise<void> => {
  patient = await create(server, patientBody());
  as = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds', claims: { fhirUser: referenceTo(patient) } };
};
const message = (elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
  resourceType: 'Communication',
  status: 'completed',
  priority: 'urgent',
  subject: { reference: referenceTo(patient) },
  sender: { reference: referenceTo(patient) },
  payload: [{ contentString: 'My chest hurts' }],
  ...elements,
});
const tasks = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`, { as: nurse })).body) as unknown as fhir4.Task[];

describe('an urgent message of a patient', () => {
  beforeAll(someone);

  it('comes with a task for the nurses, which says no word of it', async () => {
    const sent = await create(server, message(), as);

    const [task, ...others] = await tasks();
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      status: 'requested',
      priority: 'urgent',
      focus: { reference: referenceTo(sent) },
      for: { reference: referenceTo(patient) },
      performerType: [{ coding: [{ code: '106292003' }] }],
    });
    expect(JSON.stringify(task)).not.toContain('chest');
  });

  it('is asked for once, however often the message is written', async () => {
    await someone();
    const sent = await create(server, message(), as);
    await server.put(referenceTo(sent), { ...sent, note: [{ text: 'Since noon' }] }, { as });

    expect(await tasks()).toHaveLength(1);
  });

  it('takes its task back with it, but not one that a nurse has taken on', async () => {
    await someone();
    const sent = [await create(server, message(), as), await create(server, message(), as)] as const;
    const [taken] = (await tasks()).filter(({ focus }) => focus?.reference === referenceTo(sent[0]));
    await server.put(`Task/${taken?.id}`, { ...taken, status: 'accepted' }, { as: nurse });

    for (const each of sent) await server.put(pathOf(each), { ...each, status: 'entered-in-error' }, { as: nurse });

    const found = new Map((await tasks()).map(({ focus, status }) => [focus?.reference, status]));
    expect([found.get(referenceTo(sent[0])), found.get(referenceTo(sent[1]))]).toEqual(['accepted', 'cancelled']);
  });

  it('comes with its task from a transaction too, which may write the task that another change would', async () => {
    await someone();
    const sent = await create(server, message(), as);
    const [task] = await tasks();
    const entry = (resource: unknown, method: string, url: string) => ({
      resource: resource as TestBody,
      request: { method, url },
    });
    const { status } = await server.post(
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          entry(message({ priority: 'stat' }), 'POST', 'Communication'),
          entry({ ...sent, status: 'entered-in-error' }, 'PUT', referenceTo(sent)),
          entry({ ...task, status: 'accepted' }, 'PUT', `Task/${task?.id}`),
        ],
      },
      { as: nurse },
    );

    expect(status).toBe(200);
    expect((await tasks()).map((each) => `${each.status} ${each.priority}`).sort()).toEqual([
      'accepted urgent',
      'requested stat',
    ]);
  });
});

const administrative = { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'administrative' }] };
const reasonOf = ({ status, body }: { status: number; body: TestBody }) => [status, issuesOf(body)[0]?.reason];

/** A member of support staff under a delegation. */
const supporter = async (): Promise<TestCaller> => {
  const agent = await create(server, { resourceType: 'Practitioner' }, admin);
  const day = 86_400_000;
  const period = { start: new Date(Date.now() - day).toISOString(), end: new Date(Date.now() + day).toISOString() };
  await create(
    server,
    {
      resourceType: 'PractitionerRole',
      practitioner: { reference: referenceTo(agent) },
      code: [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/delegation', code: 'support' }] }],
      period,
    } as fhir4.PractitionerRole,
    admin,
  );
  return { role: 'support', claims: { fhirUser: referenceTo(agent) } };
};

describe('a message of a patient that is not urgent', () => {
  beforeAll(someone);

  const routine = (elements: Partial<fhir4.Communication> = {}) =>
    message({ priority: 'routine', payload: [{ contentString: 'May I come later?' }], ...elements });
  const work = (code: string): fhir4.CodeableConcept => ({
    coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code }],
  });
  const topic = (code: string): fhir4.CodeableConcept => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/communication-topic', code }],
  });
  const tasksAbout = async (named: { resourceType: string; id: string }) =>
    (await tasks()).filter(({ focus }) => focus?.reference === referenceTo(named));
  const poolsAbout = async (named: { resourceType: string; id: string }) =>
    (await tasksAbout(named)).map(({ status, performerType }) => [status, performerType?.[0]?.coding?.[0]?.code]);
  const answer = (to: { resourceType: string; id: string }, elements: Partial<fhir4.Communication> = {}) => ({
    ...routine({ inResponseTo: [{ reference: referenceTo(to) }], ...elements }),
    sender: elements.sender,
  });

  it.each<[string, Partial<fhir4.Communication>]>([
    ['106292003', {}],
    ['106292003', { topic: topic('prescription-refill-request') }],
    ['106292003', { category: [work('billing')], topic: topic('report-labs') }],
    ['106292003', { category: [{ text: 'administrative' }] }],
    ['frontdesk', { category: [work('scheduling')] }],
    ['frontdesk', { category: [work('administrative'), work('billing')], topic: topic('appointment-reminder') }],
  ])('comes with a task for the pool %s: %j', async (pool, elements) => {
    const sent = await create(server, routine(elements), as);

    expect(await poolsAbout(sent)).toEqual([['requested', pool]]);
    expect(JSON.stringify(await tasksAbout(sent))).not.toContain('later');
  });

  it('calls for nobody if it names somebody, comes from elsewhere, belongs to other work, or is of staff', async () => {
    const doctor = await create(server, { resourceType: 'Practitioner' }, admin);
    const own = await create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: referenceTo(patient) },
    } as fhir4.Task);
    const sent = [
      await create(server, routine({ recipient: [{ reference: referenceTo(doctor) }] }), as),
      await create(server, routine({ received: '2026-01-01' }), as),
      await create(server, routine({ sent: '2020-01-01' }), as),
      await create(server, routine({ basedOn: [{ reference: referenceTo(own) }] }), as),
      await create(server, routine({ status: 'preparation' }), as),
      await create(server, { ...routine(), sender: { reference: referenceTo(doctor) } }, nurse),
    ];

    for (const each of sent) expect(await poolsAbout(each)).toEqual([]);
    const [draft] = sent.slice(4);
    await server.put(referenceTo(draft as Stored<fhir4.Communication>), { ...draft, status: 'completed' }, { as });
    expect(await poolsAbout(draft as Stored<fhir4.Communication>)).toEqual([['requested', '106292003']]);
  });

  it('has done with its task once it is answered, and with those of its thread that nobody has taken on', async () => {
    const first = await create(server, routine(), as);
    const second = await create(server, answer(first, { sender: { reference: referenceTo(patient) } }), as);
    const taken = await create(server, answer(first, { sender: { reference: referenceTo(patient) } }), as);
    const other = await create(server, routine(), as);
    const [task] = await tasksAbout(taken);
    await server.put(`Task/${task?.id}`, { ...task, status: 'accepted' }, { as: nurse });
    const machine = await create(server, { resourceType: 'Device' } as fhir4.Device, system);
    await create(server, answer(second, { sender: { reference: referenceTo(machine) } }), system);
    expect(await poolsAbout(second)).toEqual([['requested', '106292003']]);

    const words = await create(server, answer(second), nurse);

    expect(await poolsAbout(first)).toEqual([['completed', '106292003']]);
    expect(await poolsAbout(taken)).toEqual([['accepted', '106292003']]);
    expect(await poolsAbout(other)).toEqual([['requested', '106292003']]);
    expect(await tasksAbout(second)).toMatchObject([
      { status: 'completed', output: [{ valueReference: { reference: referenceTo(words) } }] },
    ]);
    await create(server, answer(taken), nurse);
    expect(await poolsAbout(taken)).toEqual([['completed', '106292003']]);
  });

  it('takes its task back where it is withdrawn', async () => {
    const sent = await create(server, routine(), as);
    await server.put(referenceTo(sent), { ...sent, status: 'entered-in-error' }, { as });

    expect(await poolsAbout(sent)).toEqual([['cancelled', '106292003']]);
  });

  const triage = (
    named: { resourceType: string; id: string },
    { pool, administrative: is }: { pool?: string; administrative?: boolean },
    by = nurse,
  ) => {
    const parameter = [
      ...(pool === undefined ? [] : [{ name: 'pool', valueCode: pool }]),
      ...(is === undefined ? [] : [{ name: 'administrative', valueBoolean: is }]),
    ];
    return server.post(`${referenceTo(named)}/$triage`, { resourceType: 'Parameters', parameter }, { as: by });
  };

  it('shares a group with its thread that names no message, for a text is masked for nobody', async () => {
    const first = await create(server, routine(), as);
    const second = await create(server, routine({ inResponseTo: [{ reference: referenceTo(first) }] }), as);
    const groups = [...(await tasksAbout(first)), ...(await tasksAbout(second))].map(
      ({ groupIdentifier }) => groupIdentifier?.value ?? '',
    );

    expect(groups).toHaveLength(2);
    expect(new Set(groups).size).toBe(1);
    expect(groups[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is handed on to another pool, whoever has taken it on', async () => {
    const sent = await create(server, routine(), as);
    const doctor = await create(server, { resourceType: 'Practitioner' }, admin);
    const toPerson = await create(server, routine({ recipient: [{ reference: referenceTo(doctor) }] }), as);
    const [task] = await tasksAbout(sent);
    await server.put(
      `Task/${task?.id}`,
      { ...task, status: 'accepted', owner: { reference: referenceTo(doctor) } },
      { as: nurse },
    );

    const frontdesk: TestCaller = { role: 'frontdesk' };
    expect((await triage(sent, { pool: 'physician' }, frontdesk)).status).toBe(200);
    expect((await triage(toPerson, { pool: 'frontdesk' })).status).toBe(200);

    expect(await poolsAbout(sent)).toEqual([['requested', 'physician']]);
    expect((await tasksAbout(sent))[0]?.owner).toBeUndefined();
    expect(await poolsAbout(toPerson)).toEqual([['requested', 'frontdesk']]);
    await create(server, answer(toPerson), nurse);
    expect(await poolsAbout(toPerson)).toEqual([['completed', 'frontdesk']]);
  });

  it('is handed on as often as somebody says so, whether or not its task was done', async () => {
    const sent = await create(server, routine(), as);
    await create(server, answer(sent), nurse);
    expect(await poolsAbout(sent)).toEqual([['completed', '106292003']]);

    expect((await triage(sent, { pool: 'physician' })).status).toBe(200);
    const handed = [
      ['completed', '106292003'],
      ['requested', 'physician'],
    ];
    expect((await poolsAbout(sent)).sort()).toEqual(handed);

    const doctor = await create(server, { resourceType: 'Practitioner' }, admin);
    const toPerson = await create(server, routine({ recipient: [{ reference: referenceTo(doctor) }] }), as);
    for (const pool of ['frontdesk', 'physician']) expect((await triage(toPerson, { pool })).status).toBe(200);
    expect(await poolsAbout(toPerson)).toEqual([['requested', 'physician']]);
  });

  it('is seen by support once a nurse or a physician has said that it is administrative', async () => {
    const support = await supporter();
    const sent = await create(
      server,
      routine({
        category: [administrative],
        extension: [
          {
            url: 'https://concord.example/fhir/StructureDefinition/administrative-by-triage',
            valueBoolean: true,
          },
        ],
      }),
      as,
    );
    const seen = async () => (await server.get(referenceTo(sent), { as: support })).status;
    const found = async () =>
      matchesIn((await server.get(`Communication?patient=${patient.id}`, { as: support })).body).map(({ id }) => id);

    expect([await seen(), await found()]).toEqual([404, []]);
    expect(reasonOf(await triage(sent, { administrative: true }, { role: 'frontdesk' }))).toEqual([
      403,
      'forbidden-role',
    ]);
    expect(await seen()).toBe(404);
    expect((await triage(sent, { administrative: true })).status).toBe(200);
    expect([await seen(), await found()]).toEqual([200, [sent.id]]);
    const shown = await server.get(referenceTo(sent), { as: support });
    expect(shown.body.payload).toEqual([{ contentString: 'May I come later?' }]);

    expect((await triage(sent, { administrative: false })).status).toBe(200);
    expect(await seen()).toBe(404);
    await triage(sent, { administrative: true });
    const payload = [{ contentString: 'My chest hurts' }];
    const { body } = await server.get(referenceTo(sent), { as: system });
    const rewritten = await server.put(referenceTo(sent), { ...(body as object), payload }, { as: system });
    expect(rewritten.status, rewritten.text).toBe(200);
    expect(await seen()).toBe(404);
  });

  it('is the patient’s, however its sender is named', async () => {
    const support = await supporter();
    const { id } = patient;
    for (const [sender, by] of [
      [{ reference: `Patient/${id}/_history/1` }, as],
      [{ type: 'Patient', identifier: { system: 'http://concord.test/number', value: 'p1' } }, nurse],
    ] as const) {
      const sent = await create(server, routine({ category: [administrative], sender }), by);

      expect(await poolsAbout(sent), JSON.stringify(sender)).toEqual([['requested', 'frontdesk']]);
      expect((await server.get(referenceTo(sent), { as: support })).status).toBe(404);
      expect((await triage(sent, { administrative: true })).status).toBe(200);
      expect((await server.get(referenceTo(sent), { as: support })).status).toBe(200);
    }
  });

  it('that support takes down goes to its pool once, and is not read back', async () => {
    const support = await supporter();
    const told = await server.post('Communication', routine({ category: [administrative] }), { as: support });
    const clinical = await server.post('Communication', routine({ priority: 'urgent' }), { as: support });

    expect(told.text).toContain('Handed on to the front desk');
    expect(clinical.text).toContain('Handed on to the nurses');
    const ids = [told, clinical].map(({ headers }) => /Communication\/([^/]+)\//.exec(headers['location'] ?? '')?.[1]);
    for (const [index, pool] of ['frontdesk', '106292003'].entries()) {
      const named = { resourceType: 'Communication', id: String(ids[index]) };
      expect(await poolsAbout(named)).toEqual([['requested', pool]]);
      expect((await server.get(referenceTo(named), { as: support })).status).toBe(404);
    }
  });

  it('is triaged by staff, with something said of it, once it was sent', async () => {
    const sent = await create(server, routine(), as);
    const draft = await create(server, routine({ status: 'preparation' }), as);

    expect(reasonOf(await triage(sent, { pool: 'nurse' }, as))).toEqual([403, 'forbidden-role']);
    expect(reasonOf(await triage(sent, {}))).toEqual([400, 'invalid']);
    expect(reasonOf(await triage(sent, { pool: 'patient' }))).toEqual([400, 'invalid']);
    expect(reasonOf(await triage(draft, { pool: 'nurse' }))).toEqual([422, 'not-sent']);
    expect(reasonOf(await triage(sent, { pool: 'nurse' }, { role: 'nurse', organization: 'lakeside' }))).toEqual([
      404,
      'not-found',
    ]);
    const nobody = { ...nurse, claims: { fhirUser: 'Practitioner/nobody' } };
    expect(reasonOf(await triage(sent, { pool: 'nurse' }, nobody))).toEqual([400, 'reference-not-found']);
    expect((await server.get(referenceTo(sent), { as: nurse })).body.meta?.versionId).toBe('1');
  });
});

describe('a thread', () => {
  beforeAll(someone);

  const at = (minute: number) => `2026-05-04T12:${String(minute).padStart(2, '0')}:00Z`;
  const ours = (minute: number, elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
    resourceType: 'Communication',
    status: 'completed',
    subject: { reference: referenceTo(patient) },
    sent: at(minute),
    payload: [{ contentString: `At ${minute}` }],
    ...elements,
  });
  const answering = (message: { resourceType: string; id: string }): Partial<fhir4.Communication> => ({
    inResponseTo: [{ reference: referenceTo(message) }],
  });
  const threadOf = async (named: { resourceType: string; id: string }, by = nurse, query = '') => {
    const { status, body, text } = await server.get(`${referenceTo(named)}/$thread${query}`, { as: by });
    expect(status, text).toBe(200);
    return matchesIn(body).map(({ id }) => id);
  };

  it('is named by the message that began it, whichever of its messages is answered, and found by one search', async () => {
    const first = await create(server, message({ priority: 'routine', sent: at(1) }), as);
    const second = await create(server, ours(2, answering(first)), nurse);
    const third = await create(server, message({ priority: 'routine', sent: at(3), ...answering(second) }), as);

    const begun = [{ reference: referenceTo(first) }];
    expect([first.partOf, second.partOf, third.partOf]).toEqual([undefined, begun, begun]);
    const found = await server.get(`Communication?part-of=${referenceTo(first)}`, { as: nurse });
    expect(matchesIn(found.body).map(({ id }) => id)).toEqual([third.id, second.id]);
    for (const each of [first, second, third]) expect(await threadOf(each)).toEqual([first.id, second.id, third.id]);
  });

  it('keeps its name in each version, before whatever else an answer is a part of', async () => {
    const [first, other] = [await create(server, ours(1), nurse), await create(server, ours(2), nurse)];
    const broader = { reference: referenceTo(other) };
    const draft = await create(
      server,
      ours(3, { ...answering(first), status: 'preparation', partOf: [broader] }),
      nurse,
    );
    const begun = { reference: referenceTo(first) };
    const { partOf: _left, ...without } = draft;
    const put = async (body: object) => (await server.put(pathOf(draft), body as TestBody, { as: nurse })).body.partOf;

    expect(draft.partOf).toEqual([begun, broader]);
    expect(await put(without)).toEqual([begun]);
    expect(await put({ ...draft, ...answering(other) })).toEqual([broader]);
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'add', path: '/inResponseTo', value: [begun] }];
    const patched = await server.request('PATCH', pathOf(draft), { body: patch, headers, as: nurse });
    expect(patched.body.partOf).toEqual([begun]);
  });

  it('that a psychotherapy note began goes on for others with what they see of it', async () => {
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }];
    const therapist = await create(server, { resourceType: 'Practitioner' }, admin);
    const own: TestCaller = { role: 'physician', claims: { fhirUser: referenceTo(therapist) } };
    const note = await create(
      server,
      ours(1, { meta: { security }, sender: { reference: referenceTo(therapist) } }),
      own,
    );
    const second = await create(server, ours(2, answering(note)), own);

    const third = await create(server, ours(3, answering(second)), nurse);

    expect((await create(server, ours(4, answering(second)), own)).partOf).toEqual([{ reference: referenceTo(note) }]);
    expect(third.partOf).toEqual([{ reference: referenceTo(second) }]);
  });

  it('is known of what comes in one transaction', async () => {
    const old = await create(server, ours(1), nurse);
    const post = (id: string, resource: fhir4.Communication) => ({
      fullUrl: `urn:uuid:${id}`,
      resource,
      request: { method: 'POST', url: 'Communication' },
    });
    const ids = [1, 2, 3].map((digit) => `6f6f6f6f-0000-4000-8000-00000000000${digit}`);
    const reply = (to: string): Partial<fhir4.Communication> => ({ inResponseTo: [{ reference: to }] });
    const send = async (entry: unknown[]) =>
      resourcesIn(
        (
          await server.post(
            '',
            { resourceType: 'Bundle', type: 'transaction', entry },
            { as: nurse, headers: { prefer: 'return=representation' } },
          )
        ).body,
      );

    const [third, second, first] = await send([
      post(ids[2] ?? '', ours(4, reply(`urn:uuid:${ids[1]}`))),
      post(ids[1] ?? '', ours(3, reply(`urn:uuid:${ids[0]}`))),
      post(ids[0] ?? '', ours(2)),
    ]);
    const [later] = await send([
      post(ids[1] ?? '', ours(6, reply(`urn:uuid:${ids[0]}`))),
      post(ids[0] ?? '', ours(5, reply(referenceTo(old)))),
    ]);

    const stranger = { reference: referenceTo(await create(server, patientBody())) };
    const entry = [
      post(ids[1] ?? '', ours(6, { ...reply(`urn:uuid:${ids[0]}`), subject: stranger })),
      post(ids[0] ?? '', ours(5)),
    ];
    const mixed = await server.post('', { resourceType: 'Bundle', type: 'transaction', entry }, { as: nurse });
    expect(reasonOf(mixed)).toEqual([422, 'other-patients-message']);

    const begun = [{ reference: `Communication/${first?.id}` }];
    expect([third?.partOf, second?.partOf]).toEqual([begun, begun]);
    expect(later?.partOf).toEqual([{ reference: referenceTo(old) }]);
  });

  it('is about one patient, or about nobody', async () => {
    const first = await create(server, ours(1), nurse);
    const other = await create(server, patientBody());
    const elsewhere = ours(2, { ...answering(first), subject: { reference: referenceTo(other) } });
    const { subject: _patient, ...ofNobody } = ours(3);

    expect(reasonOf(await server.post('Communication', elsewhere, { as: nurse }))).toEqual([
      422,
      'other-patients-message',
    ]);
    expect(reasonOf(await server.post('Communication', { ...ofNobody, ...answering(first) }, { as: nurse }))).toEqual([
      422,
      'other-patients-message',
    ]);
    const told = await server.post('Communication', elsewhere, { as: system });
    expect([told.status, told.body.partOf]).toEqual([201, undefined]);

    const staff = await create(server, ofNobody as fhir4.Communication, nurse);
    const answer = await create(
      server,
      { ...ofNobody, sent: at(4), ...answering(staff) } as fhir4.Communication,
      nurse,
    );
    const last = await create(server, { ...ofNobody, sent: at(5), ...answering(answer) } as fhir4.Communication, nurse);
    expect(last.partOf).toEqual([{ reference: referenceTo(staff) }]);
    for (const each of [staff, last]) expect(await threadOf(each)).toEqual([staff.id, answer.id, last.id]);
  });

  it('goes on in the other record of a person whose records were merged', async () => {
    const first = await create(server, ours(1), nurse);
    const other = await create(server, patientBody());
    const parameter = [{ name: 'source', valueReference: { reference: referenceTo(patient) } }];
    const merged = await server.post(`${referenceTo(other)}/$merge`, { resourceType: 'Parameters', parameter });
    expect(merged.status, merged.text).toBe(200);

    const answer = await create(
      server,
      ours(2, { ...answering(first), subject: { reference: referenceTo(other) } }),
      nurse,
    );

    expect(answer.partOf).toEqual([{ reference: referenceTo(first) }]);
    expect(await threadOf(first)).toEqual([first.id, answer.id]);
    expect(await threadOf(answer)).toEqual([first.id, answer.id]);
    await someone();
  });

  it('is shown in pages, without what its reader may not see', async () => {
    const physician: TestCaller = { role: 'physician' };
    const first = await create(server, ours(1), physician);
    const ids = [first.id];
    for (const minute of [2, 3, 4, 5]) ids.push((await create(server, ours(minute, answering(first)), nurse)).id);
    const parameter = [
      { name: 'ground', valueCode: 'danger' },
      { name: 'reason', valueString: 'It might put somebody in danger' },
      { name: 'reviewer', valueString: 'Dr. Other' },
    ];
    const denied = await server.post(
      `Communication/${ids[2]}/$withhold`,
      { resourceType: 'Parameters', parameter },
      { as: physician },
    );
    expect(denied.status, denied.text).toBe(200);
    const seen = ids.filter((id) => id !== ids[2]);

    expect(await threadOf(first)).toEqual(ids);
    expect(await threadOf(first, as)).toEqual(seen);
    const pages = await allPages(server, `${pathOf(first)}/$thread?_count=2`, as);
    expect(pages.map((page) => matchesIn(page).map(({ id }) => id))).toEqual([seen.slice(0, 2), seen.slice(2)]);
    expect(nextLinkOf(pages.at(-1) as TestBody)).toBeUndefined();
    for (const page of pages) expect(JSON.stringify(page)).not.toContain(`Communication/${ids[2]}`);
    const hidden = await server.get(`Communication/${ids[2]}/$thread`, { as });
    expect(reasonOf(hidden)).toEqual([403, 'withheld']);
  });

  it('is shown to support as far as it is administrative, and says nothing of the rest', async () => {
    const support = await supporter();
    const category = [administrative];
    const first = await create(server, ours(1, { category }), nurse);
    const clinical = await create(server, ours(2, answering(first)), nurse);
    const words = await create(
      server,
      message({ priority: 'routine', sent: at(3), category, ...answering(first) }),
      as,
    );
    const last = await create(server, ours(4, { category, ...answering(words) }), nurse);

    const { status, body, text } = await server.get(`${pathOf(last)}/$thread`, { as: support });

    expect(status, text).toBe(200);
    expect(matchesIn(body).map(({ id }) => id)).toEqual([first.id, last.id]);
    for (const hidden of [clinical, words]) expect(text).not.toContain(hidden.id);
    expect(reasonOf(await server.get(`${pathOf(clinical)}/$thread`, { as: support }))).toEqual([404, 'not-found']);
  });

  it('is of nobody else, costs two reads, and leaves its trace', async () => {
    const first = await create(server, ours(1), nurse);
    const answer = await create(server, ours(2, answering(first)), nurse);
    const stranger = await create(server, patientBody());
    const other: TestCaller = { role: 'patient', patient: stranger.id, scope: 'patient/*.cruds' };
    const refused = [
      await server.get(`${pathOf(first)}/$thread`, { as: other }),
      await server.get(`${pathOf(first)}/$thread`, { as: { role: 'nurse', organization: 'lakeside' } }),
      await server.get('Communication/none/$thread', { as: nurse }),
    ];

    for (const each of refused) expect(reasonOf(each)).toEqual([404, 'not-found']);
    const ask = await server.prepare('GET', `${pathOf(answer)}/$thread`, { as: nurse });
    await ask();
    server.calls.reset();
    await ask();
    // The row of the log beside the read, and the row of what is shown with it.
    expect(server.calls.sequential()).toBe(3);
    const { body } = await server.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } });
    const named = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(({ entity = [] }) =>
      entity.some(({ query }) => query && Buffer.from(query, 'base64').toString().endsWith('/$thread')),
    );
    expect(JSON.stringify(named)).toContain(referenceTo(first));
  });
});

describe('a message that somebody reads', () => {
  const receiptUrl = 'https://concord.example/fhir/StructureDefinition/read-receipt';
  let ann: Stored<fhir4.Practitioner>;
  let bob: Stored<fhir4.Practitioner>;
  let asAnn: TestCaller;
  let asBob: TestCaller;

  beforeAll(async () => {
    await someone();
    await server.put('Organization/northside', { ...organizationBody(), id: 'northside' }, { as: admin });
    ann = await create(server, { resourceType: 'Practitioner' }, admin);
    bob = await create(server, { resourceType: 'Practitioner' }, admin);
    asAnn = { ...nurse, claims: { fhirUser: referenceTo(ann) } };
    asBob = { ...nurse, claims: { fhirUser: referenceTo(bob) } };
  });

  const to = (...recipients: string[]): fhir4.Communication => ({
    resourceType: 'Communication',
    status: 'completed',
    subject: { reference: referenceTo(patient) },
    recipient: recipients.map((reference) => ({ reference })),
    payload: [{ contentString: 'Come on Monday' }],
  });
  const read = (named: { resourceType: string; id: string }, by: TestCaller, headers: Record<string, string> = {}) =>
    server.post(`${referenceTo(named)}/$read`, undefined, { as: by, headers });
  const receiptsOf = async (named: { resourceType: string; id: string }) => {
    const { body } = await server.get(referenceTo(named), { as: nurse });
    return ((body.extension ?? []) as unknown as fhir4.Extension[])
      .filter(({ url }) => url === receiptUrl)
      .map(({ extension = [] }) => extension.map((part) => part.valueReference?.reference ?? part.valueInstant));
  };
  const inbox = async (by: TestCaller) =>
    resourcesIn((await server.get('Task/$inbox', { as: by })).body).map(({ id }) => String(id));
  const unread = async (by: TestCaller) => {
    const { status, body, text } = await server.get('Communication/$unread', { as: by });
    expect(status, text).toBe(200);
    return matchesIn(body).map(({ id }) => String(id));
  };

  it('says who, as whom and when, once for each', async () => {
    const at = Date.UTC(2026, 4, 4, 12);
    server.setTime(at);
    try {
      const sent = await create(server, to(referenceTo(ann), 'Organization/northside', referenceTo(patient)), asBob);
      const first = await read(sent, asAnn);
      server.setTime(at + 60_000);
      const again = await read(sent, asAnn);
      await read(sent, asBob);
      await read(sent, as);

      const [begun, later] = [new Date(at).toISOString(), new Date(at + 60_000).toISOString()];
      expect([first.status, first.body.received, again.body.meta?.versionId]).toEqual([200, begun, '2']);
      expect(await receiptsOf(sent)).toEqual([
        [referenceTo(ann), referenceTo(ann), begun],
        [referenceTo(ann), 'Organization/northside', begun],
        [referenceTo(bob), 'Organization/northside', later],
        [referenceTo(patient), referenceTo(patient), later],
      ]);
    } finally {
      server.setTime(undefined);
    }
  });

  it('stays in the inbox of each recipient until somebody there has read it', async () => {
    const sent = await create(server, to(referenceTo(ann), 'Organization/northside', referenceTo(patient)), asBob);
    const own = await create(server, to(referenceTo(patient)), asBob);
    const elsewhere = await create(server, { ...to(referenceTo(patient)), received: '2026-01-01' }, system);
    const seen = async () => [
      (await inbox(asAnn)).includes(sent.id),
      (await inbox(asBob)).includes(sent.id),
      (await unread(as)).filter((id) => [sent.id, own.id, elsewhere.id].includes(id)),
    ];

    expect(await seen()).toEqual([true, true, [sent.id, own.id]]);
    await read(sent, asBob);
    expect(await seen()).toEqual([true, false, [sent.id, own.id]]);
    await read(sent, as);
    expect(await seen()).toEqual([true, false, [own.id]]);
    await read(sent, asAnn);
    expect(await seen()).toEqual([false, false, [own.id]]);
  });

  it('is read for the patient by who acts for the patient, in the own name', async () => {
    const person = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(patient) },
    } as fhir4.RelatedPerson);
    const grant = async (rights: string) => {
      const parameter = [
        { name: 'proxy', valueReference: { reference: referenceTo(person) } },
        { name: 'basis', valueCode: 'guardian' },
        { name: 'evidence', valueString: 'The order of the court was shown' },
        { name: 'rights', valueCode: rights },
      ];
      const granted = await server.post(`${referenceTo(patient)}/$grant-proxy`, {
        resourceType: 'Parameters',
        parameter,
      });
      expect(granted.status, granted.text).toBe(200);
    };
    const acting: TestCaller = {
      role: 'patient',
      patient: patient.id,
      scope: 'patient/*.cruds',
      claims: { fhirUser: referenceTo(person) },
    };
    const sent = await create(server, to(referenceTo(patient)), asBob);

    await grant('read');
    expect(reasonOf(await read(sent, acting))).toEqual([403, 'forbidden-proxy']);
    await grant('act');
    expect(await unread(acting)).toContain(sent.id);
    expect((await read(sent, acting)).status).toBe(200);
    expect((await receiptsOf(sent)).map(([who, whom]) => [who, whom])).toEqual([
      [referenceTo(person), referenceTo(patient)],
    ]);
    expect([(await unread(acting)).includes(sent.id), (await unread(as)).includes(sent.id)]).toEqual([false, true]);
  });

  it('to a position or a team is read by who belongs to it', async () => {
    const position = await create(
      server,
      { resourceType: 'PractitionerRole', practitioner: { reference: referenceTo(ann) } } as fhir4.PractitionerRole,
      admin,
    );
    const team = await create(server, {
      resourceType: 'CareTeam',
      status: 'active',
      subject: { reference: referenceTo(patient) },
      participant: [{ member: { reference: referenceTo(ann) } }],
    } as fhir4.CareTeam);
    const sent = await create(server, to(referenceTo(position), referenceTo(team)), asBob);

    expect(reasonOf(await read(sent, asBob))).toEqual([403, 'not-a-recipient']);
    expect((await read(sent, asAnn)).status).toBe(200);
    expect((await receiptsOf(sent)).map(([who, whom]) => [who, whom])).toEqual([
      [referenceTo(ann), referenceTo(position)],
      [referenceTo(ann), referenceTo(team)],
    ]);
  });

  it('that names nobody is to the organisation, and support staff read what is administrative', async () => {
    const support = await supporter();
    const agent = support.claims?.['fhirUser'];
    const { recipient: _nobody, ...words } = to();
    const category = [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'administrative' }] }];
    const sent = await create(server, { ...words, category } as fhir4.Communication, asBob);
    const clinical = await create(server, words as fhir4.Communication, asBob);

    expect(reasonOf(await read(clinical, support))).toEqual([404, 'not-found']);
    const without = { ...support, scope: 'user/Communication.crs' };
    expect(reasonOf(await read(sent, without))).toEqual([403, 'forbidden-scope']);
    const { status, body } = await read(sent, support);
    expect([status, body.extension, body.payload]).toEqual([200, undefined, words.payload]);
    expect((await receiptsOf(sent)).map(([who, whom]) => [who, whom])).toEqual([[agent, 'Organization/northside']]);
  });

  it('is not read by others, nor in another version, nor before it was sent', async () => {
    const stranger = await create(server, patientBody());
    const sent = await create(server, to(referenceTo(ann)), asBob);
    const draft = await create(server, { ...to(referenceTo(ann)), status: 'preparation' }, asBob);

    expect(reasonOf(await read(sent, as))).toEqual([403, 'not-a-recipient']);
    expect(reasonOf(await read(sent, { role: 'patient', patient: stranger.id, scope: 'patient/*.cruds' }))).toEqual([
      404,
      'not-found',
    ]);
    expect(reasonOf(await read(sent, asAnn, { 'if-match': 'W/"7"' }))).toEqual([412, 'version-conflict']);
    expect(reasonOf(await read(draft, asAnn))).toEqual([422, 'not-sent']);
    expect(reasonOf(await server.get('Communication/$unread', { as: asAnn }))).toEqual([403, 'forbidden-role']);
    expect(await receiptsOf(sent)).toEqual([]);
  });

  it('keeps its receipts, whatever a client makes of them', async () => {
    const forged = {
      url: receiptUrl,
      extension: [
        { url: 'reader', valueReference: { reference: referenceTo(ann) } },
        { url: 'recipient', valueReference: { reference: referenceTo(ann) } },
        { url: 'time', valueInstant: '2020-01-01T00:00:00Z' },
      ],
    };
    const other = { url: 'urn:other', valueBoolean: true };
    const sent = await create(server, { ...to(referenceTo(ann)), extension: [forged, other] }, asBob);
    expect(sent.extension).toEqual([other]);
    await read(sent, asAnn);
    const put = async (extension: fhir4.Extension[], by = asBob) => {
      const { body } = await server.get(referenceTo(sent), { as: asBob });
      await server.put(referenceTo(sent), { ...(body as object), extension }, { as: by });
      return (await receiptsOf(sent)).map(([who]) => who);
    };

    expect(await put([])).toEqual([referenceTo(ann)]);
    expect(await put([forged, forged])).toEqual([referenceTo(ann)]);
    expect(await put([forged, forged], system)).toEqual([referenceTo(ann), referenceTo(ann)]);
  });

  it('that was read elsewhere stays as it came, and calls for nobody', async () => {
    const { recipient: _nobody, ...words } = to();
    const sender = { reference: referenceTo(patient) };
    const received = new Date().toISOString();
    const imported = await create(server, { ...words, sender, received } as fhir4.Communication, system);

    const { status, body } = await read(imported, asAnn);
    expect([status, body.meta?.versionId, body.extension]).toEqual([200, '1', undefined]);
    expect((await tasks()).filter(({ focus }) => focus?.reference === referenceTo(imported))).toEqual([]);
  });

  it('says what its readers have read, though it is still under way', async () => {
    const sent = await create(server, { ...to(referenceTo(ann)), status: 'in-progress' }, asBob);
    expect((await read(sent, asAnn)).status).toBe(200);
    const payload = [{ contentString: 'Something else' }];

    const rewritten = await server.put(referenceTo(sent), { ...sent, payload }, { as: asBob });
    expect(reasonOf(rewritten)).toEqual([422, 'words-sent']);
    expect(reasonOf(await server.request('DELETE', referenceTo(sent), { as: asBob }))).toEqual([422, 'words-sent']);
    const ended = await server.put(referenceTo(sent), { ...sent, status: 'completed' }, { as: asBob });
    expect(ended.status, ended.text).toBe(200);
  });

  it.each(['batch', 'transaction'] as const)('is not read in a %s, nor triaged', async (type) => {
    const sent = await create(server, to(referenceTo(ann)), asBob);
    const parameter = [{ name: 'pool', valueCode: 'nurse' }];
    const triage = { resource: { resourceType: 'Parameters', parameter } };
    for (const entry of [
      { request: { method: 'POST', url: `${referenceTo(sent)}/$read` } },
      { request: { method: 'POST', url: `${referenceTo(sent)}/$triage` }, ...triage },
    ]) {
      const { text } = await server.post('', { resourceType: 'Bundle', type, entry: [entry] }, { as: asAnn });
      expect(text).toContain('"not-in-bundle"');
    }
    expect((await server.get(referenceTo(sent), { as: asAnn })).body.meta?.versionId).toBe('1');
  });

  it('has the receipts of all who read it at once', async () => {
    const sent = await create(server, to('Organization/northside'), asBob);
    const answers = await Promise.all([read(sent, asAnn), read(sent, asBob)]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await receiptsOf(sent)).map(([who]) => who).sort()).toEqual([referenceTo(ann), referenceTo(bob)].sort());
  });
});

describe('a patient who is to be reached in one way', () => {
  const restricted = [
    { url: 'https://concord.example/fhir/StructureDefinition/contact-restriction', valueCode: 'confidential' },
  ];
  const mode = (code: string): fhir4.CodeableConcept => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code }],
  });
  const home: fhir4.ContactPoint = { system: 'phone', value: '555-0101', rank: 1 };
  const email: fhir4.ContactPoint = { system: 'email', value: 'me@x.example', extension: restricted };
  const discreet = async () => {
    patient = await create(
      server,
      patientBody({
        name: [
          { use: 'official', text: 'Anna Maria Sample' },
          { use: 'usual', text: 'Ann' },
        ],
        telecom: [home, email],
        communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'so' }] }, preferred: true }],
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired', valueBoolean: true }],
      }),
    );
    as = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds' };
  };
  beforeAll(discreet);

  const call = (elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
    resourceType: 'Communication',
    status: 'preparation',
    subject: { reference: referenceTo(patient) },
    recipient: [{ reference: referenceTo(patient) }],
    medium: [mode('PHONE')],
    payload: [{ contentString: 'Your results are there' }],
    ...elements,
  });
  const tagsOf = ({ meta }: { meta?: fhir4.Meta | undefined }) => (meta?.tag ?? []).map(({ code }) => code);
  const checks = async (named: { resourceType: string; id: string }) =>
    (await tasks()).filter(
      ({ focus, description = '' }) => focus?.reference === referenceTo(named) && description.includes('another way'),
    );

  it('is told of with language and interpreter, to support too', async () => {
    const support = await supporter();
    for (const by of [{ role: 'frontdesk' }, support, as]) {
      const { status, body } = await server.get(`${referenceTo(patient)}/$contact`, { as: by });
      expect(status).toBe(200);
      const { extension, ...shown } = email;
      expect(body.parameter, by.role).toEqual([
        { name: 'name', valueHumanName: { use: 'usual', text: 'Ann' } },
        { name: 'language', valueCodeableConcept: { coding: [{ system: 'urn:ietf:bcp:47', code: 'so' }] } },
        { name: 'interpreter', valueBoolean: true },
        { name: 'only', valueBoolean: true },
        { name: 'channel', valueContactPoint: { ...shown, extension } },
      ]);
    }
    const stranger = await create(server, patientBody());
    const refused = await server.get(`${referenceTo(patient)}/$contact`, {
      as: { role: 'patient', patient: stranger.id },
    });
    expect(reasonOf(refused)).toEqual([404, 'not-found']);
    await server.put(referenceTo(stranger), { ...stranger, deceasedBoolean: true });
    const { body } = await server.get(`${referenceTo(stranger)}/$contact`, { as: nurse });
    expect((body.parameter as unknown as fhir4.ParametersParameter[]).map(({ name }) => name)).not.toContain('channel');
  });

  it('is not sent anything in another way, on any way to write', async () => {
    const request = { resourceType: 'CommunicationRequest', status: 'active', medium: [mode('PHONE')] };
    const entry = { resource: call(), request: { method: 'POST', url: 'Communication' } };
    const draft = await create(server, call({ medium: [mode('EMAILWRIT')] }), nurse);
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'replace', path: '/medium', value: [mode('PHONE')] }];
    const subject = { reference: referenceTo(patient) };
    const refused = [
      await server.post('Communication', call(), { as: nurse }),
      await server.post('Communication', call(), { as: await supporter() }),
      await server.post('CommunicationRequest', { ...request, subject } as fhir4.CommunicationRequest, { as: nurse }),
      await server.post('', { resourceType: 'Bundle', type: 'transaction', entry: [entry] }, { as: nurse }),
      await server.put(referenceTo(draft), { ...draft, medium: [mode('PHONE')] }, { as: nurse }),
      await server.request('PATCH', referenceTo(draft), { body: patch, headers, as: nurse }),
    ];

    for (const each of refused) expect(reasonOf(each)).toEqual([422, 'confidential-channel']);
    const sent = await server.put(referenceTo(draft), { ...draft, status: 'completed' }, { as: nurse });
    expect([sent.status, tagsOf(sent.body as { meta?: fhir4.Meta })]).toEqual([200, []]);
    const { medium: _none, ...inRecord } = call({ status: 'completed' });
    expect(tagsOf(await create(server, inRecord, nurse))).toEqual([]);
  });

  it('is to be reached so whomever a message is about', async () => {
    const child = await create(server, patientBody());
    const { subject: _nobody, ...aboutNobody } = call();
    const refused = [
      await server.post('Communication', call({ subject: { reference: referenceTo(child) } }), { as: nurse }),
      await server.post('Communication', aboutNobody as fhir4.Communication, { as: nurse }),
      await server.post(
        'Communication',
        call({
          recipient: [
            { reference: 'Practitioner/northside-nurse' },
            { type: 'Patient', identifier: { system: 'http://concord.test/number', value: 'p1' } },
          ],
        }),
        { as: nurse },
      ),
    ];
    const asTheirs = await create(server, call({ sender: { reference: referenceTo(patient) } }), nurse);
    const { sender: _theirs, ...ours } = asTheirs;
    refused.push(await server.put(referenceTo(asTheirs), ours, { as: nurse }));

    for (const each of refused) expect(reasonOf(each)).toEqual([422, 'confidential-channel']);
    const recipient = [{ reference: referenceTo(child) }];
    expect((await server.post('Communication', call({ subject: recipient[0], recipient }), { as: nurse })).status).toBe(
      201,
    );
  });

  it('was sent something in another way: that is stored, flagged and looked at by somebody', async () => {
    const sent = await create(server, call({ status: 'completed' }), nurse);
    const told = await create(server, call(), system);
    const old = await create(server, call({ status: 'completed', sent: '2020-01-01' }), nurse);
    const own = await create(server, call({ status: 'completed', sender: { reference: referenceTo(patient) } }), as);

    expect([sent, told, old, own].map(tagsOf)).toEqual([['other-channel'], ['other-channel'], [], []]);
    expect([await checks(sent), await checks(told)].map(({ length }) => length)).toEqual([1, 1]);
    const { meta: _flag, ...words } = sent;
    const later = await server.put(referenceTo(sent), { ...words, note: [{ text: 'By mistake' }] }, { as: nurse });
    expect(tagsOf(later.body as { meta?: fhir4.Meta })).toEqual(['other-channel']);
    expect(await checks(sent)).toHaveLength(1);
  });

  it('has asked it in either of the records that were merged', async () => {
    const other = await create(server, patientBody());
    const parameter = [{ name: 'source', valueReference: { reference: referenceTo(patient) } }];
    await server.post(`${referenceTo(other)}/$merge`, { resourceType: 'Parameters', parameter });
    const about = { reference: referenceTo(other) };

    const refused = await server.post('Communication', call({ subject: about, recipient: [about] }), { as: nurse });
    const { body } = await server.get(`${referenceTo(other)}/$contact`, { as: nurse });

    expect(reasonOf(refused)).toEqual([422, 'confidential-channel']);
    expect(body.parameter).toContainEqual({ name: 'only', valueBoolean: true });
    expect(body.parameter).toContainEqual({ name: 'channel', valueContactPoint: email });
    await discreet();
  });

  it('may ask it in the transaction that writes to the patient', async () => {
    const post = (resource: fhir4.FhirResource, fullUrl?: string) => ({
      ...(fullUrl ? { fullUrl } : {}),
      resource,
      request: { method: 'POST', url: resource.resourceType },
    });
    const fullUrl = 'urn:uuid:6f6f6f6f-0000-4000-8000-000000000001';
    const begun = { reference: fullUrl };
    const known = await create(server, patientBody({ telecom: [home] }));
    const about = { reference: referenceTo(known) };
    const change = {
      resource: { ...known, telecom: [home, email] },
      request: { method: 'PUT', url: referenceTo(known) },
    };
    const send = (...entry: unknown[]) =>
      server.post('', { resourceType: 'Bundle', type: 'transaction', entry }, { as: nurse });

    expect(
      reasonOf(
        await send(
          post(patientBody({ telecom: [email] }), fullUrl),
          post(call({ subject: begun, recipient: [begun] })),
        ),
      ),
    ).toEqual([422, 'confidential-channel']);
    expect(reasonOf(await send(change, post(call({ subject: about, recipient: [about] }))))).toEqual([
      422,
      'confidential-channel',
    ]);
  });

  it('is nothing that support learns of whom they may not see', async () => {
    const support = await supporter();
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }];
    const { meta: _meta, ...body } = patient;
    await server.put(referenceTo(patient), { ...body, meta: { security } } as unknown as TestBody, { as: nurse });

    const { status, text } = await server.post('Communication', call(), { as: support });

    expect(status, text).toBe(201);
    expect(text).not.toContain('other-channel');
    const found = matchesIn((await server.get(`Communication?patient=${patient.id}`, { as: nurse })).body);
    expect(found.map((each) => tagsOf(each as { meta?: fhir4.Meta }))).toEqual([['other-channel']]);
  });
});
