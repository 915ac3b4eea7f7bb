import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  expressionsIn,
  issuesOf,
  matchesIn,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

// Results: trends, and what a result calls for.

const ucum = 'http://unitsofmeasure.org';
const loinc = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://loinc.org', code }] });

const now = Date.parse('2026-03-01T10:00:00Z');
const codesOf = (body: Parameters<typeof issuesOf>[0]) => issuesOf(body).map(({ reason }) => reason);

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

type Part = fhir4.ParametersParameter;
const partsOf = (body: unknown): Part[] => (body as fhir4.Parameters).parameter ?? [];
const partIn = (parts: readonly Part[] | undefined, name: string) => parts?.find((each) => each.name === name);

const potassium = (value: number, unit = 'mmol/L'): Partial<fhir4.Observation> => ({
  code: loinc('2823-3'),
  valueQuantity: { value, unit, system: ucum, code: unit },
});

const observe = (patient: { readonly id: string }, elements: Partial<fhir4.Observation>, as?: TestCaller) =>
  create(
    server,
    {
      resourceType: 'Observation',
      status: 'final',
      code: loinc('2823-3'),
      subject: { reference: `Patient/${patient.id}` },
      effectiveDateTime: '2024-05-06',
      ...elements,
    } as fhir4.Observation,
    as,
  );

describe('Observation/$series', () => {
  let patient: Stored<fhir4.Patient>;
  beforeAll(async () => {
    patient = await create(server, patientBody());
    await observe(patient, { ...potassium(4.1), effectiveDateTime: '2024-05-03' });
    await observe(patient, { ...potassium(3_900, 'umol/L'), effectiveDateTime: '2024-05-01', status: 'corrected' });
    await observe(patient, { ...potassium(9), effectiveDateTime: '2024-05-02', status: 'entered-in-error' });
    await observe(patient, { ...potassium(5, 'mg'), effectiveDateTime: '2024-05-04', status: 'preliminary' });
    await observe(patient, { code: loinc('2951-2'), valueQuantity: { value: 140, system: ucum, code: 'mmol/L' } });
  });
  const ask = (query: string, as?: TestCaller) => server.get(`Observation/$series?${query}`, as ? { as } : {});
  const told = (body: unknown): string[] =>
    partsOf(body).flatMap(({ name, part }) =>
      name === 'point'
        ? [
            `${partIn(part, 'time')?.valueDateTime} ${partIn(part, 'value')?.valueQuantity?.value ?? partIn(part, 'because')?.valueCode} ${partIn(part, 'original')?.valueQuantity?.value}${partIn(part, 'corrected') ? ' corrected' : ''}`,
          ]
        : [],
    );

  it('tells all values of a code in one unit, by one Query, with its trace', async () => {
    server.calls.reset();
    const { status, body } = await ask(`patient=${patient.id}&code=http://loinc.org|2823-3&unit=mmol/L`);
    const calls = [...server.calls.names].sort();

    expect([status, told(body)]).toEqual([
      200,
      ['2024-05-01 3.9 3900 corrected', '2024-05-03 4.1 4.1', '2024-05-04 other-unit 5'],
    ]);
    expect(partIn(partsOf(body), 'unit')?.valueString).toBe('mmol/L');
    expect(calls).toEqual(['PutItem', 'Query']);
  });

  it('goes by dates, and by the unit of the newest', async () => {
    const { body } = await ask(`patient=${patient.id}&code=2823-3&start=2024-05-01&end=2024-05-03`);

    expect(told(body)).toEqual(['2024-05-01 3.9 3900 corrected', '2024-05-03 4.1 4.1']);
  });

  it('shows a patient their own, and nobody what they may not see', async () => {
    const own: TestCaller = { role: 'patient', patient: patient.id };

    expect(told((await ask('code=2823-3', own)).body)).toHaveLength(3);
    expect(told((await ask(`patient=${patient.id}&code=2823-3`, elsewhere)).body)).toEqual([]);
    expect((await ask(`patient=${patient.id}&code=2823-3`, { role: 'frontdesk' })).status).toBe(403);
  });

  it.each([
    ['no patient', 'code=2823-3', 'patient'],
    ['two patients', 'patient=a,b&code=2823-3', 'patient'],
    ['no code', 'patient=a', 'code'],
    ['what is no unit', 'patient=a&code=2823-3&unit=cups', 'unit'],
    ['what is no date', 'patient=a&code=2823-3&start=May', 'start'],
    ['anything else', 'patient=a&code=2823-3&status=final', 'status'],
  ])('refuses %s', async (_, query, name) => {
    const { status, body } = await ask(query);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });
});

