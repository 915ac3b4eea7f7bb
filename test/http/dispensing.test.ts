import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import {
  atOnce,
  create,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// What an order bears: intentions that it does not bear are refused, what has happened is stored and told of.

type Order = fhir4.MedicationRequest;
type Dispense = fhir4.MedicationDispense;
type Administration = fhir4.MedicationAdministration;

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;
const pharmacist: TestCaller = { role: 'pharmacist' };
const nurse: TestCaller = { role: 'nurse' };

/** What happens once before the first transaction of a request that runs in this context. */
const beforeCommit = new AsyncLocalStorage<{ once?: (() => Promise<void>) | undefined }>();

beforeAll(async () => {
  server = await fhirServer();
  server.store.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const state = beforeCommit.getStore();
        const { once } = state ?? {};
        if (state && once && commandName?.startsWith('TransactWrite')) {
          state.once = undefined;
          await beforeCommit.exit(once);
        }
        return next(args);
      },
    { step: 'initialize', name: 'before-commit', priority: 'high' },
  );
  prescriber = await prescriberOf(server);
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const tablets = (value: number): fhir4.Quantity => ({
  value,
  unit: 'tablet',
  system: 'http://unitsofmeasure.org',
  code: '{tbl}',
});
const inDays = (value: number): fhir4.Duration => ({
  value,
  unit: 'd',
  system: 'http://unitsofmeasure.org',
  code: 'd',
});
const medicine = { medicationCodeableConcept: { text: 'Amoxicillin 500 mg' } };

const orderBody = (elements: Partial<Order> = {}): Order => ({
  resourceType: 'MedicationRequest',
  status: 'draft',
  intent: 'order',
  ...medicine,
  subject: { reference: referenceTo(patient) },
  dispenseRequest: { numberOfRepeatsAllowed: 1, quantity: tablets(30), expectedSupplyDuration: inDays(30) },
  ...elements,
});
const signed = async (elements: Partial<Order> = {}) => {
  const draft = await create(server, orderBody(elements), prescriber);
  const { status, body, text } = await server.post(`${pathOf(draft)}/$sign`, parameters, { as: prescriber });
  expect(status, text).toBe(200);
  return body as unknown as Stored<Order>;
};
const parameters = { resourceType: 'Parameters' } as unknown as TestBody;
const became = async (order: Stored<Order>, status: Order['status']) => {
  const { body } = await server.get(pathOf(order));
  const next = { ...(body as object), status, statusReason: { text: `It is ${status}` } };
  expect((await server.put(pathOf(order), next as unknown as TestBody, { as: prescriber })).status).toBe(200);
};
const dispenseBody = (order: Stored<Order>, elements: Partial<Dispense> = {}): Dispense => ({
  resourceType: 'MedicationDispense',
  status: 'preparation',
  ...medicine,
  subject: { reference: referenceTo(patient) },
  authorizingPrescription: [{ reference: referenceTo(order) }],
  quantity: tablets(30),
  ...elements,
});
const dispense = (order: Stored<Order>, elements: Partial<Dispense> = {}, as = pharmacist) =>
  server.post('MedicationDispense', dispenseBody(order, elements) as unknown as TestBody, { as });
const handedOver = (whenHandedOver: string) => ({ status: 'completed', whenHandedOver }) as const;

const doseBody = (order: Stored<Order>, elements: Partial<Administration> = {}): Administration => ({
  resourceType: 'MedicationAdministration',
  status: 'completed',
  ...medicine,
  subject: { reference: referenceTo(patient) },
  request: { reference: referenceTo(order) },
  effectiveDateTime: new Date().toISOString(),
  ...elements,
});

/** A reason for each of these findings, as a contained DetectedIssue. */
const reasonFor = (...codes: string[]): Partial<Dispense> => ({
  contained: codes.map((code) => ({
    resourceType: 'DetectedIssue',
    id: code,
    status: 'final',
    code: { coding: [{ system: 'https://concord.example/fhir/CodeSystem/order-use', code }] },
    mitigation: [{ action: { text: 'The patient travels for two months' } }],
  })),
  detectedIssue: codes.map((code) => ({ reference: `#${code}` })),
});

const refusal = ({ status, body }: TestResponse) => {
  const { issue = [] } = body as unknown as Partial<fhir4.OperationOutcome>;
  return [
    status,
    issue[0]?.details?.coding?.[0]?.code,
    ...issue.map(({ extension }) => extension?.[0]?.extension?.[0]?.valueCode),
  ];
};
const told = async (resource: TestBody | Stored<fhir4.Resource>) => {
  const name = `${resource.resourceType}/${resource.id}`;
  const issues = resourcesIn((await server.get(`DetectedIssue?patient=${referenceTo(patient)}`)).body);
  const tasks = resourcesIn((await server.get(`Task?focus=${name}`)).body);
  return {
    issues: issues
      .filter((each) => JSON.stringify(each).includes(`"${name}"`))
      .map((each) => (each as unknown as fhir4.DetectedIssue).code?.coding?.[0]?.code),
    pools: tasks.map((each) => (each as unknown as fhir4.Task).performerType?.[0]?.coding?.[0]?.display),
  };
};

describe('a dispense of an order', () => {
  it('goes on as far as the repeats and the time of the last supply go, and for a reason beyond', async () => {
    const order = await signed();
    const early = new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10);
    expect((await dispense(order, handedOver(early))).status).toBe(201);

    const second = await dispense(order);
    expect(refusal(second)).toEqual([422, 'dispense-check', 'early']);
    expect(second.text).toContain('the earliest date of the next supply');
    expect((await dispense(order, reasonFor('quantity-exceeded'))).status).toBe(422);
    const reasoned = await dispense(order, reasonFor('early'));
    expect(reasoned.status, reasoned.text).toBe(201);
    expect(await told(reasoned.body)).toEqual({ issues: [], pools: [] });

    const third = await dispense(order, reasonFor('early'));
    expect(refusal(third)).toEqual([422, 'dispense-check', 'repeats-exceeded', 'quantity-exceeded']);
    expect(third.text).toContain('allows 2 fills (the first and 1 repeats); 1 were handed over and 1 are under way');
    expect(third.text).toContain(
      'allows 60 tablet in all; 60 tablet were supplied or are under way, and this would make 90',
    );
  });

  it('that has happened is stored and told of, whoever tells of it', async () => {
    const order = await signed({ dispenseRequest: { numberOfRepeatsAllowed: 0, quantity: tablets(30) } });
    for (const as of [pharmacist, system]) {
      const { status, body } = await dispense(order, handedOver('2026-01-01'), as);
      expect(status).toBe(201);
      const expected = as === pharmacist ? [] : ['repeats-exceeded', 'quantity-exceeded'];
      const { issues, pools } = await told(body);
      expect([issues.sort(), pools]).toEqual([expected.sort(), as === pharmacist ? [] : ['Pharmacist']]);
    }
    expect((await dispense(order, { status: 'in-progress' }, system)).status).toBe(201);
  });

  it('is completed without a second word once its reason was given', async () => {
    const order = await signed({ dispenseRequest: { numberOfRepeatsAllowed: 0 } });
    await dispense(order, handedOver('2026-01-01'));
    const { body } = await dispense(order, reasonFor('repeats-exceeded'));
    const done = await server.put(
      `MedicationDispense/${body.id}`,
      { ...(body as object), status: 'completed' } as unknown as TestBody,
      {
        as: pharmacist,
      },
    );

    expect(done.status, done.text).toBe(200);
    expect(await told(done.body)).toEqual({ issues: [], pools: [] });
  });

  it.each(['on-hold', 'completed', 'stopped', 'cancelled', 'entered-in-error'] as const)(
    'is refused as an intention where the order is %s, with a reason too, and stored as a fact',
    async (status) => {
      const order = await signed();
      await became(order, status);

      expect(refusal(await dispense(order, reasonFor('order-not-in-force')))).toEqual([
        422,
        'order-not-in-force',
        'order-not-in-force',
      ]);
      const fact = await dispense(order, handedOver(new Date().toISOString()));
      expect(fact.status, fact.text).toBe(201);
      expect(await told(fact.body)).toEqual({ issues: ['order-not-in-force'], pools: ['Pharmacist'] });
    },
  );

  it('of one that nobody has signed here takes a reason of a pharmacist', async () => {
    const order = await create(server, orderBody({ status: 'active' }), system);

    expect(refusal(await dispense(order))).toEqual([422, 'dispense-check', 'order-unsigned']);
    expect(refusal(await dispense(order, reasonFor('order-unsigned'), nurse))).toEqual([
      422,
      'dispense-check',
      'order-unsigned',
    ]);
    expect((await dispense(order, reasonFor('order-unsigned'))).status).toBe(201);
    await server.post(`${pathOf(order)}/$sign`, parameters, { as: prescriber });
    expect(refusal(await dispense(order))).toEqual([422, 'dispense-check', 'early']);
  });

  it('of another patient’s order is refused', async () => {
    const order = await signed();
    patient = await create(server, patientBody());
    expect(refusal(await dispense(order))).toEqual([422, 'order-not-in-force', 'order-of-another']);
  });

  it('has the last repeat alone, of eight who fill it at once, with a way for each by which it is written', async () => {
    const order = await signed({ dispenseRequest: { numberOfRepeatsAllowed: 0 } });
    const body = dispenseBody(order) as unknown as TestBody;
    const entry = { resource: body, request: { method: 'POST', url: 'MedicationDispense' } };
    const answers = await atOnce(8, (index) =>
      index % 2 === 0
        ? server.post('MedicationDispense', body, { as: pharmacist })
        : server.post('', { resourceType: 'Bundle', type: 'transaction', entry: [entry] } as unknown as TestBody, {
            as: pharmacist,
          }),
    );

    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
    for (const each of answers.filter(({ status }) => status >= 300))
      expect([409, 422], each.text).toContain(each.status);
    const { body: found } = await server.get(`MedicationDispense?patient=${referenceTo(patient)}`);
    expect(resourcesIn(found)).toHaveLength(1);
  });

  it('is refused where the order is stopped between its look and its commit, as a dose is', async () => {
    for (const send of [
      (order: Stored<Order>) => dispense(order),
      (order: Stored<Order>) =>
        server.post(
          'MedicationAdministration',
          doseBody(order, { status: 'in-progress', effectiveDateTime: '2099-01-01' }) as unknown as TestBody,
          {
            as: nurse,
          },
        ),
    ]) {
      const order = await signed();
      const meanwhile = { once: () => became(order, 'stopped') };
      expect(refusal(await beforeCommit.run(meanwhile, () => send(order)))).toEqual([
        422,
        'order-not-in-force',
        'order-not-in-force',
      ]);
    }
  });

  it('costs three calls in sequence, one that names no order one', async () => {
    const order = await signed();
    server.calls.reset();
    await dispense(order);
    expect(server.calls.names.toSorted()).toEqual(['BatchGetItem', 'GetItem', 'Query', 'TransactWriteItems']);
    server.calls.reset();
    const { authorizingPrescription: _none, ...body } = dispenseBody(order);
    await server.post('MedicationDispense', body as unknown as TestBody, { as: pharmacist });
    expect(server.calls.names).toEqual(['TransactWriteItems']);
  });
});

