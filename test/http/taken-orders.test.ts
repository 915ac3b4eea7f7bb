import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { roleSystem } from '../../shared/access/roles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  licensedBody,
  organizationBody,
  pathOf,
  patientBody,
  positionOf,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// An order that is given by voice or by a protocol is in force at once, and is somebody's only once it is signed.

type Order = fhir4.MedicationRequest;

const hourMs = 3_600_000;
const now = Date.UTC(2026, 5, 1, 12);
const because = 'I have ordered something else';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;
let colleague: TestCaller;
let nurse: TestCaller;

const nameOf = ({ claims }: TestCaller): string => String(claims?.['fhirUser']);

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(now);
  prescriber = await prescriberOf(server);
  colleague = await prescriberOf(server);
  await positionOf(server, prescriber);
  const person = await create(server, { resourceType: 'Practitioner' }, admin);
  nurse = { role: 'nurse', claims: { fhirUser: referenceTo(person) } };
});
beforeEach(async () => {
  server.setTime(now);
  patient = await create(server, patientBody());
});

const orderBody = (elements: Partial<Order> = {}) => ({
  resourceType: 'MedicationRequest' as const,
  intent: 'order' as const,
  medicationCodeableConcept: { text: 'Amoxicillin' },
  subject: { reference: referenceTo(patient) },
  requester: { reference: nameOf(prescriber) },
  ...elements,
});
const ask = (path: string, parameter: fhir4.ParametersParameter[], as: TestCaller) =>
  server.post(path, { resourceType: 'Parameters', parameter } as unknown as TestBody, { as });
const take = (
  elements: Partial<Order> = {},
  { given = 'telephone', readBack = true, as = nurse }: { given?: string; readBack?: boolean; as?: TestCaller } = {},
) =>
  ask(
    'MedicationRequest/$take-order',
    [
      { name: 'order', resource: orderBody(elements) as fhir4.FhirResource },
      { name: 'given', valueCode: given },
      { name: 'readBack', valueBoolean: readBack },
    ],
    as,
  );
const taken = async (...asked: Parameters<typeof take>) => {
  const { status, body } = await take(...asked);
  expect(status, JSON.stringify(body)).toBe(201);
  return body as unknown as Stored<Order>;
};
const sign = (order: Stored<Order>, as = prescriber) => ask(`${pathOf(order)}/$sign`, [], as);
const deny = (order: Stored<Order>, as = prescriber, reason = because) =>
  ask(`${pathOf(order)}/$deny`, [{ name: 'reason', valueString: reason }], as);
const read = async <R extends fhir4.FhirResource>(path: string) =>
  (await server.get(path)).body as unknown as Stored<R>;
const tasks = async () =>
  resourcesIn((await server.get(`Task?patient=${referenceTo(patient)}`)).body) as unknown as Stored<fhir4.Task>[];
