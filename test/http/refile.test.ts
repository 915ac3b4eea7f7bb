import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordStore } from '../../shared/store/record-store.ts';
import type { TestCaller } from '../support/callers.ts';
import { physician, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import { patientView } from '../support/patient-view.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

const nurse: TestCaller = { role: 'nurse' };
const privacy: TestCaller = { role: 'privacy' };
const reason = 'Written into the chart that was open before';
/** Stands in each record, and nowhere else. */
const secret = 'zebra stripes';

const { server, chart, share, followStream } = await patientView();

const refile = (
  records: readonly (TestBody | fhir4.Resource)[],
  patient: fhir4.Resource,
  {
    as = physician,
    headers = {},
    words = reason,
  }: { as?: TestCaller; headers?: Record<string, string>; words?: string } = {},
): Promise<TestResponse> =>
  server.request('POST', '$refile', {
    as,
    headers,
    body: {
      resourceType: 'Parameters',
      parameter: [
        ...records.map((record) => ({
          name: 'record',
          valueReference: { reference: `${record.resourceType}/${record.id}` },
        })),
        { name: 'patient', valueReference: { reference: referenceTo(patient) } },
        { name: 'reason', valueString: words },
      ],
    },
  });

const copiesIn = ({ body, status }: TestResponse): string[] => {
  expect(status, JSON.stringify(body)).toBe(200);
  return (
    (body as unknown as fhir4.Parameters).parameter?.map(({ valueReference }) => valueReference?.reference ?? '') ?? []
  );
};
const reasonOf = ({ status, body }: TestResponse) => [status, issuesOf(body)[0]?.reason];
const two = async (): Promise<[Stored<fhir4.Patient>, Stored<fhir4.Patient>]> => [
  await create(server, patientBody({ name: [{ family: 'Wrong' }] })),
  await create(server, patientBody({ name: [{ family: 'Right' }] })),
];
const own = (patient: Stored<fhir4.Patient>): TestCaller => ({ role: 'patient', patient: patient.id });
const chartOf = async (patient: fhir4.Patient, as: TestCaller = physician) =>
  resourcesIn((await server.get(`Patient/${patient.id}/$everything`, { as })).body);

const code = { text: secret };
const active = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
};
const bodies: Record<string, (subject: fhir4.Reference) => fhir4.Resource> = {
  Observation: (subject) => observationBody(String(subject.reference), { code, subject }),
  AllergyIntolerance: (patient) =>
    ({ resourceType: 'AllergyIntolerance', code, patient, clinicalStatus: active }) as fhir4.AllergyIntolerance,
  DiagnosticReport: (subject) =>
    ({ resourceType: 'DiagnosticReport', status: 'final', code, subject }) as fhir4.DiagnosticReport,
  MedicationRequest: (subject) =>
    ({
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: code,
      subject,
    }) as fhir4.MedicationRequest,
};

