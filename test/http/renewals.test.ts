import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Whoever needs more of a medicine asks by a Task; who prescribes orders it once more, or says why not.

type Order = fhir4.MedicationRequest;

const because = { statusReason: { text: 'Come and see me first' } };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;
let colleague: TestCaller;

const nameOf = ({ claims }: TestCaller): string => String(claims?.['fhirUser']);

beforeAll(async () => {
  server = await fhirServer();
  prescriber = await prescriberOf(server);
  colleague = await prescriberOf(server);
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const orderBody = (elements: Partial<Order> = {}): Order => ({
  resourceType: 'MedicationRequest',
  status: 'draft',
  intent: 'order',
  medicationCodeableConcept: { text: 'Amoxicillin' },
  subject: { reference: referenceTo(patient) },
  dosageInstruction: [{ text: 'one, three times a day', doseAndRate: [{ doseQuantity: { value: 500, unit: 'mg' } }] }],
  dispenseRequest: { numberOfRepeatsAllowed: 1, validityPeriod: { end: '2026-01-31' } },
  ...elements,
});
const ask = (path: string, parameter: fhir4.ParametersParameter[], as: TestCaller) =>
  server.post(path, { resourceType: 'Parameters', parameter } as unknown as TestBody, { as });
const signed = async (elements: Partial<Order> = {}) => {
  const draft = await create(server, orderBody(elements), prescriber);
  const { status, body } = await ask(`${pathOf(draft)}/$sign`, [], prescriber);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as Stored<Order>;
};
const requestBody = (elements: Partial<fhir4.Task> = {}): fhir4.Task => ({
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  code: { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'renew-order' }] },
  for: { reference: referenceTo(patient) },
  performerType: [{ coding: [{ system: 'http://snomed.info/sct', code: '309343006' }] }],
  ...elements,
});
interface Renewing {
  readonly task?: Stored<fhir4.Task>;
  readonly order?: Partial<Order>;
  readonly overrideReason?: string;
  readonly as?: TestCaller;
}
const renew = (prior: Stored<Order>, { task, order, overrideReason, as = prescriber }: Renewing = {}) =>
  ask(
    `${pathOf(prior)}/$renew`,
    [
      ...(task ? [{ name: 'task', valueReference: { reference: referenceTo(task) } }] : []),
      ...(order ? [{ name: 'order', resource: orderBody(order) as fhir4.FhirResource }] : []),
      ...(overrideReason === undefined ? [] : [{ name: 'overrideReason', valueString: overrideReason }]),
    ],
    as,
  );
const read = async <R extends fhir4.FhirResource>({ resourceType, id }: Stored<R>) =>
  (await server.get(`${resourceType}/${id}`)).body as unknown as Stored<R>;
const orders = async () =>
  resourcesIn((await server.get(`MedicationRequest?patient=${referenceTo(patient)}`)).body) as unknown as Order[];