const codeOf = ({ body }: { body: unknown }) => (body as fhir4.OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code;
const told = (answer: { status: number; body: unknown }) => [answer.status, codeOf(answer)];

describe('an order that is taken down', () => {
  it('is in force at once, says who gave it to whom and how, and asks for a signature in time', async () => {
    const order = await taken();
    const [task] = await tasks();

    expect(order).toMatchObject({
      status: 'active',
      requester: { reference: nameOf(prescriber) },
      recorder: { reference: nameOf(nurse) },
      category: [{ coding: [{ code: 'PHONE' }] }],
      authoredOn: new Date(now).toISOString(),
      meta: { tag: [{ code: 'unsigned' }] },
    });
    expect(task).toMatchObject({
      status: 'requested',
      code: { coding: [{ code: 'cosign-order' }] },
      focus: { reference: referenceTo(order) },
      owner: { reference: nameOf(prescriber) },
      requester: { reference: nameOf(nurse) },
      restriction: { period: { end: new Date(now + 48 * hourMs).toISOString() } },
    });
  });

  it('names its protocol, and the pharmacist takes one down too', async () => {
    const protocol = { instantiatesUri: ['https://northside.example/protocols/fever'] };
    const order = await taken(protocol, { given: 'protocol', as: { ...nurse, role: 'pharmacist' } });

    expect(order).toMatchObject({ ...protocol, category: [{ coding: [{ code: 'protocol' }] }] });
  });

  it.each<[string, () => ReturnType<typeof take>, [number, string]]>([
    ['who prescribes', () => take({}, { as: colleague }), [403, 'forbidden-role']],
    ['the front desk', () => take({}, { as: { ...nurse, role: 'frontdesk' } }), [403, 'forbidden-role']],
    ['a system', () => take({}, { as: system }), [403, 'forbidden-role']],
    ['who has no scope for it', () => take({}, { as: { ...nurse, scope: 'user/*.rs' } }), [403, 'forbidden-scope']],
    ['voice without having read it back', () => take({}, { readBack: false }), [400, 'invalid']],
    ['another way', () => take({}, { given: 'mail' }), [400, 'invalid']],
    ['a protocol that it does not name', () => take({}, { given: 'protocol' }), [400, 'invalid']],
    ['nobody', () => take({ requester: { display: 'Somebody' } }), [400, 'invalid']],
    ['who takes it down', () => take({ requester: { reference: nameOf(nurse) } }), [400, 'invalid']],
    ['another state', () => take({ status: 'completed' }), [400, 'invalid']],
    ['what is proposed', () => take({ intent: 'proposal' }), [400, 'invalid']],
    [
      'a controlled substance',
      () => take({ medicationCodeableConcept: { text: 'Morphine' } }),
      [422, 'controlled-substance'],
    ],
  ])('is not taken from, or by, %s', async (_, asked, refusal) => {
    expect(told(await asked())).toEqual(refusal);
    expect(await tasks()).toEqual([]);
  });

  it('is given by somebody licensed, for a patient who lives', async () => {
    const unlicensed = await prescriberOf(server, licensedBody({ active: false }));
    const answers = [await take({ requester: { reference: nameOf(unlicensed) } })];
    await server.put(pathOf(patient), { ...patient, deceasedBoolean: true }, {});
    answers.push(await take());

    expect(answers.map(told)).toEqual([
      [403, 'licence-missing'],
      [422, 'patient-deceased'],
    ]);
  });

  it('is given by a physician of the own organisation, as its directory says', async () => {
    const nurses = { code: [{ coding: [{ system: roleSystem, code: 'nurse' }] }] };
    const elsewhere = { organization: { reference: referenceTo(await create(server, organizationBody(), admin)) } };
    const lakeside: TestCaller = { ...admin, organization: 'lakeside' };
    const positions: [Partial<fhir4.PractitionerRole>, TestCaller][] = [
      [nurses, admin],
      [{}, lakeside],
      [elsewhere, admin],
      [{ active: false }, admin],
      [{ period: { end: '2020-01-01' } }, admin],
    ];
    const refusals: unknown[] = [told(await take({ requester: { reference: nameOf(await prescriberOf(server)) } }))];
    for (const [elements, as] of positions) {
      const person = await prescriberOf(server);
      const position = await positionOf(server, person, elements, as);
      for (const reference of [nameOf(person), referenceTo(position)])
        refusals.push(told(await take({ requester: { reference } })));
    }

    expect(refusals).toEqual(Array.from({ length: 11 }, () => [403, 'licence-missing']));
    expect(await tasks()).toEqual([]);
  });

  it('may be given by somebody as a position, and by who has others besides', async () => {
    const person = await prescriberOf(server);
    await positionOf(server, person, {}, { ...admin, organization: 'lakeside' });
    await server.put('Organization/northside', { ...organizationBody(), id: 'northside' }, { as: admin });
    const position = await positionOf(server, person, { organization: { reference: 'Organization/northside' } });
    const requesters = [nameOf(person), referenceTo(position)];
    const orders = [];
    for (const reference of requesters) orders.push(await taken({ requester: { reference } }));

    expect(orders.map(({ requester }) => requester?.reference)).toEqual(requesters);
  });

  it('is checked in the same write: a clash is told of and refuses nothing', async () => {
    await create(server, {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
      code: { text: 'Amoxicillin' },
      patient: { reference: referenceTo(patient) },
    } as fhir4.AllergyIntolerance);

    const order = await taken();
    const issues = resourcesIn((await server.get(`DetectedIssue?patient=${referenceTo(patient)}`)).body);

    expect(issues).toMatchObject([{ implicated: [{ reference: referenceTo(order) }, {}] }]);
    expect((await tasks()).map(({ priority = '', focus }) => `${priority} ${focus?.reference}`).sort()).toEqual([
      ` ${referenceTo(order)}`,
      `urgent ${referenceTo(order)}`,
    ]);
  });

  it('stops the one that it replaces', async () => {
    const before = await taken();
    await taken({ priorPrescription: { reference: referenceTo(before) } });

    expect(await read(pathOf(before))).toMatchObject({ status: 'stopped' });
    expect((await tasks()).map(({ status }) => status).sort()).toEqual(['cancelled', 'requested']);
  });

  it('stops none that who takes it down does not see, and says no more of it than of none', async () => {
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }];
    const { requester: _, ...body } = orderBody();
    const draft = await create(server, { ...body, status: 'draft', meta: { security } } as Order, prescriber);
    const hidden = (await sign(draft)).body as unknown as Stored<Order>;
    const named = (reference: string) => take({ priorPrescription: { reference } });
    const answers = [await named(referenceTo(hidden)), await named('MedicationRequest/none')];

    expect(answers.map(told)).toEqual(answers.map(() => [400, 'reference-not-found']));
    const { body: after } = await server.get(pathOf(hidden), { as: prescriber });
    expect(after['status']).toBe('active');
  });

  it('may be not to give a controlled substance', async () => {
    const order = await taken({ doNotPerform: true, medicationCodeableConcept: { text: 'Morphine' } });

    expect(order).toMatchObject({ status: 'active', doNotPerform: true });
  });

  it('stays as it was taken down until it is signed or denied, and goes on all the same', async () => {
    const order = await taken();
    const put = (change: Partial<Order>, as = colleague) =>
      server.put(pathOf(order), { ...order, ...change } as unknown as TestBody, { as });
    const refused = [
      await put({ dosageInstruction: [{ text: 'ten times as much' }] }),
      await put({ intent: 'plan' }),
      await put({ recorder: { reference: nameOf(colleague) } }, system),
      await server.request('PATCH', pathOf(order), {
        as: colleague,
        body: [{ op: 'add', path: '/note', value: [{ text: 'as I have said' }] }],
        headers: { 'content-type': 'application/json-patch+json' },
      }),
    ];

    expect(refused.map(told)).toEqual(refused.map(() => [422, 'taken-down']));
    expect(told(await put({ status: 'on-hold', statusReason: { text: 'Fever is gone' } }))).toEqual([200, undefined]);
  });

  it('is not what a client says to be one', async () => {
    const { meta } = await taken();
    const forged = await create(server, { ...orderBody(), status: 'active', meta } as Order, colleague);

    expect(forged.meta.extension).toBeUndefined();
    expect(told(await deny(forged))).toEqual([422, 'not-deniable']);
  });
});