// What a result calls for.

const person = async (role: string): Promise<TestCaller & { readonly name: string }> => {
  const name = referenceTo(await create(server, { resourceType: 'Practitioner', active: true }, admin));
  return { role, claims: { fhirUser: name }, name };
};
const calledBy = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code }] },
];
const tasksOf = async (patient: { readonly id: string }): Promise<fhir4.Task[]> =>
  matchesIn((await server.get(`Task?patient=${patient.id}`)).body) as unknown as fhir4.Task[];
/** Code, state and owner of each task, in order. */
const toldTasks = async (patient: { readonly id: string }): Promise<string[]> =>
  (await tasksOf(patient))
    .map(({ code, status, owner }) => `${code?.coding?.[0]?.code} ${status} ${owner?.reference ?? 'pool'}`)
    .sort();
const again = (record: Stored<fhir4.Observation>, elements: Partial<fhir4.Observation>, as?: TestCaller) =>
  server.put(pathOf(record), { ...record, ...elements }, as ? { as } : {});

describe('a critical result', () => {
  let orderer: Awaited<ReturnType<typeof person>>;
  let colleague: Awaited<ReturnType<typeof person>>;
  let lab: Awaited<ReturnType<typeof person>>;
  let patient: Stored<fhir4.Patient>;
  beforeAll(async () => {
    [orderer, colleague, lab] = [await person('physician'), await person('physician'), await person('lab')];
  });
  beforeEach(async () => {
    server.setTime(now);
    patient = await create(server, patientBody());
  });
  const ordered = () =>
    create(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      code: { text: 'Potassium' },
      subject: { reference: referenceTo(patient) },
      requester: { reference: orderer.name },
    } as fhir4.ServiceRequest);
  const critical = async (elements: Partial<fhir4.Observation> = {}) =>
    observe(
      patient,
      {
        ...potassium(7.1),
        effectiveDateTime: new Date(now).toISOString(),
        basedOn: [{ reference: referenceTo(await ordered()) }],
        ...elements,
      },
      lab,
    );
  const acknowledge = (task: fhir4.Task | undefined, values: fhir4.ParametersParameter[], as: TestCaller) =>
    server.post(`Task/${task?.id}/$acknowledge`, { resourceType: 'Parameters', parameter: values }, { as });
  const readBack = (...texts: string[]) => texts.map((valueString) => ({ name: 'readBack', valueString }));

  it('has a Task for who has ordered it in its own transaction, preliminary too, and one alone', async () => {
    const record = await critical({ status: 'preliminary' });
    const [task] = await tasksOf(patient);

    expect(await toldTasks(patient)).toEqual([`critical-result requested ${orderer.name}`]);
    expect(task).toMatchObject({
      priority: 'stat',
      focus: { reference: referenceTo(record) },
      requester: { reference: lab.name },
      restriction: { period: { end: new Date(now + 30 * 60_000).toISOString() } },
    });
    expect(JSON.stringify(task)).not.toMatch(/7\.1|otassium|2823/);

    expect((await again(record, { status: 'final' }, lab)).status).toBe(200);
    expect(await toldTasks(patient)).toEqual([`critical-result requested ${orderer.name}`]);
  });

  it('comes to the general practitioner without an order, and to the pool where there is none', async () => {
    patient = await create(server, patientBody({ generalPractitioner: [{ reference: colleague.name }] }));
    await observe(patient, {
      effectiveDateTime: new Date(now).toISOString(),
      ...potassium(4),
      interpretation: calledBy('AA'),
    });
    const other = await create(server, patientBody());
    await observe(other, { ...potassium(2_000, 'umol/L'), effectiveDateTime: new Date(now).toISOString() }, lab);

    expect(await toldTasks(patient)).toEqual([`critical-result requested ${colleague.name}`]);
    expect(await toldTasks(other)).toEqual(['critical-result requested pool']);
  });

  it('costs one read of its order more, and other results nothing', async () => {
    const basedOn = [{ reference: referenceTo(await ordered()) }];
    const cost = async (value: number) => {
      server.calls.reset();
      await observe(patient, { ...potassium(value), effectiveDateTime: new Date(now).toISOString(), basedOn }, lab);
      return server.calls.names.filter((name) => name !== 'Query');
    };

    expect(await cost(4)).toEqual(['TransactWriteItems']);
    expect(await cost(7)).toEqual(['BatchGetItem', 'TransactWriteItems']);
  });

  it('is not raised by what was reported long ago, or is no result any more', async () => {
    await critical({ effectiveDateTime: '2011-02-03' });
    await critical({ status: 'entered-in-error' });
    await critical({ ...potassium(4) });

    expect(await toldTasks(patient)).toEqual([]);
  });

  it('comes with a whole transaction, by the order of its report', async () => {
    const order = referenceTo(await ordered());
    const urn = 'urn:uuid:0b9b2f0e-1c1e-4b4e-9d6b-0a54d1f1b0c1';
    const report: fhir4.DiagnosticReport = {
      resourceType: 'DiagnosticReport',
      status: 'preliminary',
      code: { text: 'Electrolytes' },
      subject: { reference: referenceTo(patient) },
      basedOn: [{ reference: order }],
      result: [{ reference: urn }],
    };
    const result = {
      resourceType: 'Observation',
      status: 'preliminary',
      subject: { reference: referenceTo(patient) },
      ...potassium(7.4),
    } as fhir4.Observation;
    const { status } = await server.post(
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          { fullUrl: urn, resource: result, request: { method: 'POST', url: 'Observation' } },
          { resource: report, request: { method: 'POST', url: 'DiagnosticReport' } },
        ],
      } as fhir4.Bundle,
      { as: lab },
    );

    expect(status).toBe(200);
    expect(await toldTasks(patient)).toEqual([`critical-result requested ${orderer.name}`]);
  });

  it('escalates by the clock: who has ordered it, who covers, then the whole organisation', async () => {
    await critical();
    const [task] = await tasksOf(patient);
    const nurse = await person('nurse');
    const sees = async (as: TestCaller): Promise<boolean> =>
      matchesIn((await server.get('Task/$inbox?_count=100', { as })).body).some(({ id }) => id === task?.id);
    const seen = () => Promise.all([orderer, colleague, nurse].map(sees));

    expect(await seen()).toEqual([true, false, false]);
    server.setTime(now + 31 * 60_000);
    expect(await seen()).toEqual([true, true, false]);
    expect((await server.post(`Task/${task?.id}/$claim`, { resourceType: 'Parameters' }, { as: nurse })).status).toBe(
      409,
    );
    server.setTime(now + 61 * 60_000);
    expect(await seen()).toEqual([true, true, true]);
    expect((await server.post(`Task/${task?.id}/$claim`, { resourceType: 'Parameters' }, { as: nurse })).status).toBe(
      200,
    );
  });

  it('is acknowledged by who reads it back, and by nothing else', async () => {
    const record = await critical();
    const [task] = await tasksOf(patient);
    for (const changed of [
      { status: 'completed' },
      { status: 'cancelled' },
      { code: { text: 'Done' } },
    ] as Partial<fhir4.Task>[]) {
      const { status, body } = await server.put(`Task/${task?.id}`, { ...task, ...changed } as fhir4.Task, {
        as: orderer,
      });
      expect([status, codesOf(body)]).toEqual([422, ['critical-stays']]);
    }
    expect((await server.delete(`Task/${task?.id}`, { as: orderer })).status).toBe(422);

    const by = { name: 'by', valueReference: { reference: orderer.name } };
    for (const wrong of ['1.7', '7.1 mg/dL', '>7.1', 'seven'])
      expect(codesOf((await acknowledge(task, readBack(wrong), orderer)).body)).toEqual(['read-back-differs']);
    expect((await acknowledge(task, readBack('7.1'), lab)).status).toBe(400);
    expect((await acknowledge(task, [...readBack('7.1'), by], { role: 'frontdesk' })).status).toBe(403);

    const nobody = { name: 'by', valueReference: { reference: 'Practitioner/nobody' } };
    expect((await acknowledge(task, [...readBack('7.1'), nobody], lab)).status).toBe(400);
    const { status, body } = await acknowledge(task, [...readBack('7,10 mmol/l'), by], lab);
    expect([status, body['status']]).toEqual([200, 'completed']);
    const { output = [] } = body as unknown as fhir4.Task;
    expect(output.map(({ type, valueReference }) => [type.coding?.[0]?.code, valueReference?.reference])).toEqual([
      ['read-back', `${referenceTo(record)}/_history/1`],
      ['acknowledged-by', orderer.name],
      ['acknowledged-at', undefined],
    ]);
    expect(JSON.stringify(body)).not.toContain('7.1');
    const { status: later, body: refused } = await server.put(
      `Task/${task?.id}`,
      { ...(body as unknown as fhir4.Task), status: 'in-progress', statusReason: { text: 'Again' } },
      { as: orderer },
    );
    expect([later, codesOf(refused)]).toEqual([422, ['critical-stays']]);
  });

  it('is cancelled by a correction that is critical no more, and opened by one that is', async () => {
    const record = await critical();
    const corrected = await again(record, { ...potassium(4.1), status: 'corrected' }, lab);
    expect(corrected.status).toBe(200);
    const [cancelled] = await tasksOf(patient);
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      statusReason: { text: expect.stringContaining('critical no more') },
      input: [{ valueReference: { reference: `${referenceTo(record)}/_history/1` } }],
    });

    await again(corrected.body as unknown as typeof record, { ...potassium(7.7), status: 'corrected' }, lab);
    expect(await toldTasks(patient)).toEqual([
      `critical-result cancelled ${orderer.name}`,
      `critical-result requested ${orderer.name}`,
    ]);
  });

  it('that is acknowledged and changes is acknowledged anew, or reviewed again by who did', async () => {
    const record = await critical();
    const [task] = await tasksOf(patient);
    const first = await acknowledge(task, readBack('7.1'), colleague);
    expect(first.status, first.text).toBe(200);

    const second = await again(record, { ...potassium(7.3), status: 'corrected' }, lab);
    expect(await toldTasks(patient)).toEqual([
      `critical-result completed ${orderer.name}`,
      `critical-result requested ${orderer.name}`,
      `review-result requested ${colleague.name}`,
    ]);
    await again(second.body as unknown as typeof record, { status: 'entered-in-error' }, lab);
    expect(await toldTasks(patient)).toEqual([
      `critical-result cancelled ${orderer.name}`,
      `critical-result completed ${orderer.name}`,
      `review-result requested ${colleague.name}`,
    ]);
  });

  it('goes by the limits and times of the network where it says them', async () => {
    const other = await fhirServer(undefined, {
      criticalResults: { acknowledgeMinutes: 5, limits: [{ codes: '2823-3', unit: 'mmol/L', high: 5, source: 'own' }] },
    });
    other.setTime(now);
    const own = await create(other, patientBody());
    const body = {
      resourceType: 'Observation',
      status: 'final',
      subject: { reference: referenceTo(own) },
    } as fhir4.Observation;
    await create(other, { ...body, ...potassium(5.1) });
    await create(other, { ...body, ...potassium(2) });

    const tasks = matchesIn((await other.get(`Task?patient=${own.id}`)).body) as unknown as fhir4.Task[];
    expect(tasks.map(({ restriction }) => restriction?.period?.end)).toEqual([
      new Date(now + 5 * 60_000).toISOString(),
    ]);
  });
});