describe('what is left of an order', () => {
  const asked = async (order: Stored<Order>, as = pharmacist) => {
    const answer = await server.get(`${pathOf(order)}/$dispenses`, { as });
    const { parameter = [] } = answer.body as unknown as fhir4.Parameters;
    const of = (name: string) =>
      parameter
        .filter((each) => each.name === name)
        .map(({ name: _name, ...value }) => Object.values(value)[0] as fhir4.Coding | string | number);
    return { ...answer, of };
  };

  it('is told in one call: fills, quantities, the earliest date, and what could not be reckoned', async () => {
    const dispenseRequest = { quantity: tablets(30), expectedSupplyDuration: inDays(30), numberOfRepeatsAllowed: 2 };
    const order = await signed({ dispenseRequest: { ...dispenseRequest, validityPeriod: { end: '2099-01-01' } } });
    const first = await dispense(order, { ...handedOver('2026-01-01'), quantity: tablets(20) });
    const second = await dispense(order);
    await create(
      server,
      { ...dispenseBody(order), status: 'completed', authorizingPrescription: undefined as never },
      system,
    );
    server.calls.reset();
    const { of, text } = await asked(order);

    expect(server.calls.names.toSorted()).toEqual(['GetItem', 'PutItem', 'PutItem', 'Query']);
    expect(of('standing'), text).toEqual(['in-force']);
    expect(['allowed', 'fills', 'underWay', 'left'].map((name) => of(name)[0])).toEqual([3, 1, 1, 1]);
    expect(['supplied', 'total', 'quantityLeft'].map((name) => (of(name)[0] as fhir4.Quantity).value)).toEqual([
      50, 90, 40,
    ]);
    const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    expect(of('earliestNext')).toEqual([until]);
    expect(of('valid')).toEqual([{ end: '2099-01-01' }]);
    expect(new Set(of('dispense').map((each) => (each as fhir4.Reference).reference))).toEqual(
      new Set([first, second].map(({ body }) => `MedicationDispense/${body.id}`)),
    );
    expect(of('notChecked').map((each) => (each as fhir4.Coding).code)).toEqual(['not-shown']);
  });

  it('is for who may see both, and says what nobody told', async () => {
    const order = await create(server, orderBody({ status: 'active', dispenseRequest: undefined as never }), system);
    const { of } = await asked(order);
    expect(of('standing')).toEqual(['unsigned']);
    expect(of('notChecked').map((each) => (each as fhir4.Coding).code)).toEqual([
      'repeats-not-told',
      'quantity-not-told',
      'validity-not-told',
      'not-shown',
    ]);
    expect((await asked(order, { role: 'frontdesk' })).status).toBe(403);
    expect((await asked(order, { role: 'pharmacist', organization: 'lakeside' })).status).toBe(404);
  });
});

