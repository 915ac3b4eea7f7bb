import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  atOnce,
  create,
  elsewhere,
  encounterBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
  system,
} from '../support/records.ts';

// Referrals, and the tasks to fulfil them, are done with the answer that names them, on every way by which it is written, and are open again without it.

const now = Date.parse('2026-03-01T10:00:00Z');
const physician: TestCaller = { role: 'physician' };
const hillside: TestCaller = { role: 'physician', organization: 'hillside' };
const withdrawnText = 'What had answered this was withdrawn';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer(await localTable(), { sharing: 'treatment' });
  server.setTime(now);
  const author = { resourceType: 'Practitioner', id: 'northside-physician' };
  await server.put('Practitioner/northside-physician', author, { as: admin });
  for (const id of ['northside', 'lakeside', 'hillside'])
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
});

const fulfil: fhir4.CodeableConcept = {
  coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }],
};

const requestBody = (subject: string, elements: Partial<fhir4.ServiceRequest> = {}): fhir4.ServiceRequest => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject: { reference: subject },
  performer: [{ reference: 'Organization/lakeside' }],
  ...elements,
});

const taskBody = (subject: string, request: string, elements: Partial<fhir4.Task> = {}): fhir4.Task => ({
  resourceType: 'Task',
  status: 'accepted',
  intent: 'order',
  code: fulfil,
  focus: { reference: request },
  for: { reference: subject },
  owner: { reference: 'Organization/lakeside' },
  ...elements,
});

const reportBody = (subject: string, request: string, elements: Partial<fhir4.DiagnosticReport> = {}) =>
  ({
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { text: 'Echocardiography' },
    subject: { reference: subject },
    basedOn: [{ reference: request }],
    ...elements,
  }) satisfies fhir4.DiagnosticReport;

interface Referred {
  readonly subject: string;
  readonly request: Stored<fhir4.ServiceRequest>;
  readonly task: Stored<fhir4.Task>;
}

/** A patient who was referred, with a task for that. */
const referred = async (
  request: Partial<fhir4.ServiceRequest> = {},
  task: Partial<fhir4.Task> = {},
): Promise<Referred> => {
  const subject = referenceTo(await create(server, patientBody()));
  const order = await create(server, requestBody(subject, request));
  return { subject, request: order, task: await create(server, taskBody(subject, referenceTo(order), task)) };
};

/** The same, at an organisation that the patient has come to. */
const seenElsewhere = async (): Promise<Referred> => {
  const known = await referred();
  await create(server, encounterBody(known.subject, { status: 'in-progress' }), elsewhere);
  return known;
};

const read = async <T extends fhir4.Resource>(record: Stored<T>, as: TestCaller = physician): Promise<Stored<T>> => {
  const { status, body, text } = await server.get(pathOf(record as never), { as });
  expect(status, text).toBe(200);
  return stored<T>(body);
};

/** How a referral and its task stand, and what is known to have answered them. */
const standing = async ({ request, task }: Referred) => {
  const [order, work] = [await read(request), await read(task)];
  return {
    request: order.status,
    task: work.status,
    answers: (order.extension ?? []).flatMap(({ valueReference }) => valueReference?.reference ?? []),
    outputs: (work.output ?? []).map(({ valueReference }) => valueReference?.reference),
  };
};
const openStill = { request: 'active', task: 'accepted', answers: [], outputs: [] };
const doneBy = (...answers: string[]) => ({ request: 'completed', task: 'completed', answers, outputs: answers });

const replace = async <T extends fhir4.FhirResource>(record: Stored<T>, elements: object, as = physician) => {
  const { status, text } = await server.put(
    pathOf(record as never),
    { ...(await read(record, as)), ...elements },
    { as },
  );
  expect(status, text).toBe(200);
};