describe('its signature', () => {
  it('ends the Task, in two sequential calls', async () => {
    const order = await taken();
    server.calls.reset();
    const answer = await sign(order);
    const calls = server.calls.sequential();
    const [task] = await tasks();

    expect(answer.status).toBe(200);
    expect(calls).toBeLessThanOrEqual(2);
    expect((answer.body as unknown as Order).meta?.tag).toBeUndefined();
    expect(task).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: nameOf(prescriber) } }],
    });
  });

  it('may be a colleague’s, and the Task says whose', async () => {
    const order = await taken();
    const answer = await sign(order, colleague);
    const [task] = await tasks();

    expect(answer.body).toMatchObject({ requester: { reference: nameOf(prescriber) } });
    expect(task).toMatchObject({ status: 'completed', output: [{ valueReference: { reference: nameOf(colleague) } }] });
  });

  it('is overdue after its hours, and the physicians see it', async () => {
    const order = await taken();
    server.setTime(now + 49 * hourMs);
    const { body } = await server.get('Task/$overdue', { as: colleague });
    const late = resourcesIn(body) as unknown as fhir4.Task[];

    expect(late.map(({ focus }) => focus?.reference)).toContain(referenceTo(order));
  });
});

describe('a denial', () => {
  it.each([
    ['who prescribes', () => colleague],
    ['who took it down', () => nurse],
  ])('by %s ends order and Task for a reason, and what was given is looked at', async (_, by) => {
    const order = await taken();
    const answers = [await deny(order, by()), await deny(order, by())];
    const all = await tasks();

    expect(answers.map(({ status, body }) => [status, (body as unknown as Order).meta?.versionId])).toEqual([
      [200, '2'],
      [200, '2'],
    ]);
    expect(await read(pathOf(order))).toMatchObject({ status: 'entered-in-error', statusReason: { text: because } });
    expect(all.find(({ code }) => code?.coding?.[0]?.code === 'cosign-order')).toMatchObject({
      status: 'rejected',
      statusReason: { text: because },
    });
    expect(all.find(({ code }) => code?.coding?.[0]?.code === 'record-check')).toMatchObject({ status: 'requested' });
  });

  it('is for them alone, with a reason, of what waits for a signature', async () => {
    const order = await taken();
    const other: TestCaller = { role: 'nurse' };
    const answers = [
      await deny(order, other),
      await deny(order, { ...prescriber, organization: 'lakeside' }),
      await deny(order, prescriber, 'no'),
    ];
    await sign(order);
    answers.push(await deny(order));

    expect(answers.map(told)).toEqual([
      [403, 'forbidden-role'],
      [404, 'not-found'],
      [400, 'invalid'],
      [422, 'not-deniable'],
    ]);
  });

  it('by an update needs a reason too, and ends the Task as well', async () => {
    const order = await taken();
    const put = (change: Partial<Order>) =>
      server.put(pathOf(order), { ...order, ...change } as unknown as TestBody, { as: prescriber });
    const answers = [
      await put({ status: 'entered-in-error' }),
      await put({ status: 'entered-in-error', statusReason: { text: because } }),
    ];

    expect(answers.map(told)).toEqual([
      [422, 'move-needs-reason'],
      [200, undefined],
    ]);
    expect((await tasks()).map(({ status }) => status).sort()).toEqual(['rejected', 'requested']);
  });
});