describe('an administration of an order', () => {
  const at = (hour: number) => `2026-03-04T${String(hour).padStart(2, '0')}:00:00Z`;
  const give = (order: Stored<Order>, elements: Partial<Administration> = {}, as = nurse) =>
    server.post(
      'MedicationAdministration',
      doseBody(order, { effectiveDateTime: at(10), ...elements }) as unknown as TestBody,
      { as },
    );
  const stoppedAtTwelve = async () => {
    server.setTime(Date.parse(at(8)));
    const order = await signed();
    server.setTime(Date.parse(at(12)));
    await became(order, 'stopped');
    server.setTime(Date.parse(at(14)));
    return order;
  };

  it('is judged at its own time: before the order was stopped it is as it should be', async () => {
    try {
      const order = await stoppedAtTwelve();
      const given = await give(order);
      const running = await give(order, { status: 'in-progress' });
      const earlier = await give(order, { effectiveDateTime: at(7) });

      for (const each of [given, running, earlier]) {
        expect(each.status, each.text).toBe(201);
        expect(await told(each.body)).toEqual({ issues: [], pools: [] });
      }
    } finally {
      server.setTime(undefined);
    }
  });

  it('after it was stopped is refused as an intention, and stored and told of as a fact', async () => {
    try {
      const order = await stoppedAtTwelve();
      const running = await give(order, { status: 'in-progress', effectiveDateTime: at(13) });
      const given = await give(order, { effectivePeriod: { start: at(13) }, effectiveDateTime: undefined as never });

      expect(refusal(running)).toEqual([422, 'order-not-in-force', 'order-not-in-force']);
      expect(given.status, given.text).toBe(201);
      expect(await told(given.body)).toEqual({ issues: ['order-not-in-force'], pools: ['Professional nurse'] });
    } finally {
      server.setTime(undefined);
    }
  });

  it('of a day is right if the order was in force at some hour of it, as a supply is', async () => {
    try {
      server.setTime(Date.parse('2026-03-03T12:00:00Z'));
      const order = await create(server, orderBody(), prescriber);
      server.setTime(Date.parse(at(8)));
      await server.post(`${pathOf(order)}/$sign`, parameters, { as: prescriber });
      server.setTime(Date.parse(at(14)));
      await became(order, 'stopped');
      const today = { effectiveDateTime: '2026-03-04' };
      const answers = [
        await give(order, { ...today, status: 'in-progress' }),
        await give(order, today),
        await dispense(order, handedOver('2026-03-04')),
      ];

      for (const each of answers) {
        expect(each.status, each.text).toBe(201);
        expect(await told(each.body)).toEqual({ issues: [], pools: [] });
      }
      server.setTime(Date.parse('2026-03-06T12:00:00Z'));
      const later = await give(order, { effectiveDateTime: '2026-03-05' });
      expect(await told(later.body)).toEqual({ issues: ['order-not-in-force'], pools: ['Professional nurse'] });
    } finally {
      server.setTime(undefined);
    }
  });

  it('of a date has happened where that day has begun already', async () => {
    try {
      server.setTime(Date.parse('2026-03-04T20:00:00Z'));
      const order = await signed();

      expect((await give(order, { effectiveDateTime: '2026-03-05' })).status).toBe(201);
      expect((await give(order, { effectiveDateTime: '2026-03-06' })).status).toBe(422);
    } finally {
      server.setTime(undefined);
    }
  });

  it('that is completed has happened, but an interface may have a wrong clock', async () => {
    const order = await signed();
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    const ahead = await give(order, { effectiveDateTime: tomorrow });
    const imported = await give(order, { effectiveDateTime: tomorrow }, system);

    expect(refusal(ahead).slice(0, 2)).toEqual([422, 'not-happened-yet']);
    expect(refusal(await dispense(order, handedOver(tomorrow))).slice(0, 2)).toEqual([422, 'not-happened-yet']);
    expect([imported.status, imported.body.meta?.tag?.[0]?.code]).toEqual([201, 'said-ahead']);
    expect((await told(imported.body)).pools).toEqual(['Professional nurse']);
    expect((await give(order, { effectiveDateTime: tomorrow, status: 'not-done' })).status).toBe(201);
  });

  it('costs a call more with an order, and two more where it was before the order’s last change', async () => {
    try {
      const order = await stoppedAtTwelve();
      const callsOf = async (elements: Partial<Administration>) => {
        server.calls.reset();
        expect((await give(order, elements)).status).toBe(201);
        return server.calls.names.length;
      };

      expect(await callsOf({ request: undefined as never })).toBe(1);
      expect(await callsOf({ effectiveDateTime: at(12) })).toBe(2);
      expect(await callsOf({ effectiveDateTime: at(10) })).toBe(4);
    } finally {
      server.setTime(undefined);
    }
  });
});
