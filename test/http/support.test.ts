import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { administrative } from '../../shared/access/support.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// Support staff act for an organisation while somebody there has delegated that, and see a part of some records.

const frontdesk: TestCaller = { role: 'frontdesk' };
const at = Date.UTC(2026, 10, 27, 8);
const delegationCode = { system: 'https://concord.example/fhir/CodeSystem/delegation', code: 'support' };
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
/** Stands in every element that support is not to see. */
const secret = 'hush';

let server: FhirServer;
let person: Stored<fhir4.Practitioner>;
let location: Stored<fhir4.Location>;
let surgeon: Stored<fhir4.Practitioner>;
let support: TestCaller;

const delegation = (elements: Partial<fhir4.PractitionerRole> = {}): fhir4.PractitionerRole => ({
  resourceType: 'PractitionerRole',
  practitioner: { reference: referenceTo(person) },
  code: [{ coding: [delegationCode] }],
  period: { start: '2026-11-27T07:00:00Z', end: '2026-11-27T17:00:00Z' },
  ...elements,
});
const codeOf = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;
const seen = async (path: string, as = support) => {
  const { status, body } = await server.get(path, { as });
  return status === 200 ? status : codeOf(body);
};

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(at);
});
beforeEach(async () => {
  server.setTime(at);
  person = await create(server, { resourceType: 'Practitioner' }, admin);
  location = await create(server, { resourceType: 'Location', name: 'Room 1' }, admin);
  surgeon = await create(server, { resourceType: 'Practitioner' }, admin);
  support = { role: 'support', claims: { fhirUser: referenceTo(person) } };
});

describe('a delegation', () => {
  let patient: Stored<fhir4.Patient>;
  beforeAll(async () => {
    patient = await create(server, patientBody());
  });

  it('lets support see patients while it is in force, from the next request to the next', async () => {
    const before = await seen(pathOf(patient));
    const role = await create(server, delegation(), admin);
    const during = await seen(pathOf(patient));
    await server.put(referenceTo(role), { ...role, active: false }, { as: admin });
    const after = await seen(pathOf(patient));

    expect([before, during, after]).toEqual(['no-delegation', 200, 'no-delegation']);
  });

  it('begins and lapses by the clock', async () => {
    await create(server, delegation(), admin);
    const hours = [6, 7, 16, 18];

    const found: unknown[] = [];
    for (const hour of hours) {
      server.setTime(Date.UTC(2026, 10, 27, hour));
      found.push(await seen('Patient?name=x'));
    }

    expect(found).toEqual(['no-delegation', 200, 200, 'no-delegation']);
  });

  it.each([
    ['is deleted', (path: string) => server.delete(path, { as: admin })],
    ['is no delegation any more', (path: string) => change(path, { code: [] })],
    ['is for somebody else', (path: string) => change(path, { practitioner: { reference: referenceTo(surgeon) } })],
    ['ends', (path: string) => change(path, { period: { end: '2026-11-27T07:30:00Z' } })],
  ])('is over with the request by which it %s', async (_, end) => {
    const role = await create(server, delegation(), admin);
    const { status } = await end(referenceTo(role));

    expect([status < 300, await seen(pathOf(patient))]).toEqual([true, 'no-delegation']);
  });
  const change = async (path: string, { code, ...elements }: Partial<fhir4.PractitionerRole>) => {
    const { body } = await server.get(path, { as: admin });
    const { code: codes, ...role } = body as unknown as fhir4.PractitionerRole;
    return server.put(path, { ...role, ...(code ? {} : { code: codes }), ...elements }, { as: admin });
  };

  it('is another one for each that grants it', async () => {
    const role = await create(server, delegation(), admin);
    await create(server, delegation({ period: { end: '2026-12-01' } }), admin);
    await server.delete(referenceTo(role), { as: admin });

    expect(await seen(pathOf(patient))).toBe(200);
  });

  it('is granted by an administrator in person, to somebody else, for a time, and of the own organisation', async () => {
    const grant = async (elements: Partial<fhir4.PractitionerRole>, as: TestCaller = admin) => {
      const { status, body } = await server.post('PractitionerRole', delegation(elements), { as });
      return [status, codeOf(body)];
    };
    const organization = await create(server, organizationBody(), admin);

    expect(await grant({}, { role: 'system' })).toEqual([403, 'delegation-by-person']);
    expect(await grant({}, { role: 'admin', claims: { fhirUser: referenceTo(person) } })).toEqual([422, 'delegation']);
    expect(await grant({ period: { start: '2026-11-27' } })).toEqual([422, 'delegation']);
    expect(await grant({ period: { start: '2026-11-27', end: '2028-01-01' } })).toEqual([422, 'delegation']);
    expect(await grant({ organization: { reference: referenceTo(organization) } })).toEqual([422, 'delegation']);
    const misspelt = { ...delegationCode, code: 'verified-call' };
    expect(await grant({ code: [{ coding: [delegationCode, misspelt] }] })).toEqual([422, 'delegation']);
    expect(await grant({ code: [{ coding: [delegationCode] }, { coding: [misspelt] }] })).toEqual([422, 'delegation']);
    expect(await seen(pathOf(patient))).toBe('no-delegation');
  });

  it('is of the organisation that gave it, and opens nothing of another', async () => {
    await create(server, delegation(), admin);
    const foreign = await create(server, patientBody(), { role: 'physician', organization: 'lakeside' });

    expect(await seen(pathOf(foreign))).toBe('not-found');
    expect(await seen(pathOf(patient), { ...support, organization: 'lakeside' })).toBe('no-delegation');
  });

  it('in a transaction too large to be written at once is over with its acknowledgement', async () => {
    const role = await create(server, delegation(), admin);
    const entries = Array.from({ length: 120 }, () => ({
      request: { method: 'POST', url: 'Location' },
      resource: { resourceType: 'Location' },
    }));
    const ending = { request: { method: 'DELETE', url: referenceTo(role) } };

    const { status } = await server.post(
      '',
      { resourceType: 'Bundle', type: 'transaction', entry: [ending, ...entries] },
      { as: admin },
    );

    expect([status, await seen(pathOf(patient))]).toEqual([200, 'no-delegation']);
  });

  it('costs one call, and who is no support none', async () => {
    await create(server, delegation(), admin);
    const read = await server.prepare('GET', pathOf(patient), { as: support });
    const other = await server.prepare('GET', pathOf(patient), { as: frontdesk });
    await read();
    const counts: number[] = [];
    for (const request of [read, other]) {
      server.calls.reset();
      await request();
      counts.push(server.calls.sequential());
    }

    expect(counts).toEqual([2, 1]);
  });
});