describe('a record in the wrong chart', () => {
  it.each(Object.keys(bodies))('shows nothing of any version there at any door and to anybody, as %s', async (type) => {
    const [wrong, right] = await two();
    const subject = { reference: referenceTo(wrong), display: 'Ms Wrong', identifier: { value: 'W-1' } };
    const first = await create(server, bodies[type]?.(subject) as fhir4.Resource);
    const second = await server.put(pathOf(first), { ...first, language: 'en' });
    expect(second.status).toBe(200);
    for (const as of [nurse, own(wrong)]) expect((await server.get(pathOf(first), { as })).status).toBe(200);

    const [copy = ''] = copiesIn(await refile([first], right));

    const path = pathOf(first);
    const doors = [
      path,
      `${path}/_history`,
      `${path}/_history/1`,
      `${path}/_history/2`,
      `${path}/_history/3`,
      `${path}/$meta`,
      `${type}?_id=${first.id}`,
      `${type}?patient=${wrong.id}`,
      `${type}?patient=${wrong.id}&_revinclude=Provenance:target`,
      `Patient/${wrong.id}/${type}`,
      `Patient/${wrong.id}/*`,
      `Patient/${wrong.id}/$everything`,
      `Patient/${wrong.id}/$summary`,
      `Patient/${wrong.id}/$timeline`,
      `Patient/${wrong.id}/$disclosures`,
      `Observation/$lastn?patient=${wrong.id}&code=http://loinc.org|8867-4`,
      `Patient?_id=${wrong.id}&_revinclude=${type}:patient`,
      `AuditEvent?patient=${wrong.id}&_count=100`,
      `Provenance?target=${path}`,
      `Task?patient=${wrong.id}`,
    ];
    const callers: TestCaller[] = [
      ...['physician', 'privacy', 'system'].map((role) => ({
        role,
      })),
      own(wrong),
      elsewhere,
    ];
    for (const as of callers) {
      const answers = await Promise.all(doors.map((door) => server.get(door, { as })));
      for (const { text } of answers) expect(text).not.toContain(secret);
      for (const { status } of answers.slice(0, 6)) expect([403, 404]).toContain(status);
      const patched = await server.put(path, first, { as });
      expect([403, 404, 405]).toContain(patched.status);
      expect([403, 404, 405]).toContain((await server.delete(path, { as })).status);
    }
    // Whoever reads changes of the whole type finds it in the right chart alone.
    const histories = await Promise.all(
      [`${type}/_history`, '_history'].map((door) => server.get(`${door}?_count=500`)),
    );
    for (const { body } of histories)
      for (const resource of resourcesIn(body))
        if (JSON.stringify(resource).includes(secret)) expect(resource.id).not.toBe(first.id);

    const found = await server.get(copy);
    expect(found.text).toContain(secret);
    for (const word of [wrong.id, 'Ms Wrong', 'W-1']) expect(found.text).not.toContain(word);
    const everything = await server.get(`Patient/${right.id}/$everything`, { as: own(right) });
    expect(everything.text).toContain(secret);
    expect(everything.text).not.toContain(wrong.id);
  });

  it('is copied with its labels, and says where it comes from without telling whose chart that was', async () => {
    const [wrong, right] = await two();
    const visit = await create(server, encounterBody(referenceTo(wrong)));
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const record = await create(
      server,
      observationBody(referenceTo(wrong), {
        encounter: { reference: referenceTo(visit) },
        meta: { security: [restricted] },
      }),
    );

    const [copy = ''] = copiesIn(
      await refile([record], right, { as: { role: 'physician', claims: { fhirUser: 'Practitioner/p' } } }),
    );

    const { body } = await server.get(copy);
    expect(body).toMatchObject({
      subject: { reference: referenceTo(right) },
      valueQuantity: record.valueQuantity,
      meta: { security: [restricted], versionId: '1' },
    });
    expect(body.encounter).toEqual({ extension: [expect.objectContaining({ valueCode: 'not-applicable' })] });
    const [origin] = (await chartOf(right)).filter(({ resourceType }) => resourceType === 'Provenance');
    expect(origin).toMatchObject({
      target: [{ reference: copy }],
      reason: [{ text: reason }],
      agent: [{ who: { reference: 'Practitioner/p' }, onBehalfOf: { reference: 'Organization/northside' } }],
      entity: [{ role: 'source' }],
    });
    expect(JSON.stringify(origin)).not.toContain(wrong.id);
  });

  it('has the privacy officers look, and tells an organisation that has read it', async () => {
    const [, right] = await two();
    const { patient: wrong, observation: record, ...one } = await chart();
    await share({ patient: wrong, observation: record, ...one });
    expect((await server.get(pathOf(record), { as: elsewhere })).status).toBe(200);
    await followStream();

    copiesIn(await refile([record], right));

    const tasks = (await server.get(`Task?patient=${wrong.id}`, { as: privacy })).body;
    expect(resourcesIn(tasks).map(({ owner, status }) => [owner?.reference, status])).toEqual([
      ['Organization/northside', 'requested'],
    ]);
    const theirs = (await server.get(`Task?patient=${wrong.id}`, { as: elsewhere })).body;
    expect(resourcesIn(theirs).map(({ owner }) => owner?.reference)).toContain('Organization/lakeside');
    for (const text of [tasks, theirs].map((body) => JSON.stringify(body))) {
      expect(text).not.toContain(reason);
      expect(text).not.toContain(right.id);
    }
    const log = await server.get(`AuditEvent?patient=${wrong.id}&_count=100`, { as: privacy });
    expect(log.text).toContain('$refile');
    expect((await server.get(`AuditEvent?patient=${right.id}&_count=100`, { as: privacy })).text).toContain('refile');
  });

  it.each([
    [(of: string) => `Patient/${of}/Observation`, true],
    [(of: string) => `Observation/$lastn?patient=${of}&code=http://loinc.org|8867-4`, true],
    [(of: string) => `Patient?_id=${of}&_revinclude=Observation:patient`, true],
    [(of: string) => `Patient?_id=${of}`, false],
  ])('tells an organisation that may have seen it by %s', async (door, shown) => {
    const [, right] = await two();
    const shared = await chart();
    await share(shared);
    const { patient: wrong } = shared;
    const record = await create(server, observationBody(referenceTo(wrong)));
    expect((await server.get(door(wrong.id), { as: elsewhere })).text.includes(record.id)).toBe(shown);
    await followStream();

    copiesIn(await refile([record], right));

    const theirs = resourcesIn((await server.get(`Task?patient=${wrong.id}`, { as: elsewhere })).body);
    expect(theirs.some(({ owner }) => owner?.reference === 'Organization/lakeside')).toBe(shown);
  });

  it('stays while others refer to it, and comes with them', async () => {
    const [wrong, right] = await two();
    const result = await create(server, observationBody(referenceTo(wrong), { code }));
    const report = await create(server, {
      ...(bodies['DiagnosticReport']?.({ reference: referenceTo(wrong) }) as fhir4.DiagnosticReport),
      result: [{ reference: referenceTo(result) }],
    });

    const alone = await refile([result], right);
    expect(reasonOf(alone)).toEqual([409, 'referenced']);
    expect(JSON.stringify(alone.body)).toContain(referenceTo(report));
    const parted = await refile([report], right);
    expect(reasonOf(parted)).toEqual([422, 'not-refiled']);
    expect((await server.get(pathOf(report))).status).toBe(200);

    const [movedReport = '', movedResult = ''] = copiesIn(await refile([report, result], right));
    const { body } = await server.get(movedReport);
    expect(body).toMatchObject({ result: [{ reference: movedResult }], subject: { reference: referenceTo(right) } });
    const left = (await chartOf(wrong)).map(({ resourceType }) => resourceType);
    expect(left).toContain('Task');
    for (const type of ['Observation', 'DiagnosticReport']) expect(left).not.toContain(type);
  });

  it('is to be signed anew where it was in force or signed', async () => {
    const [wrong, right] = await two();
    const order = await create(
      server,
      bodies['MedicationRequest']?.({ reference: referenceTo(wrong) }) as fhir4.Resource,
    );
    const note = await create<fhir4.Composition>(server, {
      resourceType: 'Composition',
      status: 'preliminary',
      type: code,
      title: 'Note',
      date: '2024-01-01',
      subject: { reference: referenceTo(wrong) },
      author: [{ display: 'Author' }],
      section: [
        { title: 'All', text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml">Seen</div>' } },
      ],
    });
    const author = await create(server, { resourceType: 'Practitioner', active: true } as fhir4.Practitioner, admin);
    const signer: TestCaller = { role: 'physician', claims: { fhirUser: referenceTo(author) } };
    expect((await server.post(`${pathOf(note)}/$sign`, { resourceType: 'Parameters' }, { as: signer })).status).toBe(
      200,
    );

    const [first = '', second = ''] = copiesIn(await refile([order, note], right, { as: signer }));

    expect((await server.get(first)).body.status).toBe('draft');
    const { body } = await server.get(second);
    expect(body.status).toBe('preliminary');
    expect(body).not.toHaveProperty('attester');
    expect(JSON.stringify(body.meta)).not.toContain('signature');
  });

  it('comes into force in no chart by being moved, and keeps what had answered it', async () => {
    const [wrong, right] = await two();
    const subject = { reference: referenceTo(wrong) };
    const ordered = () =>
      create<fhir4.ServiceRequest>(server, {
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        code,
        subject,
      });
    const [open, done] = [await ordered(), await ordered()];
    const report = await create(server, {
      ...(bodies['DiagnosticReport']?.(subject) as fhir4.DiagnosticReport),
      basedOn: [{ reference: referenceTo(done) }],
    });

    const [first = '', second = '', third = ''] = copiesIn(await refile([open, done, report], right));

    expect((await server.get(first)).body.status).toBe('draft');
    const { body } = await server.get(second);
    expect([body.status, body.extension?.[0]?.valueReference?.reference]).toEqual(['completed', third]);
  });

  it('is a fact, though people could not have written it so', async () => {
    const [wrong, right] = await two();
    const subject = { reference: referenceTo(wrong) };
    const category = (name: string): fhir4.CodeableConcept => ({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: name }],
    });
    const facts: fhir4.Resource[] = [
      { resourceType: 'Procedure', status: 'not-done', code, subject } as fhir4.Procedure,
      {
        resourceType: 'Condition',
        clinicalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
        },
        category: [category('encounter-diagnosis'), category('problem-list-item')],
        code,
        subject,
      } as fhir4.Condition,
      {
        resourceType: 'FamilyMemberHistory',
        status: 'completed',
        relationship: code,
        bornDate: '2000',
        deceasedDate: '1990',
        patient: subject,
      } as fhir4.FamilyMemberHistory,
    ];
    const told = await Promise.all(facts.map((fact) => create(server, fact, system)));
    const tasks = resourcesIn((await server.get(`Task?patient=${wrong.id}`)).body);

    const copies = copiesIn(await refile([...told, ...tasks], right));

    expect(copies).toHaveLength(3);
    expect((await server.get(copies[2] ?? '')).body.meta?.tag).toMatchObject([{ code: 'impossible-times' }]);
    const checks = resourcesIn((await server.get(`Task?patient=${right.id}`)).body);
    expect(checks.map(({ focus }) => focus?.reference)).toContain(copies[2]);
  });

  it('names the wrong patient not even by a number alone', async () => {
    const number = { system: 'http://concord.test/number', value: 'W-1' };
    const wrong = await create(server, patientBody({ identifier: [number] }));
    const [, right] = await two();
    const lab = { identifier: { system: 'http://concord.test/lab', value: 'L-1' } };
    const record = await create(
      server,
      observationBody(referenceTo(wrong), {
        performer: [
          lab,
          { identifier: number, display: 'Ms Wrong' },
          { type: 'Patient', identifier: { value: 'W-2' }, display: 'Ms Wrong' },
        ],
      }),
    );

    const [copy = ''] = copiesIn(await refile([record], right));

    const { body, text } = await server.get(copy);
    expect(body.performer?.[0]).toEqual(lab);
    expect(body.performer).toHaveLength(3);
    for (const word of ['W-1', 'W-2', 'Ms Wrong']) expect(text).not.toContain(word);
  });

  it('meets the rules of the right chart', async () => {
    const [wrong, right] = await two();
    const denial = await create<fhir4.AllergyIntolerance>(server, {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: active,
      patient: { reference: referenceTo(right) },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] },
    });
    const allergy = await create(
      server,
      bodies['AllergyIntolerance']?.({ reference: referenceTo(wrong) }) as fhir4.Resource,
    );
    const denied = await create<fhir4.AllergyIntolerance>(server, {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: active,
      patient: { reference: referenceTo((await two())[0]) },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] },
    });

    copiesIn(await refile([allergy], right));

    const retired = (await server.get(pathOf(denial))).body as unknown as fhir4.AllergyIntolerance;
    expect(retired.verificationStatus?.coding?.[0]?.code).toBe('refuted');
    expect(reasonOf(await refile([denied], right))).toEqual([422, 'allergy-recorded']);
    expect((await server.get(pathOf(denied))).status).toBe(200);
  });

  it('takes along what says something of it alone, and leaves no room for what does not', async () => {
    const [wrong, right] = await two();
    const record = await create(server, observationBody(referenceTo(wrong)));
    const other = await create(server, observationBody(referenceTo(wrong)));
    const origin = (...of: fhir4.Resource[]) =>
      create<fhir4.Provenance>(server, {
        resourceType: 'Provenance',
        target: of.map((each) => ({ reference: referenceTo(each) })),
        recorded: '2024-01-01T00:00:00Z',
        agent: [{ who: { display: 'An interface' } }],
      });
    const ofBoth = await origin(record, other);
    expect(reasonOf(await refile([record, ofBoth], right))).toEqual([422, 'not-refiled']);
    const task = await create<fhir4.Task>(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: referenceTo(wrong) },
    });
    expect(reasonOf(await refile([other, task], right))).toEqual([422, 'not-refiled']);

    expect(copiesIn(await refile([record, other, ofBoth], right))).toHaveLength(2);
    expect((await server.get(pathOf(ofBoth))).status).toBe(404);
    expect((await server.get(pathOf(task))).status).toBe(200);
  });

  it('is found neither by an id that a client chose, nor in the chart of who was merged with its patient', async () => {
    const [wrong, right] = await two();
    const merged = await create(server, patientBody());
    const chosen = { ...observationBody(referenceTo(wrong), { code }), id: 'chosen-for-refiling' };
    expect((await server.put(`Observation/${chosen.id}`, chosen)).status).toBe(201);
    const source = { name: 'source', valueReference: { reference: referenceTo(merged) } };
    const merging = { resourceType: 'Parameters', parameter: [source] };
    expect((await server.post(`${pathOf(wrong)}/$merge`, merging)).status).toBe(200);
    expect(reasonOf(await refile([chosen], merged))).toEqual([422, 'not-refiled']);

    copiesIn(await refile([chosen], right));

    expect(reasonOf(await server.put(`Observation/${chosen.id}`, chosen))).toEqual([409, 'id-taken']);
    expect((await server.get(`Observation/${chosen.id}/_history/1`)).status).toBe(404);
    expect((await server.get(`Patient/${merged.id}/$everything`)).text).not.toContain(secret);
  });

  it('is refiled whole or not at all, by itself and in no bundle', async () => {
    const [wrong, right] = await two();
    const records = await Promise.all(
      Array.from({ length: 31 }, () => create(server, observationBody(referenceTo(wrong)))),
    );
    const gone = { resourceType: 'Observation', id: 'nowhere' } as fhir4.Observation;
    expect((await refile([...records, gone], right)).status).toBe(404);
    expect((await chartOf(right)).map(({ resourceType }) => resourceType)).not.toContain('Observation');

    // Each look around holds pages of the chart, in both directions.
    let [now, most] = [0, 0];
    const read: (...of: Parameters<RecordStore['chart']>) => ReturnType<RecordStore['chart']> = Reflect.get(
      RecordStore.prototype,
      'chart',
    );
    const reading = vi.spyOn(RecordStore.prototype, 'chart').mockImplementation((...of) => {
      most = Math.max(most, ++now);
      const store = reading.mock.contexts.at(-1) as RecordStore;
      return Reflect.apply(read, store, of).finally(() => now--);
    });
    onTestFinished(() => reading.mockRestore());

    // More than one transaction of DynamoDB can hold.
    expect(copiesIn(await refile(records, right))).toHaveLength(31);
    expect(most).toBeLessThanOrEqual(16);
    expect((await chartOf(wrong)).map(({ resourceType }) => resourceType)).not.toContain('Observation');
    expect((await chartOf(right)).filter(({ resourceType }) => resourceType === 'Observation')).toHaveLength(31);

    const entry = [
      {
        request: { method: 'POST', url: '$refile' },
        resource: { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: reason }] },
      },
    ];
    expect(reasonOf(await server.post('', { resourceType: 'Bundle', type: 'transaction', entry }))).toEqual([
      400,
      'not-in-bundle',
    ]);
  });

  it('takes back what it has brought about in the wrong chart, and brings it about in the right one', async () => {
    const [wrong, right] = await two();
    const rxnorm = (code: string) => ({ coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }] });
    const ordered = (subject: fhir4.Reference) =>
      create<fhir4.MedicationRequest>(
        server,
        {
          resourceType: 'MedicationRequest',
          status: 'active',
          intent: 'order',
          medicationCodeableConcept: rxnorm('723'),
          subject,
        },
        system,
      );
    for (const of of [wrong, right]) await ordered({ reference: referenceTo(of) });
    const allergy = await create<fhir4.AllergyIntolerance>(server, {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: active,
      code: rxnorm('723'),
      patient: { reference: referenceTo(wrong) },
    });
    const found = async (type: string, of: fhir4.Patient) =>
      resourcesIn((await server.get(`${type}?patient=${of.id}`)).body);
    const [issue] = await found('DetectedIssue', wrong);

    const alone = await refile([allergy], right);
    expect(reasonOf(alone)).toEqual([409, 'referenced']);
    expect(JSON.stringify(alone.body)).toContain(referenceTo(issue as TestBody));
    const tasks = (await found('Task', wrong)).filter((task) => JSON.stringify(task).includes(String(issue?.id)));
    copiesIn(await refile([allergy, issue as TestBody, ...tasks], right));

    expect(await found('DetectedIssue', wrong)).toEqual([]);
    expect(await found('DetectedIssue', right)).toHaveLength(1);
  });

  it('has answered nobody in the wrong chart', async () => {
    const [wrong, right] = await two();
    const subject = { reference: referenceTo(wrong) };
    const request = await create<fhir4.ServiceRequest>(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      code,
      subject,
    });
    const report = await create(server, {
      ...(bodies['DiagnosticReport']?.(subject) as fhir4.DiagnosticReport),
      basedOn: [{ reference: referenceTo(request) }],
    });
    expect((await server.get(pathOf(request))).body.status).toBe('completed');
    const tasks = resourcesIn((await server.get(`Task?patient=${wrong.id}`)).body);
    const reading = tasks.filter(({ focus }) => focus?.reference === referenceTo(report));

    const [copy = ''] = copiesIn(await refile([report, ...reading], right));

    const reopened = await server.get(pathOf(request));
    expect(reopened.body.status).toBe('active');
    expect(reopened.text).not.toContain(report.id);
    expect((await server.get(copy)).text).not.toContain(request.id);
  });

  it('is refiled once, whoever asks how often', async () => {
    const [wrong, right] = await two();
    const record = await create(server, observationBody(referenceTo(wrong)));
    const other = await create(server, observationBody(referenceTo(wrong)));

    const answers = await Promise.all([refile([record], right), refile([record], right, { as: nurse })]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect([404, 409]).toContain(statuses.find((status) => status !== 200));
    expect((await chartOf(right)).filter(({ resourceType }) => resourceType === 'Observation')).toHaveLength(1);

    const headers = { 'idempotency-key': 'refile-once' };
    const first = await refile([other], right, { headers });
    expect((await refile([other], right, { headers })).body).toEqual(first.body);
    expect((await chartOf(right)).filter(({ resourceType }) => resourceType === 'Observation')).toHaveLength(2);
  });

  it('is for who writes such records, of the organisation that keeps it, with a reason', async () => {
    const [wrong, right] = await two();
    const record = await create(server, observationBody(referenceTo(wrong)));
    const booking = await create(
      server,
      {
        resourceType: 'Appointment',
        status: 'proposed',
        participant: [{ status: 'accepted', actor: { reference: referenceTo(wrong) } }],
      } as fhir4.Appointment,
      { role: 'frontdesk' },
    );

    expect(reasonOf(await refile([record], right, { as: { role: 'frontdesk' } }))).toEqual([403, 'forbidden-role']);
    expect(reasonOf(await refile([record], right, { as: privacy }))).toEqual([403, 'forbidden-role']);
    expect(reasonOf(await refile([record], right, { as: own(wrong) }))).toEqual([403, 'forbidden-role']);
    expect(reasonOf(await refile([record], right, { as: system }))).toEqual([403, 'forbidden-role']);
    expect((await refile([record], right, { as: elsewhere })).status).toBe(404);
    expect((await refile([record], { resourceType: 'Patient', id: 'nobody' } as fhir4.Patient)).status).toBe(404);
    expect((await refile([record], right, { words: 'short' })).status).toBe(400);
    expect(reasonOf(await refile([record], wrong))).toEqual([422, 'not-refiled']);
    expect(reasonOf(await refile([booking], right))).toEqual([422, 'not-refiled']);
    expect((await server.get(pathOf(record))).status).toBe(200);
  });
});
