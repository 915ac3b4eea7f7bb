import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  licensedBody,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

// An order is in force because somebody answers for it: by signing here, or elsewhere, and then it says so.

type Order = fhir4.MedicationRequest;

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let prescriber: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
  prescriber = await prescriberOf(server);
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const orderBody = (elements: Partial<Order> = {}): Order => ({
  resourceType: 'MedicationRequest',
  status: 'draft',
  intent: 'order',
  medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
  subject: { reference: referenceTo(patient) },
  dosageInstruction: [{ text: 'one, three times a day', doseAndRate: [{ doseQuantity: { value: 500, unit: 'mg' } }] }],
  dispenseRequest: { numberOfRepeatsAllowed: 1 },
  ...elements,
});
const sign = (order: Stored<Order>, as: TestCaller = prescriber) =>
  server.post(`${pathOf(order)}/$sign`, { resourceType: 'Parameters' } as unknown as TestBody, { as });
const signed = async (elements: Partial<Order> = {}) => {
  const draft = await create(server, orderBody(elements), prescriber);
  const { status, body } = await sign(draft);
  expect(status).toBe(200);
  return body as unknown as Stored<Order>;
};
const read = async (order: Stored<Order>) => (await server.get(pathOf(order))).body as unknown as Order;
const put = (order: Stored<Order>, change: Partial<Order>, as: TestCaller = prescriber) =>
  server.put(pathOf(order), { ...order, ...change } as unknown as TestBody, { as });