describe('the view of support staff', () => {
  let patient: Stored<fhir4.Patient>;
  let appointment: Stored<fhir4.Appointment>;
  let message: Stored<fhir4.Communication>;
  let clinical: Stored<fhir4.Communication>;
  let own: Stored<fhir4.Task>;
  let condition: Stored<fhir4.Condition>;

  const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${secret}</div>` } as const;
  const note = [{ text: secret }];
  const concept = { text: secret, coding: [{ system: 'urn:x', code: secret }] };
  const meta = { tag: [{ system: 'urn:x', code: secret }], profile: [`urn:${secret}`], source: `urn:${secret}` };
  const extension = [{ url: `urn:${secret}`, valueString: secret }];

  beforeEach(async () => {
    await create(server, delegation(), admin);
    patient = await create(
      server,
      patientBody({
        meta,
        text,
        extension: [
          ...extension,
          { url: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired', valueBoolean: true },
        ],
        identifier: [{ system: 'urn:x', value: secret }],
        telecom: [{ system: 'phone', value: '555', extension }],
        address: [{ city: 'Springfield', extension }],
        maritalStatus: concept,
        communication: [{ language: { text: secret, coding: [{ system: 'urn:ietf:bcp:47', code: 'fr' }] } }],
        contact: [{ name: { text: secret } }],
        generalPractitioner: [{ reference: referenceTo(surgeon), display: secret }],
        contained: [{ ...organizationBody({ name: secret }), id: 'b' }],
        managingOrganization: { reference: '#b' },
      } as Partial<fhir4.Patient>),
    );
    const subject = { reference: referenceTo(patient), display: secret };
    condition = await create(server, { resourceType: 'Condition', subject });
    appointment = await create(server, {
      resourceType: 'Appointment',
      meta,
      text,
      extension,
      status: 'booked',
      start: '2026-12-02T09:00:00Z',
      end: '2026-12-02T09:20:00Z',
      description: secret,
      comment: secret,
      patientInstruction: 'Come with an empty stomach',
      serviceCategory: [concept],
      serviceType: [concept],
      specialty: [concept],
      appointmentType: concept,
      reasonCode: [concept],
      reasonReference: [{ reference: referenceTo(condition) }],
      identifier: [{ value: secret }],
      participant: [
        { actor: subject, status: 'accepted', type: [concept] },
        { actor: { reference: referenceTo(location), display: secret }, status: 'accepted' },
        { actor: { reference: referenceTo(surgeon), display: secret }, status: 'accepted' },
        {
          type: [
            { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/participant-type', code: 'translator' }] },
          ],
          actor: { display: secret },
          status: 'needs-action',
        },
      ],
    });
    message = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      category: [{ coding: [administrative] }],
      subject,
      topic: concept,
      reasonCode: [concept],
      about: [{ reference: referenceTo(condition) }],
      sender: { reference: referenceTo(surgeon) },
      payload: [{ contentString: 'We have moved' }, { contentReference: { reference: referenceTo(condition) } }],
      note,
    });
    clinical = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      category: [{ coding: [administrative] }, concept],
      subject,
      payload: [{ contentString: secret }],
    });
    own = await create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      owner: { reference: referenceTo(person), display: secret },
      for: subject,
      focus: { reference: referenceTo(condition) },
      description: secret,
      code: concept,
      reasonCode: concept,
      note,
    });
  });

  it('has what a call needs, and says that it is a part', async () => {
    const [ofPatient, ofAppointment, ofMessage, ofTask] = await Promise.all(
      [patient, appointment, message, own].map(async (record) => {
        const { body } = await server.get(pathOf(record), { as: support });
        const { meta: shown, ...rest } = body as unknown as fhir4.Patient;
        expect(shown?.tag).toEqual([expect.objectContaining(subsetted)]);
        expect(Object.keys(shown ?? {}).sort()).toEqual(['lastUpdated', 'tag', 'versionId']);
        return rest;
      }),
    );

    expect(ofPatient).toEqual({
      resourceType: 'Patient',
      id: patient.id,
      name: patient.name,
      birthDate: patient.birthDate,
      telecom: [{ system: 'phone', value: '555' }],
      address: [{ city: 'Springfield' }],
      communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'fr' }] } }],
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired', valueBoolean: true }],
    });
    expect(ofAppointment).toEqual({
      resourceType: 'Appointment',
      id: appointment.id,
      status: 'booked',
      start: appointment.start,
      end: appointment.end,
      patientInstruction: 'Come with an empty stomach',
      participant: [
        { actor: { reference: referenceTo(patient) }, status: 'accepted' },
        { actor: { reference: referenceTo(location) }, status: 'accepted' },
        {
          type: [
            { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/participant-type', code: 'translator' }] },
          ],
          status: 'needs-action',
        },
      ],
    });
    expect(ofMessage).toEqual({
      resourceType: 'Communication',
      id: message.id,
      status: 'completed',
      category: [{ coding: [administrative] }],
      subject: { reference: referenceTo(patient) },
      payload: [{ contentString: 'We have moved' }],
    });
    expect(ofTask).toEqual({
      resourceType: 'Task',
      id: own.id,
      status: 'requested',
      intent: 'order',
      owner: { reference: referenceTo(person) },
      for: { reference: referenceTo(patient) },
    });
  });

  it('lets nothing else through any door', async () => {
    const named = referenceTo(patient);
    const paths = [
      ...[patient, appointment, message, own].flatMap((record) => [
        pathOf(record),
        `${pathOf(record)}/_history/1`,
        `${pathOf(record)}/_history`,
        `${pathOf(record)}/$meta`,
        `${pathOf(record)}/$validate`,
        `${pathOf(record)}?_summary=text`,
        `${pathOf(record)}?_elements=note,comment,description,text,contained`,
      ]),
      `Patient?_id=${patient.id}&_revinclude=*`,
      `Patient?_id=${patient.id}&_revinclude=Appointment:patient&_include=*`,
      `Appointment?patient=${named}&_include=*&_include:iterate=*&_sort=date&_total=accurate`,
      `Communication?patient=${named}&_include=*`,
      `Task?patient=${named}&_include=*`,
      `Task?owner=${referenceTo(person)}`,
      `${named}/Appointment`,
      `${named}/Communication`,
      `${named}/*`,
      `_search?_type=Patient,Appointment,Communication,Task&_lastUpdated=gt2020`,
      'Appointment/_history?_count=200',
      'Communication/_history?_count=200',
      '_history?_count=200',
    ];
    let bodies = 0;
    for (const path of paths) {
      const { status, text: sent } = path.startsWith('_search')
        ? await server.post('_search', new URLSearchParams(path.slice(8)).toString(), {
            as: support,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          })
        : await server.get(path, { as: support });
      if (status === 200) bodies++;
      expect(sent, path).not.toContain(secret);
      expect(sent, path).not.toContain(condition.id);
      expect(sent, path).not.toContain(surgeon.id);
      expect(sent, path).not.toContain(clinical.id);
    }
    expect(bodies).toBeGreaterThan(paths.length - 5);
    const entry = paths.map((url) => ({ request: { method: 'GET', url } })).slice(0, 20);
    const batch = await server.post('', { resourceType: 'Bundle', type: 'batch', entry }, { as: support });
    expect(batch.text).toContain(patient.id);
    expect(batch.text).not.toContain(secret);
  });

  it('finds nothing by what it does not show', async () => {
    const find = async (path: string) => {
      const { status, body } = await server.get(path, { as: support });
      return status === 200
        ? resourcesIn(body).filter(({ resourceType }) => resourceType !== 'OperationOutcome').length
        : 0;
    };
    const hidden = [
      `Patient?_id=${patient.id}&_text=${secret}`,
      `Patient?_id=${patient.id}&_content=${secret}`,
      `Patient?_id=${patient.id}&_filter=gender eq female`,
      `Patient?_id=${patient.id}&_has:Appointment:patient:specialty=${secret}`,
      `Appointment?_id=${appointment.id}&_content=${secret}`,
      `Practitioner?_id=${surgeon.id}&_has:Appointment:practitioner:status=booked`,
      `Condition?_id=${condition.id}`,
      `Location?_id=${location.id}&_has:Appointment:location:specialty=${secret}`,
    ];
    for (const path of hidden) expect(await find(path), path).toBe(0);
    const unknown = [
      `Patient?_id=${patient.id}&gender=male`,
      `Patient?_id=${patient.id}&identifier=nothing`,
      `Appointment?_id=${appointment.id}&specialty=nothing`,
      `Appointment?_id=${appointment.id}&practitioner=Practitioner/nobody`,
      `Appointment?_id=${appointment.id}&practitioner.family=nobody`,
      `Appointment?_id=${appointment.id}&_sort=specialty`,
      `Appointment?_id=${appointment.id}&_tag=nothing`,
    ];
    for (const path of unknown) {
      expect(await find(path), path).toBe(1); // an unknown parameter is not used
      const strict = await server.get(path, { as: support, headers: { prefer: 'handling=strict' } });
      expect(strict.status, path).toBe(400);
    }
    expect(await find(`Practitioner?_id=${surgeon.id}&_revinclude=Appointment:actor`)).toBe(1);
    expect(await find(`Patient?family=Sample&birthdate=1980-02-03&_id=${patient.id}`)).toBe(1);
    expect(
      await find(`Appointment?patient=${referenceTo(patient)}&date=2026-12-02&location=${referenceTo(location)}`),
    ).toBe(1);
  });

  it('has no labelled records, no tasks of others and no clinical messages', async () => {
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const labelled = await create(server, patientBody({ meta: { security: [restricted] } }));
    const others = await create(server, { resourceType: 'Task', status: 'requested', intent: 'order' } as fhir4.Task);

    for (const record of [labelled, others, clinical]) expect(await seen(pathOf(record))).toBe('not-found');
  });

  it('is no way to take out charts or to write', async () => {
    const shown = await server.get(pathOf(patient), { as: support });
    const everything = await seen(`${pathOf(patient)}/$everything`);
    const put = async (record: { id: string }, body: TestBody, as: TestCaller) => {
      const answer = await server.put(`Patient/${record.id}`, body, { as });
      return [answer.status, codeOf(answer.body)];
    };

    expect(everything).toBe('forbidden-role');
    expect(await put(patient, shown.body, support)).toEqual([422, 'subsetted']);
    expect(
      await put(
        { id: 'none' },
        { ...(shown.body as unknown as fhir4.Patient), id: 'none' } as unknown as TestBody,
        support,
      ),
    ).toEqual([422, 'subsetted']);
    const { meta: _part, ...whole } = shown.body as unknown as fhir4.Patient;
    expect(await put(patient, whole as unknown as TestBody, support)).toEqual([403, 'forbidden-role']);
    expect(await put(patient, { ...whole, meta: { tag: 'x' } } as never, support)).toEqual([403, 'forbidden-role']);
    expect(await put(patient, shown.body, frontdesk)).toEqual([422, 'subsetted']);
    expect((await server.delete(pathOf(appointment), { as: support })).status).toBe(403);
    expect((await server.post('Appointment', appointment, { as: support })).status).toBe(403);
  });
});

describe('what support staff write', () => {
  const nurse: TestCaller = { role: 'nurse' };
  let subject: fhir4.Reference;
  beforeEach(async () => {
    await create(server, delegation(), admin);
    subject = { reference: referenceTo(await create(server, patientBody())) };
  });
  const message = (elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
    resourceType: 'Communication',
    status: 'completed',
    subject,
    payload: [{ contentString: 'My chest hurts' }],
    ...elements,
  });
  const task = (elements: Partial<fhir4.Task> = {}): fhir4.Task => ({
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    for: subject,
    ...elements,
  });
  const tasksOfNurses = async () => {
    const { body } = await server.get(`Task?patient=${subject.reference}`, { as: nurse });
    return resourcesIn(body) as unknown as fhir4.Task[];
  };

  it('is theirs to read where it is administrative, or their own task', async () => {
    const told = await create(server, message({ category: [{ coding: [administrative] }] }), support);
    const own = await create(server, task({ owner: { reference: referenceTo(person) } }), support);

    expect([await seen(pathOf(told)), await seen(pathOf(own))]).toEqual([200, 200]);
    expect((await tasksOfNurses()).map(({ performerType }) => performerType)).toEqual([undefined]);
  });

  it.each(['alone', 'in a transaction'])(
    'goes to the nurses where it may be clinical, and is not read back: %s',
    async (how) => {
      const post = async (resource: fhir4.Communication | fhir4.Task) => {
        if (how === 'alone') return server.post(resource.resourceType, resource, { as: support });
        const entry = [{ request: { method: 'POST', url: resource.resourceType }, resource }];
        return server.post('', { resourceType: 'Bundle', type: 'transaction', entry }, { as: support });
      };
      const sent = [await post(message()), await post(task({ description: 'Call back' }))];

      expect(sent.map(({ status }) => status)).toEqual(how === 'alone' ? [201, 201] : [200, 200]);
      for (const { text } of sent) expect(text).toContain('Handed on to the nurses');
      const handed = await tasksOfNurses();
      const codes = handed.map(({ performerType }) => performerType?.[0]?.coding?.[0]?.code);
      expect(codes).toEqual(['106292003', '106292003']);
      const about = handed.flatMap(({ focus }) => focus?.reference ?? []);
      expect(about).toHaveLength(1);
      const { body } = await server.get(about[0] ?? '', { as: nurse });
      expect(body).toMatchObject({ payload: [{ contentString: 'My chest hurts' }] });
      expect(await seen(about[0] ?? '')).toBe('not-found');
      for (const each of handed) expect(await seen(`Task/${each.id}`)).toBe('not-found');
      const found = await server.get(`Task?patient=${subject.reference}`, { as: support });
      expect(resourcesIn(found.body).filter(({ resourceType }) => resourceType === 'Task')).toEqual([]);
    },
  );

  it('says in the log for whom it was done', async () => {
    await server.get(String(subject.reference), { as: support });

    const { body } = await server.get(`AuditEvent?patient=${subject.reference}`, { as: { role: 'privacy' } });

    const events = resourcesIn(body) as unknown as fhir4.AuditEvent[];
    const ofSupport = events.find(({ agent }) => agent[0]?.who?.reference === referenceTo(person));
    expect(JSON.stringify(ofSupport)).toContain('Organization/northside');
    expect(JSON.stringify(ofSupport)).toContain('on behalf of');
  });
});

describe('a task of their own', () => {
  const nurse: TestCaller = { role: 'nurse' };
  let subject: fhir4.Reference;
  beforeEach(async () => {
    await create(server, delegation(), admin);
    subject = { reference: referenceTo(await create(server, patientBody())) };
  });
  const taskOf = (elements: Partial<fhir4.Task> = {}) =>
    create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: subject,
      owner: { reference: referenceTo(person) },
      reasonCode: { text: secret },
      note: [{ text: secret }],
      ...elements,
    } as fhir4.Task);
  const progress = async (
    { id }: { id: string },
    said: { status?: string; note?: string },
    { as = support, headers = {} }: { as?: TestCaller; headers?: Record<string, string> } = {},
  ) => {
    const parameter = [
      ...(said.status === undefined ? [] : [{ name: 'status', valueCode: said.status }]),
      ...(said.note === undefined ? [] : [{ name: 'note', valueString: said.note }]),
    ];
    return server.post(`Task/${id}/$progress`, { resourceType: 'Parameters', parameter }, { as, headers });
  };
  const whole = async ({ id }: { id: string }) =>
    (await server.get(`Task/${id}`, { as: nurse })).body as unknown as fhir4.Task;
  const toNurses = async () => {
    const { body } = await server.get(`Task?patient=${subject.reference}`, { as: nurse });
    const tasks = resourcesIn(body) as unknown as fhir4.Task[];
    return tasks.filter(({ performerType }) => performerType?.[0]?.coding?.[0]?.code === '106292003');
  };

  it('is taken on, of which a part is shown, and keeps what they do not see', async () => {
    const task = await taskOf();

    const begun = await progress(task, { status: 'in-progress' });
    server.setTime(at + 60_000);
    const done = await progress(task, { status: 'completed' });

    expect([begun.status, done.status]).toEqual([200, 200]);
    expect(done.text).not.toContain(secret);
    expect(done.body).toEqual({
      resourceType: 'Task',
      id: task.id,
      meta: { versionId: '3', lastUpdated: expect.any(String), tag: [expect.objectContaining(subsetted)] },
      status: 'completed',
      intent: 'order',
      for: subject,
      owner: { reference: referenceTo(person) },
      lastModified: new Date(at + 60_000).toISOString(),
      executionPeriod: { start: new Date(at).toISOString(), end: new Date(at + 60_000).toISOString() },
    });
    expect(await whole(task)).toMatchObject({ reasonCode: { text: secret }, note: [{ text: secret }] });
  });

  it.each([
    ['requested', 'completed'],
    ['in-progress', 'requested'],
    ['completed', 'in-progress'],
    ['draft', 'requested'],
    ['accepted', 'entered-in-error'],
    ['accepted', 'gone'],
  ])('does not go from %s to %s', async (from, to) => {
    const task = await taskOf({ status: from as fhir4.Task['status'] });

    const { status, body } = await progress(task, { status: to });

    expect([status, codeOf(body)]).toEqual([422, 'task-status']);
    expect(await whole(task)).toMatchObject({ status: from, meta: { versionId: '1' } });
  });

  it('that is administrative bears their notes', async () => {
    const task = await taskOf({ code: { coding: [administrative] } });

    const { status, text } = await progress(task, { status: 'received', note: 'Called, nobody answered' });

    expect(status).toBe(200);
    expect(text).not.toContain('nobody answered');
    expect((await whole(task)).note?.[1]).toEqual({
      authorReference: { reference: referenceTo(person) },
      time: new Date(at).toISOString(),
      text: 'Called, nobody answered',
    });
    expect(await toNurses()).toEqual([]);
  });

  it('that may be clinical hands their notes on to the nurses, and they cannot read them back', async () => {
    const task = await taskOf();

    const { status } = await progress(task, { note: 'She says that her chest hurts' });

    expect(status).toBe(200);
    expect((await whole(task)).note).toEqual([{ text: secret }]);
    const [handed, ...more] = await toNurses();
    expect(more).toEqual([]);
    const message = handed?.focus?.reference ?? '';
    expect((await server.get(message, { as: nurse })).body).toMatchObject({
      subject,
      about: [{ reference: `Task/${task.id}` }],
      sender: { reference: referenceTo(person) },
      payload: [{ contentString: 'She says that her chest hurts' }],
    });
    expect([await seen(message), await seen(`Task/${handed?.id}`)]).toEqual(['not-found', 'not-found']);
  });

  it('is nobody else’s, and is theirs under a delegation, a scope and its version alone', async () => {
    const own = await taskOf();
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const others = [
      await taskOf({ owner: { reference: referenceTo(surgeon) } }),
      await taskOf({ meta: { security: [restricted] } }),
      { id: 'none' },
    ];
    const said = { status: 'received' };
    const refused = async (...asked: Parameters<typeof progress>) => {
      const { status, body } = await progress(...asked);
      return [status, codeOf(body)];
    };

    for (const task of others) expect(await refused(task, said)).toEqual([404, 'not-found']);
    expect(await refused(own, said, { as: nurse })).toEqual([403, 'forbidden-role']);
    expect(await refused(own, said, { as: { ...support, scope: 'user/Task.rs' } })).toEqual([403, 'forbidden-scope']);
    expect(await refused(own, said, { as: { ...support, organization: 'lakeside' } })).toEqual([403, 'no-delegation']);
    expect(await refused(own, said, { headers: { 'if-match': 'W/"2"' } })).toEqual([412, 'version-conflict']);
    expect(await refused(own, {})).toEqual([400, 'invalid']);
    expect(await refused(own, { note: ' ' })).toEqual([400, 'invalid']);
    expect(await whole(own)).toMatchObject({ status: 'requested', meta: { versionId: '1' } });
  });

  it('names who took it on and for whom in the log', async () => {
    const task = await taskOf({ code: { coding: [administrative] } });
    await progress(task, { status: 'received', note: 'Called' });

    const { body } = await server.get(`AuditEvent?patient=${subject.reference}`, { as: { role: 'privacy' } });

    const events = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(
      ({ agent }) => agent[0]?.who?.reference === referenceTo(person),
    );
    expect(events.map(({ action }) => action).sort()).toEqual(['E', 'U']);
    for (const event of events) expect(JSON.stringify(event)).toContain('Organization/northside');
    expect(JSON.stringify(events)).not.toContain('Called');
  });
});

describe('a caller', () => {
  const verifiedCalls = { system: delegationCode.system, code: 'verified-calls' };
  let patient: Stored<fhir4.Patient>;
  let agent: TestCaller;
  /** Told by the right caller. */
  let told: Partial<fhir4.Patient>;
  let born = Date.UTC(1950, 0, 1);
  beforeEach(async () => {
    born += 86_400_000;
    agent = { ...support, claims: { ...support.claims, sub: referenceTo(person) } };
    const birthDate = new Date(born).toISOString().slice(0, 10);
    told = { birthDate, telecom: [{ system: 'phone', value: `+1555${-born}` }] };
    patient = await create(
      server,
      patientBody({
        ...told,
        name: [{ family: 'Caller', given: ['Cleo'] }],
        address: [{ postalCode: 'ab1 2cd' }],
        identifier: [{ system: 'urn:x', value: String(born) }],
      }),
    );
  });
  const verify = async (facts: Partial<fhir4.Patient>, whom?: string, as = agent) => {
    const parameter = [
      { name: 'resource', resource: { resourceType: 'Patient', ...facts } as fhir4.Patient },
      ...(whom === undefined ? [] : [{ name: 'patient', valueReference: { reference: whom } }]),
    ];
    return server.post('Patient/$verify-caller', { resourceType: 'Parameters', parameter }, { as });
  };
  const no = { resourceType: 'Parameters', parameter: [{ name: 'verified', valueBoolean: false }] };
  const logOf = async (path: string) => {
    const { body } = await server.get(path, { as: { role: 'privacy' } });
    return (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(({ agent: agents }) =>
      agents.some(({ who }) => who?.reference === referenceTo(person)),
    );
  };

  it('who tells two facts, all of them right, is verified, with a trace in the chart', async () => {
    await create(server, delegation(), admin);
    const { birthDate = '', telecom = [] } = told;

    for (const facts of [
      told,
      { birthDate, address: [{ postalCode: 'AB12CD' }] },
      { birthDate, name: [{ family: 'caller', given: ['cleo'] }] },
      { telecom, identifier: [{ system: 'urn:x', value: String(born) }] },
      { telecom: [{ system: 'phone' as const, value: `(+1) 555-${-born}` }], address: [{ postalCode: 'AB1 2CD' }] },
    ])
      expect((await verify(facts)).body).toEqual({
        resourceType: 'Parameters',
        parameter: [
          { name: 'verified', valueBoolean: true },
          { name: 'patient', valueReference: { reference: referenceTo(patient) } },
          { name: 'until', valueInstant: new Date(at + 30 * 60_000).toISOString() },
        ],
      });
    const events = await logOf(`AuditEvent?patient=${referenceTo(patient)}`);
    expect(events.map(({ outcome }) => outcome)).toEqual(['0', '0', '0', '0', '0']);
    expect(JSON.stringify(events)).not.toContain(birthDate);
  });

  it('who does not, is refused in one way, whatever is wrong', async () => {
    await create(server, delegation(), admin);
    const foreign = await create(server, patientBody(told), { role: 'physician', organization: 'lakeside' });
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const telecom = [{ system: 'phone' as const, value: '555' }];
    for (const other of [
      { birthDate: '1899-01-01', meta: { security: [restricted] } },
      { birthDate: '1899-01-02', deceasedBoolean: true },
      { birthDate: '1899-01-03', link: [{ other: { reference: referenceTo(patient) }, type: 'replaced-by' as const }] },
      { birthDate: '1899-01-04' },
      { birthDate: '1899-01-04' },
    ])
      await create(server, patientBody({ ...other, telecom }));

    const answers = [
      await verify({ ...told, birthDate: '1849-01-01' }),
      await verify({ ...told, telecom }),
      await verify({ ...told, address: [{ postalCode: 'XX1 1XX' }] }),
      await verify({ birthDate: '1848-01-01', telecom: [{ system: 'phone', value: '000' }] }),
      await verify({ birthDate: '1899-01-01', telecom }),
      await verify({ birthDate: '1899-01-02', telecom }),
      await verify({ birthDate: '1899-01-03', telecom }),
      await verify({ birthDate: '1899-01-04', telecom }),
      await verify({ ...told, telecom }, referenceTo(patient)),
      await verify(told, referenceTo(foreign)),
      await verify(told, 'Patient/none'),
      await verify(told, referenceTo(surgeon)),
    ];

    for (const { status, body } of answers) expect([status, body]).toEqual([200, no]);
    const [refused, ...more] = await logOf(`AuditEvent?patient=${referenceTo(patient)}`);
    expect([refused?.outcome, more]).toEqual(['4', []]);
    const { birthDate = '' } = told;
    for (const facts of [{}, { birthDate }, { birthDate: '1950', telecom }])
      expect(codeOf((await verify(facts)).body)).toBe('too-little-told');
  });

  it('may be asked for thirty times an hour, by support staff under a delegation', async () => {
    expect(codeOf((await verify(told)).body)).toBe('no-delegation');
    await create(server, delegation(), admin);
    for (let asked = 0; asked < 30; asked++) expect((await verify(told)).status).toBe(200);

    const { headers, status } = await verify(told);
    expect([status, headers['retry-after']]).toEqual([429, '3600']);
    server.setTime(at + 3_600_000);
    expect((await verify(told)).status).toBe(200);
    expect(codeOf((await verify(told, undefined, frontdesk)).body)).toBe('forbidden-role');
    const entry = [{ request: { method: 'POST', url: 'Patient/$verify-caller' }, resource: patientBody(told) }];
    const { text } = await server.post('', { resourceType: 'Bundle', type: 'batch', entry }, { as: agent });
    expect(text).toContain('not-in-bundle');
  });

  it('opens the own chart alone, where that is all that is delegated, until somebody else calls', async () => {
    const role = await create(server, delegation({ code: [{ coding: [delegationCode, verifiedCalls] }] }), admin);
    const theirs = { birthDate: '1901-01-01', telecom: [{ system: 'phone' as const, value: '777' }] };
    const other = await create(server, patientBody(theirs));
    const booking = await create(server, {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2026-12-03T09:00:00Z',
      end: '2026-12-03T09:20:00Z',
      participant: [{ actor: { reference: referenceTo(patient) }, status: 'accepted' }],
    } as fhir4.Appointment);
    const own = await create(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: referenceTo(other) },
      owner: { reference: referenceTo(person) },
    } as fhir4.Task);
    const times = ['2026-12-04T09', '2026-12-05T09', '2026-12-06T09', '2026-12-07T09', '2026-12-08T09'];
    const reach = async () => {
      const found = await server.get(`Appointment?patient=${referenceTo(patient)}`, { as: agent });
      const day = times.shift() ?? '';
      const parameter = [
        { name: 'start', valueDateTime: `${day}:00:00Z` },
        { name: 'end', valueDateTime: `${day}:20:00Z` },
      ];
      const moved = await server.post(
        `Appointment/${booking.id}/$reschedule`,
        { resourceType: 'Parameters', parameter },
        { as: agent },
      );
      return [
        await seen(pathOf(patient), agent),
        await seen(pathOf(other), agent),
        await seen(pathOf(own), agent),
        resourcesIn(found.body).filter(({ resourceType }) => resourceType === 'Appointment').length,
        moved.status,
      ];
    };

    expect(await reach()).toEqual(['not-found', 'not-found', 200, 0, 404]);
    await verify(told);
    expect(await reach()).toEqual([200, 'not-found', 200, 1, 200]);
    await verify({ ...told, birthDate: '1849-01-01' });
    expect(await reach()).toEqual([200, 'not-found', 200, 1, 200]);
    await verify(theirs);
    expect(await reach()).toEqual(['not-found', 200, 200, 0, 404]);
    server.setTime(at + 30 * 60_000);
    expect(await reach()).toEqual(['not-found', 'not-found', 200, 0, 404]);
    await verify(told);
    await server.delete(referenceTo(role), { as: admin });
    expect(await seen(pathOf(patient), agent)).toBe('no-delegation');
  });
});