describe('an answer', () => {
  const basedOn = (request: string) => ({
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/event-basedOn', valueReference: { reference: request } },
    ],
  });
  const answers: Record<string, (subject: string, request: string) => fhir4.FhirResource> = {
    'a final report': reportBody,
    'a corrected report': (subject, request) => reportBody(subject, request, { status: 'corrected' }),
    'a final note': (subject, request) => ({
      resourceType: 'Composition',
      status: 'final',
      type: { text: 'Consultation' },
      subject: { reference: subject },
      date: '2026-03-01',
      author: [{ reference: 'Organization/northside' }],
      title: 'Consultation',
      ...basedOn(request),
    }),
    'a final document': (subject, request) => ({
      resourceType: 'DocumentReference',
      status: 'current',
      docStatus: 'final',
      subject: { reference: subject },
      content: [{ attachment: { title: 'Letter' } }],
      ...basedOn(request),
    }),
    'a procedure that was carried out': (subject, request) => ({
      resourceType: 'Procedure',
      status: 'completed',
      subject: { reference: subject },
      basedOn: [{ reference: request }],
    }),
  };

  it.each(Object.entries(answers))('is %s', async (_what, body) => {
    const known = await referred();
    const answer = await create(server, body(known.subject, referenceTo(known.request)));

    expect(await standing(known)).toEqual(doneBy(referenceTo(answer as Stored<fhir4.FhirResource>)));
  });

  const others: Record<string, (subject: string, request: string) => fhir4.FhirResource> = {
    'a preliminary report': (subject, request) => reportBody(subject, request, { status: 'preliminary' }),
    'a document that does not say that it is done': (subject, request) => ({
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: subject },
      content: [{ attachment: { title: 'Letter' } }],
      ...basedOn(request),
    }),
    'a procedure that was not done': (subject, request) => ({
      resourceType: 'Procedure',
      status: 'not-done',
      statusReason: { text: 'The patient refused' },
      subject: { reference: subject },
      basedOn: [{ reference: request }],
    }),
    'a visit': (subject, request) => encounterBody(subject, { status: 'finished', basedOn: [{ reference: request }] }),
    'a single value': (subject, request) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'Potassium' },
      subject: { reference: subject },
      basedOn: [{ reference: request }],
    }),
  };

  it.each(Object.entries(others))('is not %s', async (_what, body) => {
    const known = await referred();
    await create(server, body(known.subject, referenceTo(known.request)));

    expect(await standing(known)).toEqual(openStill);
  });

  it('ends nothing that is to be done again and again, that was not ordered, or that is over otherwise', async () => {
    const weekly = await referred({ occurrenceTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'wk' } } });
    const sessions = await referred({ quantityQuantity: { value: 10 } });
    const proposed = await referred({ intent: 'proposal' });
    for (const known of [weekly, sessions, proposed]) {
      await create(server, reportBody(known.subject, referenceTo(known.request)));
      expect(await standing(known)).toEqual(openStill);
    }
    const revoked = await referred({ status: 'revoked' }, { status: 'cancelled' });
    await create(server, reportBody(revoked.subject, referenceTo(revoked.request)));
    expect(await standing(revoked)).toEqual({ ...openStill, request: 'revoked', task: 'cancelled' });
  });

  it('is for its own request alone, and for the tasks to fulfil that', async () => {
    const known = await referred();
    const { subject, request } = known;
    const name = referenceTo(request);
    const [other, another] = [await create(server, requestBody(subject)), await referred()];
    const plain = await create(
      server,
      taskBody(subject, 'ServiceRequest/none', { code: undefined, focus: undefined, basedOn: [{ reference: name }] }),
    );
    const check = await create(server, taskBody(subject, name, { code: { text: 'Ask the patient' } }));
    const ofOther = await create(server, taskBody(subject, referenceTo(other)));

    await create(server, reportBody(subject, name));

    expect((await read(plain)).status).toBe('completed');
    for (const task of [check, ofOther]) expect((await read(task)).status).toBe('accepted');
    expect((await read(other)).status).toBe('active');
    expect(await standing(another)).toEqual(openStill);
  });

  it('about another patient is none', async () => {
    const known = await referred();
    const other = referenceTo(await create(server, patientBody()));
    await create(server, reportBody(other, referenceTo(known.request)));

    expect(await standing(known)).toEqual(openStill);
  });

  it('counts on every way by which it is written', async () => {
    const ways: ((report: Stored<fhir4.DiagnosticReport>) => Promise<{ status: number; text: string }>)[] = [
      (report) => server.put(pathOf(report), { ...report, status: 'final' }),
      (report) =>
        server.request('PATCH', pathOf(report), {
          body: [{ op: 'replace', path: '/status', value: 'final' }],
          headers: { 'content-type': 'application/json-patch+json' },
        }),
      (report) => server.put(`DiagnosticReport?_id=${report.id}`, { ...report, status: 'final' }),
      (report) =>
        server.post('', {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: { ...report, status: 'final' }, request: { method: 'PUT', url: pathOf(report) } }],
        }),
      (report) => server.put(pathOf(report), { ...report, status: 'final' }, { as: system }),
      (report) => server.post(`${pathOf(report)}/$sign`, { resourceType: 'Parameters' }),
    ];
    for (const way of ways) {
      const known = await referred();
      const body = reportBody(known.subject, referenceTo(known.request), { status: 'preliminary' });
      const report = await create(server, body);
      const { status, text } = await way(report);
      expect(status, text).toBe(200);
      expect(await standing(known)).toEqual(doneBy(referenceTo(report)));
    }
  });

  it('says when the task was done, and leaves what the same transaction says of it', async () => {
    const known = await referred({}, { status: 'on-hold', statusReason: { text: 'No room' } });
    const report = reportBody(known.subject, referenceTo(known.request));
    await create(server, report);
    const task = await read(known.task);
    expect(task.executionPeriod?.end).toBe(new Date(now).toISOString());
    expect(task.statusReason).toBeUndefined();

    const other = await referred();
    const { status } = await server.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: reportBody(other.subject, referenceTo(other.request)),
          request: { method: 'POST', url: 'DiagnosticReport' },
        },
        { resource: { ...other.task, status: 'in-progress' }, request: { method: 'PUT', url: pathOf(other.task) } },
      ],
    });
    expect(status).toBe(200);
    expect(await standing(other)).toMatchObject({ request: 'completed', task: 'in-progress', outputs: [] });
  });

  it('is told beside others that are given at the same time', async () => {
    const known = await referred();
    const body = reportBody(known.subject, referenceTo(known.request));
    const reports = await atOnce(3, () => create(server, body));
    const { answers, outputs, ...states } = await standing(known);
    expect(states).toEqual({ request: 'completed', task: 'completed' });
    expect([answers, outputs].map((each) => each.sort())).toEqual([1, 2].map(() => reports.map(referenceTo).sort()));
  });

  it('costs who names a request one step of reading, and nobody else anything', async () => {
    const known = await referred();
    const body = reportBody(known.subject, referenceTo(known.request));
    const { basedOn: _request, ...unasked } = body;
    const callsFor = async (report: fhir4.DiagnosticReport) => {
      server.calls.reset();
      await create(server, report);
      return [server.calls.sequential(), server.calls.names.sort()];
    };
    expect(await callsFor(unasked)).toEqual([1, ['TransactWriteItems']]);
    expect(await callsFor({ ...body, status: 'preliminary' })).toEqual([1, ['TransactWriteItems']]);
    expect(await callsFor(body)).toEqual([2, ['BatchGetItem', 'Query', 'TransactWriteItems']]);
  });
});