const codeOf = ({ body }: { body: unknown }) => (body as fhir4.OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code;
const told = (answer: { status: number; body: unknown }) => [answer.status, codeOf(answer)];

describe('a renewal', () => {
  it('is a new order of the same, signed; the old one is over and the Task done, in two sequential calls', async () => {
    const prior = await signed();
    const task = await create(server, requestBody({ focus: { reference: referenceTo(prior) } }));
    server.calls.reset();
    const answer = await renew(prior, { task, as: colleague });
    const calls = server.calls.sequential();
    const order = answer.body as unknown as Stored<Order>;
    const { dosageInstruction, medicationCodeableConcept } = prior;

    expect(answer.status, JSON.stringify(order)).toBe(201);
    expect(calls).toBeLessThanOrEqual(2);
    expect(order).toMatchObject({
      status: 'active',
      requester: { reference: nameOf(colleague) },
      priorPrescription: { reference: referenceTo(prior) },
      dosageInstruction,
      medicationCodeableConcept,
      dispenseRequest: { numberOfRepeatsAllowed: 1 },
    });
    expect(order.dispenseRequest?.validityPeriod).toBeUndefined();
    expect(order.meta.tag).toBeUndefined();
    expect(order.meta.extension?.map(({ url }) => url.split('/').at(-1))).toEqual(['signature']);
    expect(await read(prior)).toMatchObject({
      status: 'completed',
      statusReason: { text: `Renewed as ${referenceTo(order)}` },
    });
    expect(await read(task)).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: referenceTo(order) } }],
    });
  });

  it('is asked for by patients, the pharmacy and the front desk, who name no order that they do not see', async () => {
    const own: TestCaller = { role: 'patient', patient: patient.id };
    const asking: [TestCaller, Partial<fhir4.Task>][] = [
      [own, { requester: { reference: referenceTo(patient) } }],
      [{ role: 'pharmacist' }, {}],
      [{ role: 'frontdesk' }, { description: 'Asks for more of the tablets' }],
    ];
    for (const [as, elements] of asking) {
      const prior = await signed();
      const focus = as.role === 'frontdesk' ? {} : { focus: { reference: referenceTo(prior) } };
      const task = await create(server, requestBody({ ...elements, ...focus }), as);
      const { status } = await renew(prior, { task });
      const { body } = await server.get(pathOf(task), { as });

      expect([status, body['status']]).toEqual([201, 'completed']);
    }
  });

  it('may be changed: the old one is stopped, and another dose is in force', async () => {
    const prior = await signed();
    const { status, body } = await renew(prior, { order: { dosageInstruction: [{ text: 'two' }] } });

    expect([status, body]).toMatchObject([201, { status: 'active', dosageInstruction: [{ text: 'two' }] }]);
    expect(await read(prior)).toMatchObject({ status: 'stopped' });
  });

  it('bears the labels of the old one, keeps what changes its meaning, and stands by itself', async () => {
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }];
    const modifierExtension = [{ url: 'https://northside.example/every-other-day', valueBoolean: true }];
    const about = (id: string, notes: string): fhir4.Condition => ({
      resourceType: 'Condition',
      id,
      code: { text: notes },
      subject: { reference: referenceTo(patient) },
    });
    const prior = await signed({
      meta: { security },
      modifierExtension,
      contained: [about('why', 'Otitis'), about('seen', 'Fever')],
      reasonReference: [{ reference: '#why' }],
      supportingInformation: [{ reference: '#seen' }],
    });
    const order = (await renew(prior)).body as unknown as Stored<Order>;
    const other = await signed({ meta: { security } });
    const changed = await renew(other, { order: { dosageInstruction: [{ text: 'two' }] } });
    const stopped = { ...order, status: 'stopped', statusReason: { text: 'It has helped' } } as unknown as TestBody;

    expect(order).toMatchObject({ meta: { security }, modifierExtension, contained: [{ id: 'why' }] });
    expect(changed.body).toMatchObject({ meta: { security } });
    expect(told(await server.put(pathOf(order), stopped, { as: prescriber }))).toEqual([200, undefined]);
  });

  it('goes on from what was used up, once', async () => {
    const prior = await signed();
    await server.put(pathOf(prior), { ...prior, status: 'completed' } as unknown as TestBody, { as: prescriber });

    expect(told(await renew(prior))).toEqual([201, undefined]);
    expect(told(await renew(prior, { as: colleague }))).toEqual([409, 'answered-already']);
  });

  it('is told again to who has made it, and to nobody else', async () => {
    const prior = await signed();
    const first = await renew(prior);
    const again = await renew(prior);
    const others = [await renew(prior, { as: colleague }), await renew(prior, { order: {} })];

    expect([again.status, again.body['id']]).toEqual([200, first.body['id']]);
    expect(others.map(told)).toEqual([
      [409, 'answered-already'],
      [409, 'answered-already'],
    ]);
    expect(await orders()).toHaveLength(2);
  });

  it('is one, of two physicians who make it at once', async () => {
    const prior = await signed();
    const task = await create(server, requestBody());
    const answers = await Promise.all([renew(prior, { task }), renew(prior, { task, as: colleague })]);

    expect(answers.map(told).sort()).toEqual([
      [201, undefined],
      [409, 'answered-already'],
    ]);
    expect((await orders()).map(({ status }) => status).sort()).toEqual(['active', 'completed']);
  });

  it('is checked like any order that is signed', async () => {
    const prior = await signed();
    await create(server, {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
      code: { text: 'Amoxicillin' },
      patient: { reference: referenceTo(patient) },
    } as fhir4.AllergyIntolerance);
    const answers = [
      await renew(prior),
      await renew(prior, { order: { medicationCodeableConcept: { text: 'Codeine' } } }),
      await renew(prior, { overrideReason: 'It was taken for years' }),
    ];

    expect(answers.map(told)).toEqual([
      [422, 'order-check'],
      [422, 'controlled-substance'],
      [201, undefined],
    ]);
  });

  it.each<[string, () => Promise<Stored<Order>>, string]>([
    ['nobody has signed', () => create(server, orderBody({ status: 'active' }), system), 'order-unsigned'],
    ['is a draft', () => create(server, orderBody(), prescriber), 'not-renewable'],
    ['is on hold', () => create(server, orderBody({ status: 'on-hold' }), system), 'not-renewable'],
    ['was stopped', () => create(server, orderBody({ status: 'stopped' }), system), 'not-renewable'],
  ])('is none of what %s', async (_, order, code) => {
    expect(told(await renew(await order()))).toEqual([422, code]);
  });

  it('is made by prescribers, for the same patient, for a Task that asks for it', async () => {
    const prior = await signed();
    const other = await create(server, patientBody());
    const elsewhere = await create(server, requestBody({ for: { reference: referenceTo(other) } }));
    const another = await create(server, requestBody({ focus: { reference: referenceTo(await signed()) } }));
    const plain = await create(server, requestBody({ code: { text: 'Call' } }));
    const answers = [
      await renew(prior, { as: { role: 'nurse' } }),
      await renew(prior, { as: { role: 'pharmacist' } }),
      await renew(prior, { order: { subject: { reference: referenceTo(other) } } }),
      await renew(prior, { order: { intent: 'plan' } }),
      await renew(prior, { task: elsewhere }),
      await renew(prior, { task: another }),
      await renew(prior, { task: plain }),
    ];

    expect(answers.map(told)).toEqual([
      [403, 'forbidden-role'],
      [403, 'forbidden-role'],
      [400, 'invalid'],
      [400, 'invalid'],
      [400, 'reference-not-found'],
      [400, 'reference-not-found'],
      [400, 'reference-not-found'],
    ]);
    expect(await read(prior)).toMatchObject({ status: 'active' });
  });
});