const codeOf = ({ body }: { body: unknown }) => (body as fhir4.OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code;
const isUnsigned = ({ meta }: Order) => meta?.tag?.some(({ code }) => code === 'unsigned') ?? false;
const because = { statusReason: { text: 'A rash' } };

/** By the words of docs/prescriptions.md alone. */
const hashOf = (order: Order): string => {
  const { meta: _meta, text: _text, status: _status, statusReason: _reason, insurance: _payer, ...rest } = order;
  const { detectedIssue: _issues, eventHistory: _events, identifier: _identifier, ...told } = rest;
  const { performer: _pharmacy, ...dispensing } = told.dispenseRequest ?? {};
  const { dispenseRequest: _dispensing, ...kept } = told;
  const part = Object.keys(dispensing).length > 0 ? { ...kept, dispenseRequest: dispensing } : kept;
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : value !== null && typeof value === 'object'
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, each]) => [name, sorted(each)]),
          )
        : value;
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(sorted(part)))
    .digest('hex')}`;
};
const signatureOf = ({ meta }: Order) =>
  Object.fromEntries(
    (meta?.extension?.find(({ url }) => url.endsWith('/signature'))?.extension ?? []).map(
      ({ url, valueReference, valueString }) => [url, valueReference?.reference ?? valueString],
    ),
  );

describe('signing an order', () => {
  it('brings a draft into force, by who answers for it', async () => {
    const order = await signed();
    const now = await read(order);

    expect(now).toMatchObject({ status: 'active', requester: { reference: prescriber.claims?.['fhirUser'] } });
    expect(now.authoredOn).toBeDefined();
    expect(isUnsigned(now)).toBe(false);
    expect(signatureOf(now)).toMatchObject({ signer: prescriber.claims?.['fhirUser'], hash: hashOf(now) });
  });

  it('is what a draft comes into force by, and nothing else', async () => {
    const draft = await create(server, orderBody(), prescriber);

    const byHand = await put(draft, { status: 'active' });

    expect([byHand.status, codeOf(byHand)]).toEqual([422, 'illegal-move']);
    expect((await read(draft)).status).toBe('draft');
  });

  it('is what a plan comes into force by once it is an order', async () => {
    const plan = await create(server, orderBody({ status: 'active', intent: 'plan' }), prescriber);

    const byHand = await put(plan, { intent: 'order' });

    expect([byHand.status, codeOf(byHand)]).toEqual([422, 'illegal-move']);
  });

  it('is for prescribers alone', async () => {
    const draft = await create(server, orderBody(), prescriber);
    const answers = await Promise.all(['nurse', 'pharmacist', 'frontdesk'].map((role) => sign(draft, { role })));

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await sign(draft, { role: 'physician', organization: 'lakeside' })).status).toBe(404);
    expect((await sign(draft, system)).status).toBe(403);
    expect((await read(draft)).status).toBe('draft');
  });

  it('answers with the order as it is where it is signed already', async () => {
    const order = await signed();

    const again = await sign(order);

    expect([again.status, (again.body as unknown as Stored<Order>).meta.versionId]).toEqual([
      200,
      order.meta.versionId,
    ]);
  });

  it.each([
    ['completed', {}],
    ['stopped', {}],
    ['draft', { intent: 'plan' }],
  ] as const)('is refused for what is %s, with %j', async (status, elements) => {
    const order = await create(server, orderBody({ status, ...elements }), prescriber);

    const answer = await sign(order);

    expect([answer.status, codeOf(answer)]).toEqual([422, 'not-signable']);
  });

  it('orders nothing for a patient who has died', async () => {
    const draft = await create(server, orderBody(), prescriber);
    await server.put(pathOf(patient), { ...patient, deceasedBoolean: true }, {});

    const answer = await sign(draft);

    expect([answer.status, codeOf(answer)]).toEqual([422, 'patient-deceased']);
  });
});

describe('who signs', () => {
  const expired = licensedBody({
    qualification: [{ code: { text: 'MD' }, identifier: [{ value: '1' }], period: { end: '2020-01-01' } }],
  });

  it.each<[string, Partial<fhir4.Practitioner>]>([
    ['no licence', { qualification: [{ code: { text: 'MD' } }] }],
    ['an expired one', expired],
    ['been made inactive', { active: false }],
  ])('signs nothing who has %s', async (_, elements) => {
    const draft = await create(server, orderBody(), prescriber);

    const answer = await sign(draft, await prescriberOf(server, elements));

    expect([answer.status, codeOf(answer)]).toEqual([403, 'licence-missing']);
    expect((await read(draft)).status).toBe('draft');
  });

  it('signs by a position that is in force, and held by somebody licensed', async () => {
    const held = async (elements: Partial<fhir4.PractitionerRole>, person = prescriber) => {
      const position = await create(
        server,
        {
          resourceType: 'PractitionerRole',
          practitioner: { reference: String(person.claims?.['fhirUser']) },
          ...elements,
        } as fhir4.PractitionerRole,
        admin,
      );
      return sign(await create(server, orderBody(), prescriber), {
        role: 'physician',
        claims: { fhirUser: referenceTo(position) },
      });
    };
    const answers = [
      await held({ active: true, period: { start: '2020-01-01' } }),
      await held({ active: false }),
      await held({ period: { end: '2020-01-01' } }),
      await held({}, await prescriberOf(server, expired)),
    ];

    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [200, undefined],
      [403, 'licence-missing'],
      [403, 'licence-missing'],
      [403, 'licence-missing'],
    ]);
  });
});

describe('an order of a controlled substance', () => {
  const oxycodone = { medicationCodeableConcept: { text: 'Oxycodone 5 mg' } };
  const signedWith = async (order: Stored<Order>, parameter: fhir4.ParametersParameter[] = []) =>
    server.post(`${pathOf(order)}/$sign`, { resourceType: 'Parameters', parameter } as unknown as TestBody, {
      as: prescriber,
      headers: { prefer: 'return=OperationOutcome' },
    });

  it('is not signed here, whatever the reason', async () => {
    const draft = await create(server, orderBody(oxycodone), prescriber);
    const answers = [
      await signedWith(draft),
      await signedWith(draft, [{ name: 'overrideReason', valueString: 'The pain is strong' }]),
    ];

    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [422, 'controlled-substance'],
      [422, 'controlled-substance'],
    ]);
    expect((await read(draft)).status).toBe('draft');
  });

  it('is stored where it is in force elsewhere, and stays unsigned', async () => {
    const order = await create(server, orderBody({ ...oxycodone, status: 'active' }), system);
    const answer = await signedWith(order);

    expect(codeOf(answer)).toBe('controlled-substance');
    expect(isUnsigned(await read(order))).toBe(true);
  });

  it('may be not to be given, and may be what nobody knows: then that is said', async () => {
    const not = await create(server, orderBody({ ...oxycodone, doNotPerform: true }), prescriber);
    const unknown = await create(server, orderBody(), prescriber);
    const told = ({ body }: { body: unknown }) =>
      (body as fhir4.OperationOutcome).issue.some(({ diagnostics, details }) =>
        `${diagnostics ?? ''}${details?.text ?? ''}`.startsWith('controlled: Not checked'),
      );
    const answers = [await signedWith(not), await signedWith(unknown)];

    expect(answers.map((answer) => [answer.status, told(answer)])).toEqual([
      [200, false],
      [200, true],
    ]);
  });
});

describe('a signed order', () => {
  it('goes on: its state, its pharmacy and its payer change', async () => {
    const order = await signed();
    const held = await put(order, { status: 'on-hold', ...because });
    const resumed = await put(order, {
      status: 'active',
      dispenseRequest: { ...order.dispenseRequest, performer: { display: 'Elm Street Pharmacy' } },
    });
    const stopped = await put(order, { status: 'stopped', ...because });
    const now = await read(order);

    expect([held, resumed, stopped].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(signatureOf(now)).toMatchObject({ hash: hashOf(now) });
  });

  it('is held and stopped for a reason alone', async () => {
    const order = await signed();
    const answers = [await put(order, { status: 'on-hold' }), await put(order, { status: 'stopped' })];

    expect(answers.map(codeOf)).toEqual(['move-needs-reason', 'move-needs-reason']);
  });

  it.each<[string, Partial<Order>]>([
    ['the medicine', { medicationCodeableConcept: { text: 'Penicillin V' } }],
    ['the dose', { dosageInstruction: [{ text: 'two, three times a day' }] }],
    ['the repeats', { dispenseRequest: { numberOfRepeatsAllowed: 9 } }],
    ['what is noted', { note: [{ text: 'or as needed' }] }],
    ['who ordered', { requester: { display: 'Somebody' } }],
  ])('keeps %s, on every way to write', async (_, change) => {
    const order = await signed();
    const path = pathOf(order);
    const [name = '', value] = Object.entries(change)[0] ?? [];
    const answers = [
      await put(order, change),
      await put(order, change, system),
      await server.request('PATCH', path, {
        as: prescriber,
        body: [{ op: 'add', path: `/${name}`, value }],
        headers: { 'content-type': 'application/json-patch+json' },
      }),
      await server.post(
        '',
        {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: { ...order, ...change }, request: { method: 'PUT', url: path } }],
        } as unknown as TestBody,
        { as: prescriber },
      ),
      await server.request('DELETE', path, { as: prescriber }),
    ];

    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(answers.map(() => [422, 'signed']));
    expect((await read(order)).meta?.versionId).toBe(order.meta.versionId);
  });

  it('stops the order that it replaces, in the same transaction', async () => {
    const before = await signed();
    const after = await signed({
      priorPrescription: { reference: referenceTo(before) },
      dosageInstruction: [{ text: 'two' }],
    });
    const stopped = await read(before);

    expect(stopped).toMatchObject({ status: 'stopped', statusReason: { text: `Replaced by ${referenceTo(after)}` } });
    expect(signatureOf(stopped)).toMatchObject({ hash: hashOf(stopped) });
    expect((await read(after)).status).toBe('active');
  });

  it('leaves what it replaces as it is where that is over', async () => {
    const before = await signed();
    await put(before, { status: 'completed' });
    await signed({ priorPrescription: { reference: referenceTo(before) } });

    expect((await read(before)).status).toBe('completed');
  });

  it('takes two sequential calls', async () => {
    const draft = await create(server, orderBody(), prescriber);
    server.calls.reset();
    await sign(draft);

    expect(server.calls.names.filter((name) => name.startsWith('Transact'))).toHaveLength(1);
    expect(server.calls.sequential()).toBeLessThanOrEqual(2);
  });
});

describe('an order that is in force elsewhere', () => {
  it('says that nobody has signed it here, until somebody does', async () => {
    const order = await create(server, orderBody({ status: 'active' }), system);
    expect(isUnsigned(order)).toBe(true);
    const { tag: _tag, ...meta } = order.meta;
    await put(order, { meta } as Partial<Order>, system);
    const still = await read(order);
    const answer = await sign(order);

    expect(isUnsigned(still)).toBe(true);
    expect(answer.status).toBe(200);
    expect(isUnsigned(await read(order))).toBe(false);
  });

  it('says so whatever is made of its tags', async () => {
    const order = await create(server, orderBody({ status: 'active' }), system);
    const tags = (operation: string, of: Stored<Order>) =>
      server.post(
        `${pathOf(of)}/${operation}`,
        {
          resourceType: 'Parameters',
          parameter: [
            {
              name: 'meta',
              valueMeta: { tag: [{ system: 'https://concord.example/fhir/CodeSystem/order', code: 'unsigned' }] },
            },
          ],
        } as unknown as TestBody,
        { as: prescriber },
      );
    const done = await signed();
    const answers = [await tags('$meta-delete', order), await tags('$meta-add', done)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect([isUnsigned(await read(order)), isUnsigned(await read(done))]).toEqual([true, false]);
  });

  it('says so no more when it is over, and nobody says so of another', async () => {
    const order = await create(server, orderBody({ status: 'active' }), system);
    await put(order, { status: 'completed' }, system);
    const forged = await create(server, orderBody({ meta: { tag: order.meta.tag ?? [] } }), prescriber);

    expect(isUnsigned(await read(order))).toBe(false);
    expect(isUnsigned(forged)).toBe(false);
  });

  it('comes from a prescriber or a system', async () => {
    const answers = await Promise.all(
      ['nurse', 'pharmacist', 'lab'].map((role) =>
        server.post('MedicationRequest', orderBody({ status: 'active' }) as unknown as TestBody, { as: { role } }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(isUnsigned(await create(server, orderBody({ status: 'active' }), prescriber))).toBe(true);
  });
});

describe('an order in force', () => {
  const methotrexate = { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6851' }] };
  const conditionOf = (code: string): fhir4.Condition => ({
    resourceType: 'Condition',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    subject: { reference: referenceTo(patient) },
    recordedDate: new Date().toISOString(),
  });

  it('is checked again when a pregnancy is recorded, and no other condition costs a call more', async () => {
    const order = await signed({ medicationCodeableConcept: methotrexate });
    server.calls.reset();
    await create(server, conditionOf('38341003'));
    const calls = server.calls.sequential();
    const pregnancy = await create(server, conditionOf('77386006'));
    const { body } = await server.get(`DetectedIssue?patient=${referenceTo(patient)}`);
    const issues = ((body as unknown as fhir4.Bundle).entry ?? []).map(
      ({ resource }) => resource as fhir4.DetectedIssue,
    );

    expect(calls).toBe(1);
    expect(issues).toMatchObject([
      { implicated: [{ reference: referenceTo(order) }, { reference: referenceTo(pregnancy) }] },
    ]);
  });
});