describe('a result that was reviewed', () => {
  let reader: Awaited<ReturnType<typeof person>>;
  let patient: Stored<fhir4.Patient>;
  let result: Stored<fhir4.Observation>;
  let report: Stored<fhir4.DiagnosticReport>;
  beforeAll(async () => {
    reader = await person('physician');
  });
  beforeEach(async () => {
    patient = await create(server, patientBody());
    result = await observe(patient, potassium(4.1));
    report = await create(server, {
      resourceType: 'DiagnosticReport',
      status: 'final',
      code: { text: 'Electrolytes' },
      subject: { reference: referenceTo(patient) },
      result: [{ reference: referenceTo(result) }],
    } as fhir4.DiagnosticReport);
  });
  const review = (of: Stored<fhir4.Resource>, as: TestCaller = reader) =>
    server.post(`${pathOf(of)}/$review`, { resourceType: 'Parameters' }, { as });

  it('opens a Task for who has reviewed its report, that names the earlier version and nothing of it', async () => {
    expect((await review(report)).body).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: `${referenceTo(report)}/_history/1` } }],
    });
    await again(result, { ...potassium(5.2), status: 'corrected' });

    const [open] = (await tasksOf(patient)).filter(({ status }) => status === 'requested');
    expect(open).toMatchObject({
      code: { coding: [{ code: 'review-result' }] },
      focus: { reference: referenceTo(report) },
      owner: { reference: reader.name },
      input: [{ valueReference: { reference: `${referenceTo(result)}/_history/1` } }],
    });
    expect(JSON.stringify(open)).not.toMatch(/4\.1|5\.2|otassium/);
    expect((await server.get(`${pathOf(result)}/_history/1`)).body).toMatchObject({ valueQuantity: { value: 4.1 } });

    expect((await review(report)).body).toMatchObject({ id: open?.id, status: 'completed' });
  });

  it('tells a Task that is still open, and opens none besides', async () => {
    await review(result);
    const second = await again(result, { ...potassium(5.2), status: 'corrected' });
    await again(second.body as unknown as typeof result, { ...potassium(5.3), status: 'corrected' });

    const open = (await tasksOf(patient)).filter(({ status }) => status === 'requested');
    expect(open.map(({ input }) => input?.map(({ valueReference }) => valueReference?.reference))).toEqual([
      [`${referenceTo(result)}/_history/1`, `${referenceTo(result)}/_history/2`],
    ]);
  });

  it('is told to who has signed the report, and to nobody who has not read it', async () => {
    expect((await server.post(`${pathOf(report)}/$sign`, { resourceType: 'Parameters' }, { as: reader })).status).toBe(
      200,
    );
    await again(result, { ...potassium(5.2), status: 'amended' });

    expect(await toldTasks(patient)).toEqual([`review-result requested ${reader.name}`]);
  });

  it('takes one look at the chart more where it changes, and none where it does not', async () => {
    const cost = async (elements: Partial<fhir4.Observation>) => {
      const { body } = await server.get(pathOf(result));
      server.calls.reset();
      await again(body as unknown as typeof result, elements);
      return [[...server.calls.names].sort().join(' '), server.calls.sequential()];
    };

    expect(await cost({ note: [{ text: 'Sent again' }] })).toEqual(['GetItem TransactWriteItems', 2]);
    expect(await cost({ ...potassium(5.2), status: 'corrected' })).toEqual([
      'GetItem GetItem GetItem Query Query TransactWriteItems',
      4,
    ]);
  });

  it('calls for nothing where it says the same, was not reviewed, or is changed by who reviewed it', async () => {
    await again(result, { note: [{ text: 'Sent again' }] });
    expect(await toldTasks(patient)).toEqual([]);

    await review(result);
    const { body } = await server.get(pathOf(result));
    await again(body as unknown as typeof result, { ...potassium(4.2), status: 'corrected' }, reader);
    expect(await toldTasks(patient)).toEqual([`review-result completed ${reader.name}`]);
  });

  it('is reviewed in the version that was seen, by physicians and nurses', async () => {
    await again(result, potassium(5));
    const seen = await server.post(
      `${pathOf(result)}/$review`,
      { resourceType: 'Parameters' },
      { as: reader, headers: { 'if-match': 'W/"1"' } },
    );

    expect([seen.status, (await review(result, await person('lab'))).status]).toEqual([412, 403]);
    expect((await review(result, elsewhere)).status).toBe(404);
    const vital = await observe(patient, { ...potassium(4), category: [{ coding: [{ code: 'vital-signs' }] }] });
    expect(codesOf((await review(vital)).body)).toEqual(['not-reviewable']);
  });
});