describe('an answer that is withdrawn', () => {
  const reports = async () => {
    const known = await referred();
    const report = await create(server, reportBody(known.subject, referenceTo(known.request)));
    return { known, report, name: referenceTo(report) };
  };

  it.each([
    ['entered in error', (report: Stored<fhir4.DiagnosticReport>) => replace(report, { status: 'entered-in-error' })],
    ['for something else', (report: Stored<fhir4.DiagnosticReport>) => replace(report, { basedOn: undefined })],
  ])('leaves the request and its task open: %s', async (_how, withdraw) => {
    const { known, report } = await reports();
    await withdraw(report);

    const [request, task] = [await read(known.request), await read(known.task)];
    expect(request).toMatchObject({
      status: 'active',
      extension: [{ url: expect.stringContaining('statusReason'), valueCodeableConcept: { text: withdrawnText } }],
    });
    expect(task).toMatchObject({ status: 'in-progress', statusReason: { text: withdrawnText } });
    expect([task.output, task.executionPeriod, request.meta.tag, task.meta.tag]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is deleted only once it is withdrawn, for the request names it', async () => {
    const { report } = await reports();
    expect((await server.delete(pathOf(report))).status).toBe(409);
    await replace(report, { status: 'entered-in-error' });
    expect((await server.delete(pathOf(report))).status).toBe(204);
  });

  it('is so too where it was signed, and is retracted', async () => {
    const { known, report } = await reports();
    await server.post(`${pathOf(report)}/$sign`, { resourceType: 'Parameters' });
    const parameter = [{ name: 'reason', valueString: 'Of another patient' }];
    const { status, text } = await server.post(`${pathOf(report)}/$retract`, { resourceType: 'Parameters', parameter });
    expect(status, text).toBe(200);
    expect(await standing(known)).toMatchObject({ request: 'active', task: 'in-progress', answers: [] });
  });

  it('opens nothing that has another answer, nor what its successor answers at the same time', async () => {
    const { known, report, name } = await reports();
    const second = await create(server, reportBody(known.subject, referenceTo(known.request)));
    expect(await standing(known)).toEqual(doneBy(name, referenceTo(second)));
    await replace(report, { status: 'entered-in-error' });
    expect(await standing(known)).toEqual(doneBy(referenceTo(second)));

    const { status, body } = await server.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: { ...second, status: 'entered-in-error' }, request: { method: 'PUT', url: pathOf(second) } },
        {
          resource: reportBody(known.subject, referenceTo(known.request)),
          request: { method: 'POST', url: 'DiagnosticReport' },
        },
      ],
    });
    expect(status).toBe(200);
    const [, third] = [...(body.entry ?? [])].map(({ response }) => String(response?.location).split('/_history')[0]);
    expect(await standing(known)).toEqual(doneBy(String(third).split('/fhir/').at(-1) as string));
  });

  it('is taken back from another patient whose record a wrong merge had made the same person’s', async () => {
    const known = await referred();
    const subject = referenceTo(await create(server, patientBody()));
    const ask = (operation: string) =>
      server.post(`${subject}/${operation}`, {
        resourceType: 'Parameters',
        parameter: [{ name: 'source', valueReference: { reference: known.subject } }],
      });
    await ask('$merge');
    const report = await create(server, reportBody(subject, referenceTo(known.request)));
    expect((await standing(known)).request).toBe('completed');

    expect((await ask('$unmerge')).status).toBe(200);
    await replace(report, { status: 'entered-in-error' });

    expect(await standing(known)).toMatchObject({ request: 'active', task: 'in-progress', answers: [] });
  });

  it('can be answered anew, and withdrawn anew', async () => {
    const { known, report } = await reports();
    await replace(report, { basedOn: undefined });
    await replace(report, { status: 'corrected', basedOn: [{ reference: referenceTo(known.request) }] });
    expect((await standing(known)).request).toBe('completed');
    await replace(report, { status: 'entered-in-error' });
    expect(await standing(known)).toMatchObject({ request: 'active', task: 'in-progress', answers: [] });
    expect((await read(known.task)).meta.tag).toBeUndefined();
  });

  it('is told by the request, whatever a client makes of that', async () => {
    const { known, report, name } = await reports();
    await replace(known.request, {
      extension: [
        {
          url: 'https://concord.example/fhir/StructureDefinition/answer',
          valueReference: { reference: known.subject },
        },
      ],
    });
    expect((await standing(known)).answers).toEqual([name]);
    // An interface that knows of no answers does not lose them.
    await replace(known.request, { extension: undefined, note: [{ text: 'By fax' }] }, system);
    expect((await standing(known)).answers).toEqual([name]);
    await replace(known.task, { output: undefined });
    await replace(report, { status: 'entered-in-error' });
    expect(await standing(known)).toMatchObject({ request: 'active', task: 'in-progress', answers: [] });
  });
});