describe('the Task to sign an order', () => {
  it('is taken on by hand, and ended by its order alone', async () => {
    await taken();
    const [task] = await tasks();
    const path = pathOf(task as Stored<fhir4.Task>);
    const put = (change: Partial<fhir4.Task>) =>
      server.put(path, { ...task, ...change } as unknown as TestBody, { as: prescriber });
    const refused = [
      await put({ status: 'completed' }),
      await put({ status: 'rejected' }),
      await put({ status: 'cancelled' }),
      await put({ code: { text: 'Something else' } }),
      await put({ focus: { reference: referenceTo(patient) } }),
      await server.request('DELETE', path, { as: prescriber }),
      await server.request('PATCH', path, {
        as: prescriber,
        body: [{ op: 'replace', path: '/status', value: 'completed' }],
        headers: { 'content-type': 'application/json-patch+json' },
      }),
    ];

    expect(refused.map(told)).toEqual(refused.map(() => [422, 'answered-by-order']));
    expect(told(await put({ status: 'in-progress' }))).toEqual([200, undefined]);
  });

  it('comes with an order, and not by hand', async () => {
    const code = { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'cosign-order' }] };
    const answer = await server.post(
      'Task',
      { resourceType: 'Task', status: 'requested', intent: 'order', code, for: { reference: referenceTo(patient) } },
      { as: nurse },
    );

    expect(told(answer)).toEqual([422, 'answered-by-order']);
  });
});