describe('a value without an interpretation', () => {
  const range = [{ low: { value: 3.5 }, high: { value: 5.1 } }];
  const interpretationsOf = (body: unknown) =>
    ((body as fhir4.Observation).interpretation ?? []).map(({ coding, extension }) => [
      coding?.[0]?.code,
      extension?.[0]?.valueCode,
    ]);

  it('has what its laboratory’s own range says, marked as reckoned, by one call', async () => {
    const patient = await create(server, patientBody());
    server.calls.reset();
    const record = await observe(patient, { ...potassium(5.9), referenceRange: range });

    expect(server.calls.names).toEqual(['TransactWriteItems']);
    expect(interpretationsOf(record)).toEqual([['H', 'reference-range']]);
    const { body } = await again(record, potassium(4));
    expect(interpretationsOf(body)).toEqual([['N', 'reference-range']]);
    const own = await again(body as unknown as typeof record, { interpretation: calledBy('A') });
    expect(interpretationsOf(own.body)).toEqual([['A', undefined]]);
  });

  it('keeps what its laboratory says, and all else as it was sent', async () => {
    const patient = await create(server, patientBody());
    const sent = { ...potassium(5.9), referenceRange: range, interpretation: calledBy('N') };

    expect(interpretationsOf(await observe(patient, sent))).toEqual([['N', undefined]]);
    const plain = await observe(patient, potassium(4));
    expect(Object.keys(plain).sort()).toEqual(
      ['code', 'effectiveDateTime', 'id', 'meta', 'resourceType', 'status', 'subject', 'valueQuantity'].sort(),
    );
    expect(plain.meta?.tag).toBeUndefined();
  });

  it('goes by the sex for clinical use and the age, in one transaction with the patient too', async () => {
    const urn = 'urn:uuid:0b9b2f0e-1c1e-4b4e-9d6b-0a54d1f1b0c2';
    const male = { coding: [{ system: 'http://snomed.info/sct', code: '248153007' }] };
    const body = {
      resourceType: 'Observation',
      status: 'final',
      subject: { reference: urn },
      effectiveDateTime: '2026-02-03',
      code: loinc('718-7'),
      component: [
        {
          code: loinc('718-7'),
          valueQuantity: { value: 12.5, system: ucum, code: 'g/dL' },
          referenceRange: [
            {
              low: { value: 130, system: ucum, code: 'g/L' },
              appliesTo: [male],
              age: { low: { value: 18, system: ucum, code: 'a' } },
            },
          ],
        },
      ],
    } as fhir4.Observation;
    const value = {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use', code: 'male-typical' },
      ],
    };
    const sexed = {
      url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
      extension: [{ url: 'value', valueCodeableConcept: value }],
    };
    const person = patientBody({ gender: 'female', birthDate: '1980-01-02', extension: [sexed] });
    const entry = [
      { fullUrl: urn, resource: person, request: { method: 'POST', url: 'Patient' } },
      { resource: body, request: { method: 'POST', url: 'Observation' } },
    ];
    const { body: answer } = await server.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry,
    } as fhir4.Bundle);
    const id = /Patient\/([^/]+)/.exec((answer as unknown as fhir4.Bundle).entry?.[0]?.response?.location ?? '')?.[1];

    const [found] = matchesIn((await server.get(`Observation?patient=${id}`)).body) as unknown as fhir4.Observation[];
    expect(interpretationsOf(found?.component?.[0])).toEqual([['L', 'reference-range']]);
    const later = await observe({ id: String(id) }, { ...body, subject: { reference: `Patient/${id}` } });
    expect(interpretationsOf(later.component?.[0])).toEqual([['L', 'reference-range']]);
  });

  it('is flagged where its unit is none of UCUM’s, kept as it is, and flagged no more once it is', async () => {
    const patient = await create(server, patientBody());
    const tags = (body: unknown) => ((body as fhir4.Observation).meta?.tag ?? []).map(({ code }) => code);
    const valueQuantity = { value: 4, unit: 'mEq/L' };
    const record = await observe(patient, { valueQuantity });

    expect([tags(record), record.valueQuantity]).toEqual([['unit-not-ucum'], valueQuantity]);
    expect(tags(await observe(patient, { valueQuantity: { value: 4, system: ucum, code: 'mEq/L' } }))).toEqual([
      'unit-not-ucum',
    ]);
    expect(tags((await again(record, potassium(4, 'meq/L'))).body)).toEqual([]);
  });
});