describe('who has asked', () => {
  const asker: TestCaller = { role: 'physician', claims: { fhirUser: 'Practitioner/northside-asker' } };
  beforeAll(async () => {
    const body = { resourceType: 'Practitioner', id: 'northside-asker' };
    await server.put('Practitioner/northside-asker', body, { as: admin });
  });
  const asked = () => referred({ requester: { reference: 'Practitioner/northside-asker' }, priority: 'urgent' });
  /** The tasks of who asked to read this. */
  const readings = async (answer: Stored<fhir4.DiagnosticReport>, state?: string): Promise<TestBody[]> => {
    const query = `focus=${referenceTo(answer)}${state === undefined ? '' : `&status=${state}`}`;
    return resourcesIn((await server.get(`Task?${query}&patient=${answer.subject?.reference}`)).body);
  };

  it('has a task to read the answer, also of another organisation, and none for an own one', async () => {
    const known = await asked();
    await create(server, encounterBody(known.subject, { status: 'in-progress' }), elsewhere);
    const report = await create(server, reportBody(known.subject, referenceTo(known.request)), elsewhere);
    expect(await readings(report)).toMatchObject([
      {
        status: 'requested',
        priority: 'urgent',
        owner: { reference: 'Practitioner/northside-asker' },
        basedOn: [{ reference: referenceTo(known.request) }],
        for: { reference: known.subject },
      },
    ]);
    const inbox = resourcesIn((await server.get('Task/$inbox', { as: asker })).body);
    expect(inbox.map(({ focus }) => String(focus?.reference))).toContain(referenceTo(report));
    expect(
      (await server.get(`Task?focus=${referenceTo(report)}&patient=${known.subject}`, { as: hillside })).body.entry,
    ).toBeUndefined();

    const own = await create(server, reportBody(known.subject, referenceTo(known.request)), asker);
    expect(await readings(own)).toEqual([]);
  });

  it('does not read what was withdrawn, or looks at it again', async () => {
    const known = await asked();
    const body = reportBody(known.subject, referenceTo(known.request));
    const [unread, seen] = [await create(server, body), await create(server, body)];
    const [reading] = await readings(seen);
    await replace(stored<fhir4.Task>(reading as TestBody), { status: 'completed' });

    await replace(unread, { status: 'entered-in-error' });
    await replace(seen, { status: 'entered-in-error' });

    expect(await readings(unread)).toMatchObject([{ status: 'cancelled', statusReason: { text: withdrawnText } }]);
    expect(await readings(seen)).toMatchObject([{ status: 'in-progress', statusReason: { text: withdrawnText } }]);
  });
});

