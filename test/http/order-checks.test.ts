import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtInPack } from '../../shared/order-checks/built-in.ts';
import type { TestCaller } from '../support/callers.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  observationBody,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// What is known of a patient speaks before an order is signed, and about orders from elsewhere as they are written. What each rule says is
// compared with its source in test/unit; here it has to reach who signs.

type Order = fhir4.MedicationRequest;

const rxnorm = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }],
});
const amoxicillin = rxnorm('723');
const warfarin = rxnorm('11289');
const aspirin = rxnorm('1191');
const reason = 'The patient took it for years without harm';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;

/** What happens once, before the request that runs in this context commits. */
const meanwhile = new AsyncLocalStorage<{ happens: (() => Promise<unknown>) | undefined }>();
const whileAsked = <T>(ask: () => Promise<T>, happens: () => Promise<unknown>): Promise<T> =>
  meanwhile.run({ happens }, ask);

beforeAll(async () => {
  server = await fhirServer();
  server.store.client.middlewareStack.add(
    (next) => async (args) => {
      const state = meanwhile.getStore();
      if (state?.happens && 'TransactItems' in args.input) {
        const { happens } = state;
        state.happens = undefined;
        await meanwhile.exit(happens);
      }
      return next(args);
    },
    { step: 'initialize', name: 'meanwhile', priority: 'high' },
  );
  prescriber = await prescriberOf(server);
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const orderOf = (medicationCodeableConcept: fhir4.CodeableConcept, elements: Partial<Order> = {}): Order => ({
  resourceType: 'MedicationRequest',
  status: 'draft',
  intent: 'order',
  medicationCodeableConcept,
  subject: { reference: referenceTo(patient) },
  ...elements,
});
const allergyTo = (code: fhir4.CodeableConcept, elements: Partial<fhir4.AllergyIntolerance> = {}) => ({
  resourceType: 'AllergyIntolerance' as const,
  clinicalStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
  },
  code,
  patient: { reference: referenceTo(patient) },
  ...elements,
});
const draft = (medicine: fhir4.CodeableConcept, elements: Partial<Order> = {}) =>
  create(server, orderOf(medicine, elements), prescriber);
const sign = (order: Stored<Order>, overrideReason?: string, headers: Record<string, string> = {}) =>
  server.request('POST', `${pathOf(order)}/$sign`, {
    as: prescriber,
    headers,
    body: {
      resourceType: 'Parameters',
      parameter: overrideReason === undefined ? [] : [{ name: 'overrideReason', valueString: overrideReason }],
    },
  });
const found = async <R extends fhir4.FhirResource>(type: R['resourceType']): Promise<R[]> =>
  resourcesIn((await server.get(`${type}?patient=${referenceTo(patient)}`)).body) as unknown as R[];
const issuesIn = ({ body }: { body: unknown }) =>
  (body as fhir4.OperationOutcome).issue.map(({ details, extension = [] }) => ({
    code: details?.coding?.[0]?.code,
    ...Object.fromEntries(
      (extension[0]?.extension ?? []).map(({ url, valueCode, valueReference }) => [
        url,
        valueCode ?? valueReference?.reference,
      ]),
    ),
  }));

describe('signing an order', () => {
  it('is stopped by an allergy, told with its code, its severity and the record that clashes', async () => {
    const allergy = await create(server, allergyTo(amoxicillin));
    const order = await draft(amoxicillin);

    const answer = await sign(order);

    expect(answer.status).toBe(422);
    expect(issuesIn(answer)).toMatchObject([
      { code: 'allergy-same', severity: 'contraindicated', record: referenceTo(allergy) },
    ]);
    const [issue] = (answer.body as unknown as fhir4.OperationOutcome).issue;
    expect(issue?.details?.coding?.[0]?.code).toBe('order-check');
    expect(issue?.details?.text).toContain(referenceTo(allergy));
    expect((await server.get(pathOf(order))).body).toMatchObject({ status: 'draft' });
    expect(await found('DetectedIssue')).toEqual([]);
  });

  it('goes on for a reason, which is kept with each finding in the same transaction', async () => {
    const allergy = await create(server, allergyTo(amoxicillin));
    const order = await draft(amoxicillin);

    const short = await sign(order, 'because');
    const answer = await sign(order, reason);

    expect([short.status, answer.status]).toEqual([400, 200]);
    expect(answer.body).toMatchObject({ status: 'active' });
    expect(await found<fhir4.DetectedIssue>('DetectedIssue')).toMatchObject([
      {
        status: 'final',
        severity: 'high',
        implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(allergy) }],
        mitigation: [{ action: { text: reason }, author: { reference: prescriber.claims?.['fhirUser'] } }],
      },
    ]);
  });

  it('is stopped by what the patient takes, ordered here or told of, until that is over', async () => {
    const statement = await create(server, {
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: warfarin,
      subject: { reference: referenceTo(patient) },
    });
    const order = await draft(aspirin);
    const stopped = await sign(order);
    await server.put(pathOf(statement), { ...statement, status: 'stopped' }, {});
    const after = await sign(order);

    expect([stopped.status, after.status]).toEqual([422, 200]);
    expect(issuesIn(stopped)).toContainEqual(
      expect.objectContaining({ code: 'interaction', record: referenceTo(statement) }),
    );
  });

  it('knows a medicine by the Medication that it refers to', async () => {
    await create(server, allergyTo(amoxicillin));
    const medication = await create(server, { resourceType: 'Medication', code: amoxicillin }, admin);
    const { medicationCodeableConcept: _concept, ...order } = orderOf(amoxicillin);
    const byReference = await create(
      server,
      { ...order, medicationReference: { reference: referenceTo(medication) } } as Order,
      prescriber,
    );

    expect((await sign(byReference)).status).toBe(422);
  });

  it.each([
    ['its whole address', (name: string) => `${base}/${name}`],
    ['a version of it', (name: string) => `${name}/_history/1`],
  ])('knows a Medication by %s', async (_, addressOf) => {
    await create(server, allergyTo(amoxicillin));
    const medication = await create(server, { resourceType: 'Medication', code: amoxicillin }, admin);
    const { medicationCodeableConcept: _concept, ...order } = orderOf(amoxicillin);
    const reference = addressOf(referenceTo(medication));
    const byAddress = await create(server, { ...order, medicationReference: { reference } } as Order, prescriber);

    expect((await sign(byAddress)).status).toBe(422);
  });

  it('not to give a medicine is what an allergy calls for, and stopped by none', async () => {
    await create(server, allergyTo(amoxicillin));
    const answer = await sign(await draft(amoxicillin, { doNotPerform: true }));
    await create(server, orderOf(amoxicillin, { status: 'active', doNotPerform: true }), system);

    expect(answer.status).toBe(200);
    expect(await found('DetectedIssue')).toEqual([]);
  });

  it('stops what it replaces where that is of unknown state', async () => {
    const prior = await create(server, orderOf(warfarin, { status: 'unknown' }), system);
    const order = await draft(aspirin, { priorPrescription: { reference: `${base}/${referenceTo(prior)}` } });

    expect((await sign(order)).status).toBe(200);
    expect((await server.get(pathOf(prior))).body).toMatchObject({ status: 'stopped' });
  });

  it('is stopped by what it is to replace where that goes on, in a chart merged with this', async () => {
    const other = await create(server, patientBody());
    const prior = await create(
      server,
      { ...orderOf(warfarin, { status: 'active' }), subject: { reference: referenceTo(other) } },
      system,
    );
    await server.post(`${pathOf(patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
    } as unknown as TestBody);
    const order = await draft(aspirin, { priorPrescription: { reference: referenceTo(prior) } });

    expect((await sign(order)).status).toBe(422);
    expect((await server.get(pathOf(prior))).body).toMatchObject({ status: 'active' });
  });

  it('is not stopped by what was refuted, or entered in error', async () => {
    const verification = (code: string) => ({
      verificationStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code }],
      },
    });
    await create(server, allergyTo(amoxicillin, verification('refuted')));
    const { clinicalStatus: _status, ...wrong } = allergyTo(amoxicillin, verification('entered-in-error'));
    await create(server, wrong);

    expect((await sign(await draft(amoxicillin))).status).toBe(200);
  });

  it('says what was not checked, in the same words for a medicine that nobody knows', async () => {
    const order = await draft({ text: 'The blue pill' });

    const answer = await sign(order, undefined, { prefer: 'return=OperationOutcome' });

    expect(answer.status).toBe(200);
    const said = (answer.body as unknown as fhir4.OperationOutcome).issue.map(({ details }) => details?.text);
    expect(said).toContain(
      'drug-allergy: Not checked: the medicine that is ordered, or a part of it, is not known to the pack.',
    );
    expect(said).toContain(
      'drug-allergy: Records that are elsewhere, or not for the reader of this, were not looked at.',
    );
  });

  it('tells of a moderate finding beside the order, and does not stop for it', async () => {
    await create(server, allergyTo(amoxicillin));
    const cefazolin = await draft(rxnorm('2180'));

    const answer = await sign(cefazolin, undefined, { prefer: 'return=OperationOutcome' });

    const issues = (answer.body as unknown as fhir4.OperationOutcome).issue;
    expect([answer.status, issues.some(({ severity }) => severity === 'warning')]).toEqual([200, true]);
  });

  it('knows nothing of what another organisation keeps and does not share', async () => {
    const elsewhere: TestCaller = { role: 'physician', organization: 'lakeside' };
    const theirs = await create(server, patientBody(), elsewhere);
    await create(server, { ...allergyTo(amoxicillin), patient: { reference: referenceTo(theirs) } }, elsewhere);

    expect((await sign(await draft(amoxicillin))).status).toBe(200);
  });

  it('takes two sequential calls where nothing is found, and leaves its trace in the commit', async () => {
    const order = await draft(warfarin);
    await create(server, allergyTo(aspirin));
    server.calls.reset();
    const answer = await sign(order);

    expect(answer.status).toBe(200);
    expect(server.calls.sequential()).toBe(2);
  });
});

describe('an order that is in force elsewhere', () => {
  it('is stored, with a clash as a DetectedIssue and a Task for the prescribers', async () => {
    const allergy = await create(server, allergyTo(amoxicillin));
    const order = await create(server, orderOf(amoxicillin, { status: 'active' }), system);

    const [issue] = await found<fhir4.DetectedIssue>('DetectedIssue');
    expect(issue).toMatchObject({
      implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(allergy) }],
    });
    expect(issue?.mitigation).toBeUndefined();
    expect(await found<fhir4.Task>('Task')).toMatchObject([
      { status: 'requested', focus: { reference: referenceTo(order) }, priority: 'urgent' },
    ]);
  });

  it('tells of a clash under the labels of what it names, and of what that is by its codes', async () => {
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }];
    await create(server, {
      resourceType: 'MedicationStatement',
      status: 'active',
      meta: { security },
      medicationCodeableConcept: rxnorm('85762'), // ritonavir
      subject: { reference: referenceTo(patient) },
    });
    await create(server, orderOf(rxnorm('36567'), { status: 'active' }), system); // simvastatin

    const [issue] = await found<fhir4.DetectedIssue>('DetectedIssue');
    expect(issue?.meta?.security?.map(({ code }) => code)).toEqual(['R', 'HIV']);
  });

  it('tells nobody of a psychotherapy note', async () => {
    await create(server, orderOf(aspirin, { status: 'active' }), system);
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }];
    await create(
      server,
      {
        resourceType: 'MedicationStatement',
        status: 'active',
        meta: { security },
        medicationCodeableConcept: warfarin,
        subject: { reference: referenceTo(patient) },
      },
      prescriber,
    );

    expect([await found('DetectedIssue'), await found('Task')]).toEqual([[], []]);
  });

  it('is checked with what comes in the same transaction, in any order', async () => {
    const entries = [orderOf(amoxicillin, { status: 'active' }), allergyTo(amoxicillin)].map((resource) => ({
      resource,
      request: { method: 'POST', url: resource.resourceType },
    }));
    const answer = await server.post(
      '',
      { resourceType: 'Bundle', type: 'transaction', entry: entries } as unknown as TestBody,
      { as: system },
    );

    expect(answer.status).toBe(200);
    expect(await found('DetectedIssue')).toHaveLength(1);
  });

  it('tells of a medicine once, however many records there are of it', async () => {
    const five = Array.from({ length: 5 }, () => [warfarin, aspirin]).flat();
    const entry = five.map((medicine) => ({
      resource: orderOf(medicine, { status: 'active' }),
      request: { method: 'POST', url: 'MedicationRequest' },
    }));
    await server.post('', { resourceType: 'Bundle', type: 'transaction', entry } as unknown as TestBody, {
      as: system,
    });

    expect(await found('DetectedIssue')).toHaveLength(10);
    expect(await found('Task')).toHaveLength(10);
  });

  it('brings nothing where nothing clashes, nor once more when it is written again', async () => {
    const order = await create(server, orderOf(warfarin, { status: 'active' }), system);
    await create(server, allergyTo(amoxicillin));
    expect(await found('DetectedIssue')).toEqual([]);

    const second = await create(server, orderOf(amoxicillin, { status: 'active' }), system);
    await server.put(
      pathOf(second),
      { ...second, status: 'on-hold', statusReason: { text: 'Surgery' } },
      { as: system },
    );

    expect(await found('DetectedIssue')).toHaveLength(1);
    expect((await server.get(pathOf(order))).status).toBe(200);
  });
});

describe('an order in force', () => {
  it('is checked again when an allergy is recorded', async () => {
    const order = await draft(amoxicillin);
    expect((await sign(order)).status).toBe(200);
    const allergy = await create(server, allergyTo(amoxicillin));
    await server.put(pathOf(allergy), { ...allergy, note: [{ text: 'seen again' }] }, {});

    expect(await found<fhir4.DetectedIssue>('DetectedIssue')).toMatchObject([
      { implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(allergy) }] },
    ]);
    expect(await found('Task')).toHaveLength(1);
  });

  it('is checked again when an allergy turns out to be grave', async () => {
    const allergy = await create(server, allergyTo(amoxicillin, { criticality: 'low' }));
    expect((await sign(await draft(rxnorm('2180')))).status).toBe(200); // cefazolin
    await server.put(pathOf(allergy), { ...allergy, criticality: 'high' }, {});

    expect(await found('DetectedIssue')).toHaveLength(1);
  });

  it('is checked again when somebody is said to take another medicine', async () => {
    const order = await draft(warfarin);
    await sign(order);
    const statement = await create(server, {
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: aspirin,
      subject: { reference: referenceTo(patient) },
    });

    expect(await found<fhir4.DetectedIssue>('DetectedIssue')).toMatchObject([
      { implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(statement) }] },
    ]);
  });

  const metformin = rxnorm('6809');
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  /** @param value - mL/min/1.73 m². */
  const egfr = (value: number, hours: number, elements: Partial<fhir4.Observation> = {}) =>
    create(
      server,
      observationBody(referenceTo(patient), {
        code: { coding: [{ system: 'http://loinc.org', code: '98979-8' }] },
        effectiveDateTime: hoursAgo(hours),
        valueQuantity: {
          value,
          unit: 'mL/min/{1.73_m2}',
          system: 'http://unitsofmeasure.org',
          code: 'mL/min/{1.73_m2}',
        },
        ...elements,
      }),
    );

  it('is checked again when a result tells of the kidneys, with the source of its rule and the edition of the pack', async () => {
    const order = await draft(metformin);
    await sign(order);
    await egfr(70, 48);
    expect(await found('DetectedIssue')).toEqual([]);
    const result = await egfr(25, 24);

    const [issue, ...others] = await found<fhir4.DetectedIssue>('DetectedIssue');
    expect(others).toEqual([]);
    expect(issue).toMatchObject({
      severity: 'high',
      implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(result) }],
    });
    expect(issue?.extension?.[0]?.extension?.map(({ url }) => url)).toEqual([
      'code',
      'severity',
      'record',
      'rule',
      'source',
      'sourceTitle',
      'sourcePlace',
      'edition',
    ]);
    expect(issue?.extension?.[0]?.extension?.at(-1)?.valueString).toBe((await builtInPack()).edition);
    expect(await found('Task')).toHaveLength(1);
  });

  it('is checked again when a result is corrected, or tells of a pregnancy', async () => {
    await sign(await draft(metformin));
    await sign(await draft(rxnorm('6851'))); // methotrexate
    const wrong = await egfr(70, 24);
    await server.put(
      pathOf(wrong),
      { ...wrong, status: 'corrected', valueQuantity: { ...wrong.valueQuantity, value: 20 } },
      {},
    );
    const pregnancy = await create(
      server,
      observationBody(referenceTo(patient), {
        code: { coding: [{ system: 'http://loinc.org', code: '82810-3' }] },
        effectiveDateTime: hoursAgo(1),
        valueQuantity: undefined as never,
        valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '77386006' }] },
      }),
    );

    const told = (await found<fhir4.DetectedIssue>('DetectedIssue')).map(
      ({ implicated }) => implicated?.[1]?.reference,
    );
    expect(told).toEqual(expect.arrayContaining([referenceTo(wrong), referenceTo(pregnancy)]));
  });

  it('is not told of once more by a result that says what the last one did, unless nobody was told', async () => {
    await sign(await draft(metformin));
    await egfr(25, 96);
    await egfr(24, 72);
    await egfr(70, 40); // of another day: of one day, the lowest counts
    expect(await found('Task')).toHaveLength(1);
    await egfr(22, 6);
    expect(await found('Task')).toHaveLength(2);
    for (const each of await found<Stored<fhir4.DetectedIssue>>('DetectedIssue'))
      await server.put(pathOf(each), { ...each, status: 'entered-in-error' }, {});
    await egfr(21, 3);

    expect(await found('Task')).toHaveLength(3);
  });

  it('costs other results no call, and those that are no news neither', async () => {
    await sign(await draft(metformin));
    const old = await egfr(70, 24);
    server.calls.reset();
    await create(server, observationBody(referenceTo(patient)));
    const other = server.calls.sequential();
    server.calls.reset();
    await server.put(pathOf(old), { ...old, note: [{ text: 'Seen' }] }, {});

    expect([other, server.calls.sequential()]).toEqual([1, 2]);
  });

  it('is left alone once it is over', async () => {
    const order = await draft(amoxicillin);
    await sign(order);
    const { body } = await server.get(pathOf(order));
    await server.put(pathOf(order), { ...(body as unknown as Order), status: 'completed' } as unknown as TestBody, {
      as: prescriber,
    });
    await create(server, allergyTo(amoxicillin));

    expect(await found('DetectedIssue')).toEqual([]);
  });
});

describe('an order and an allergy that are written at once', () => {
  it('meet: the order is refused where the allergy comes first', async () => {
    const order = await draft(amoxicillin);

    const answer = await whileAsked(
      () => sign(order),
      () => create(server, allergyTo(amoxicillin)),
    );

    expect(answer.status).toBe(422);
    expect((await server.get(pathOf(order))).body).toMatchObject({ status: 'draft' });
  });

  it('meet: the clash is told where the order comes first', async () => {
    const order = await draft(amoxicillin);
    await whileAsked(
      () => create(server, allergyTo(amoxicillin)),
      () => sign(order),
    );

    expect((await server.get(pathOf(order))).body).toMatchObject({ status: 'active' });
    expect(await found('DetectedIssue')).toHaveLength(1);
  });
});