describe('a request for a renewal', () => {
  it('is answered with each other one for the order, and one that comes later by the new order', async () => {
    const prior = await signed();
    const focus = { reference: referenceTo(prior) };
    const own: TestCaller = { role: 'patient', patient: patient.id };
    const tasks = [
      await create(server, requestBody({ focus: { reference: `${focus.reference}/_history/2` } })),
      await create(server, requestBody({ focus, requester: { reference: referenceTo(patient) } }), own),
    ] as const;
    const elsewhere = await create(server, requestBody({ focus: { reference: referenceTo(await signed()) } }));
    const { status, body } = await renew(prior, { task: tasks[0] });
    const order = body as unknown as Stored<Order>;
    const later = await create(server, requestBody({ focus }));

    expect(status, JSON.stringify(body)).toBe(201);
    for (const task of tasks)
      expect(await read(task)).toMatchObject({
        status: 'completed',
        output: [{ valueReference: { reference: referenceTo(order) } }],
      });
    expect(await read(elsewhere)).toMatchObject({ status: 'requested' });
    expect(told(await renew(prior, { task: later }))).toEqual([409, 'answered-already']);
    expect(told(await renew(order, { task: later }))).toEqual([201, undefined]);
    expect(await read(later)).toMatchObject({ status: 'completed' });
  });

  it('is denied by who prescribes, for a reason that it tells', async () => {
    const prior = await signed();
    const task = await create(server, requestBody(), { role: 'pharmacist' });
    const put = (change: Partial<fhir4.Task>, as: TestCaller) =>
      server.put(pathOf(task), { ...task, ...change } as unknown as TestBody, { as });
    const answers = [
      await put({ status: 'completed' }, prescriber),
      await put({ code: { text: 'Call' } }, prescriber),
      await put({ status: 'rejected', ...because }, { role: 'nurse' }),
      await put({ status: 'rejected' }, prescriber),
      await server.request('DELETE', pathOf(task), { as: prescriber }),
      await put({ status: 'rejected', ...because }, prescriber),
      await renew(prior, { task }),
    ];

    expect(answers.map(told)).toEqual([
      [422, 'answered-by-order'],
      [422, 'answered-by-order'],
      [403, 'forbidden-role'],
      [422, 'move-needs-reason'],
      [422, 'answered-by-order'],
      [200, undefined],
      [409, 'answered-already'],
    ]);
    expect((await server.get(pathOf(task), { as: { role: 'pharmacist' } })).body).toMatchObject(because);
  });

  it('is taken back by the patient who has made it', async () => {
    const own: TestCaller = { role: 'patient', patient: patient.id };
    const task = await create(server, requestBody({ requester: { reference: referenceTo(patient) } }), own);
    const body = { ...task, status: 'cancelled' } as unknown as TestBody;

    expect(told(await server.put(pathOf(task), body, { as: own }))).toEqual([200, undefined]);
  });

  it('is answered by somebody licensed', async () => {
    const person = await create(server, { resourceType: 'Practitioner' }, admin);
    const prior = await signed();
    const unlicensed = await renew(prior, { as: { role: 'physician', claims: { fhirUser: referenceTo(person) } } });

    expect(told(unlicensed)).toEqual([403, 'licence-missing']);
  });
});