describe('an answer of another organisation', () => {
  const answered = async (known: Referred, elements: Partial<fhir4.DiagnosticReport> = {}, as = elsewhere) =>
    create(server, reportBody(known.subject, referenceTo(known.request), elements), as);

  it('ends the referral to it, the task of who referred and its own, and opens them again', async () => {
    const known = await seenElsewhere();
    const own = await create(
      server,
      taskBody(known.subject, referenceTo(known.request), { owner: undefined }),
      elsewhere,
    );
    const report = await answered(known);
    expect(await standing(known)).toEqual(doneBy(referenceTo(report)));
    expect((await read(own, elsewhere)).status).toBe('completed');
    expect(await read(report)).toMatchObject({ status: 'final' });
    expect(await read(known.request)).toMatchObject({ meta: { versionId: '2' } });

    await replace(report, { status: 'entered-in-error' }, elsewhere);
    expect(await standing(known)).toMatchObject({ request: 'active', task: 'in-progress', answers: [] });
    expect((await read(own, elsewhere)).status).toBe('in-progress');
  });

  it('may come with the visit, in one transaction', async () => {
    const known = await referred();
    const { status, text } = await server.post(
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          {
            resource: encounterBody(known.subject, {
              status: 'finished',
              period: { start: '2026-03-01', end: '2026-03-01' },
            }),
            request: { method: 'POST', url: 'Encounter' },
          },
          {
            resource: reportBody(known.subject, referenceTo(known.request)),
            request: { method: 'POST', url: 'DiagnosticReport' },
          },
        ],
      },
      { as: elsewhere },
    );
    expect(status, text).toBe(200);
    expect(await standing(known)).toMatchObject({ request: 'completed', task: 'completed' });
  });

  it('that who referred may not read ends nothing, and is told of nowhere', async () => {
    const known = await seenElsewhere();
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
    const report = await answered(known, { meta: { security: [label] } });
    expect(await standing(known)).toEqual(openStill);
    expect((await server.get(pathOf(report), { as: physician })).status).toBe(404);
    await replace(report, { status: 'entered-in-error' }, elsewhere);
    expect(await standing(known)).toEqual(openStill);
  });

  it('that was not asked ends nothing, also where it sees the request', async () => {
    const known = await seenElsewhere();
    await server.post(
      `${known.subject}/$break-glass`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'purpose', valueCode: 'BTG' },
          { name: 'reason', valueString: 'Found without consciousness' },
        ],
      },
      { as: hillside },
    );
    await answered(known, {}, hillside);
    expect(await standing(known)).toEqual(openStill);
  });

  it('names no request that it may not refer to any more', async () => {
    const { subject, request, task } = await referred(
      { occurrencePeriod: { end: '2026-03-01T11:00:00Z' } },
      { restriction: { period: { end: '2026-03-01T11:00:00Z' } } },
    );
    await create(
      server,
      encounterBody(subject, { status: 'in-progress', period: { start: '2026-03-01T09:00:00Z' } }),
      elsewhere,
    );
    const concept = (system: string, code: string) => ({
      coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
    });
    const consent: fhir4.Consent = {
      resourceType: 'Consent',
      status: 'active',
      scope: concept('consentscope', 'patient-privacy'),
      category: [concept('consentcategorycodes', 'infa')],
      patient: { reference: subject },
      policyRule: concept('v3-ActCode', 'OPTIN'),
      provision: {
        actor: [{ role: concept('v3-ParticipationType', 'IRCP'), reference: { reference: 'Organization/northside' } }],
      },
    };
    await create(server, consent, elsewhere);
    const { basedOn, ...unasked } = reportBody(subject, referenceTo(request));
    const report = await create(server, unasked, elsewhere);
    server.setTime(now + 2 * 3_600_000);
    const { status } = await server.put(pathOf(report), { ...report, basedOn }, { as: elsewhere });
    server.setTime(now);
    expect(status).toBe(400);
    expect(await standing({ subject, request, task })).toEqual(openStill);
  });

  it('leaves who keeps the chart no guest in it', async () => {
    const known = await seenElsewhere();
    await answered(known);
    const later = await create(server, reportBody(known.subject, referenceTo(known.request)), elsewhere);
    expect((await server.get(pathOf(later), { as: physician })).status).toBe(200);
  });
});

describe('a note for its author alone', () => {
  it('answers nobody', async () => {
    const known = await referred();
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' };
    const author = { reference: 'Practitioner/northside-physician' };
    await create(
      server,
      reportBody(known.subject, referenceTo(known.request), { meta: { security: [label] }, performer: [author] }),
    );
    expect(await standing(known)).toEqual(openStill);
  });
});
