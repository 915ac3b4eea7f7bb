import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../../shared/cds-hooks/cards.ts';
import { builtInPack } from '../../shared/order-checks/built-in.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Order checks as CDS Hooks 2.0: what is found, and what was not checked, with the rights of who asks. https://cds-hooks.hl7.org/2.0/

type Order = fhir4.MedicationRequest;
const host = 'https://concord.test';
const rxnorm = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }],
});
const amoxicillin = rxnorm('723');
const warfarin = rxnorm('11289');
const aspirin = rxnorm('1191');

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

const order = (medicine: fhir4.CodeableConcept, elements: Partial<Order> = {}): Order => ({
  resourceType: 'MedicationRequest',
  id: 'draft-1',
  status: 'draft',
  intent: 'order',
  medicationCodeableConcept: medicine,
  subject: { reference: referenceTo(patient) },
  ...elements,
});
const takes = (medicine: fhir4.CodeableConcept, elements: Partial<fhir4.MedicationStatement> = {}, as?: TestCaller) =>
  create<fhir4.MedicationStatement>(
    server,
    {
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: medicine,
      subject: { reference: referenceTo(patient) },
      ...elements,
    },
    as,
  );
const allergyTo = (code: fhir4.CodeableConcept, elements: Partial<fhir4.AllergyIntolerance> = {}, as?: TestCaller) =>
  create<fhir4.AllergyIntolerance>(
    server,
    {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
      code,
      patient: { reference: referenceTo(patient) },
      ...elements,
    },
    as,
  );
const bundleOf = (...resources: readonly object[]) => ({
  resourceType: 'Bundle',
  entry: resources.map((resource) => ({ resource })),
});
const call = (hook: string, body: object, as: TestCaller = prescriber) =>
  server.request('POST', `${host}/cds-services/${hook}`, { as, body, headers: { 'content-type': 'application/json' } });
const hookBody = (hook: string, context: object = {}, more: object = {}) => ({
  hook,
  hookInstance: randomUUID(),
  context: { userId: 'Practitioner/1', patientId: patient.id, ...context },
  ...more,
});
const view = (as?: TestCaller) => call('patient-view', hookBody('patient-view'), as);
const signHook = (drafts: readonly object[], as?: TestCaller) =>
  call('order-sign', hookBody('order-sign', { draftOrders: bundleOf(...drafts) }), as);
const cardsIn = ({ status, body }: { status: number; body: TestBody }) => {
  expect(status, JSON.stringify(body)).toBe(200);
  return (body as unknown as { cards: Card[] }).cards;
};
const toldIn = (card: Card | undefined) =>
  (card?.extension['example.concord.order-check'] ?? {}) as Record<string, unknown>;
const codesIn = (answer: { status: number; body: TestBody }) => cardsIn(answer).map(({ source }) => source.topic.code);
const issues = async () =>
  resourcesIn(
    (await server.get(`DetectedIssue?patient=${referenceTo(patient)}`)).body,
  ) as unknown as Stored<fhir4.DetectedIssue>[];

/** What the access log has of `order-sign`. */
const traces = async (): Promise<fhir4.AuditEvent[]> => {
  const log = `AuditEvent?patient=${referenceTo(patient)}&_count=100`;
  const events = resourcesIn(
    (await server.get(log, { as: { role: 'privacy' } })).body,
  ) as unknown as fhir4.AuditEvent[];
  const asks = ({ query = '' }: fhir4.AuditEventEntity) =>
    Buffer.from(query, 'base64').toString().startsWith('cds-services/order-sign');
  return events.filter(({ entity = [] }) => entity.some(asks));
};

describe('GET /cds-services', () => {
  it('lists the services to everybody, with what they would have prefetched', async () => {
    const { status, headers, body } = await server.request('GET', `${host}/cds-services`, { token: '' });

    const { services } = body as unknown as { services: { id: string; hook: string; prefetch: object }[] };
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(services.map(({ id, hook }) => [id, hook])).toEqual([
      ['patient-view', 'patient-view'],
      ['order-select', 'order-select'],
      ['order-sign', 'order-sign'],
    ]);
    expect(services[0]?.prefetch).toMatchObject({ patient: 'Patient/{{context.patientId}}' });
  });

  it('is only read', async () => {
    expect((await server.request('POST', `${host}/cds-services`, { body: {} })).status).toBe(405);
  });
});

describe('order-sign', () => {
  it('tells of a clash in a card with its severity, its source and what may be done', async () => {
    const allergy = await allergyTo(amoxicillin);
    const [card, rest, ...others] = cardsIn(await signHook([order(rxnorm('2180'))])); // cefazolin
    const { edition } = await builtInPack();

    expect(others).toEqual([]);
    expect(card).toMatchObject({ indicator: 'info', source: { topic: { code: 'allergy-cross' } } });
    expect(card?.source.url).toMatch(/^https:/);
    expect(card?.detail).toContain('Source: ');
    expect(toldIn(card)).toMatchObject({ severity: 'moderate', record: referenceTo(allergy), edition });
    expect(rest?.source.topic.code).toBe('not-checked');
    const [same] = cardsIn(await signHook([order(amoxicillin)]));
    expect(same).toMatchObject({
      indicator: 'critical',
      suggestions: [{ actions: [{ type: 'delete', resourceId: 'MedicationRequest/draft-1' }] }],
      selectionBehavior: 'any',
    });
    expect(same?.summary.length).toBeLessThan(140);
    expect(same?.overrideReasons?.length).toBeGreaterThan(0);
  });

  it('holds what is signed together against each other, and tells of it once', async () => {
    const answer = await signHook([order(warfarin), order(aspirin, { id: 'draft-2' })]);

    expect(codesIn(answer)).toEqual(['interaction', 'not-checked']);
  });

  it('finds what $sign finds', async () => {
    await allergyTo(amoxicillin);
    await takes(warfarin);
    const medicines = [amoxicillin, aspirin, rxnorm('6809'), { text: 'The blue pill' }];
    for (const medicine of medicines) {
      const draft = await create(server, { ...order(medicine), id: undefined } as unknown as Order, prescriber);
      const found = cardsIn(await signHook([draft])).flatMap(({ indicator, source }) =>
        indicator === 'critical' || (indicator === 'warning' && source.topic.code !== 'not-checked')
          ? [source.topic.code]
          : [],
      );
      const signed = await server.post(`${pathOf(draft)}/$sign`, { resourceType: 'Parameters' }, { as: prescriber });
      const stopping = signed.status === 200 ? [] : [...(signed.body as unknown as fhir4.OperationOutcome).issue];
      expect(found).toEqual(stopping.map(({ extension }) => extension?.[0]?.extension?.[0]?.valueCode));
    }
  });

  it('counts what an order replaces where that goes on, and not where signing stops it', async () => {
    const own = await create(
      server,
      { ...order(warfarin, { status: 'active' }), id: undefined } as unknown as Order,
      system,
    );
    const replacing = { priorPrescription: { reference: referenceTo(own) } };
    expect(codesIn(await signHook([order(aspirin, replacing)]))).toEqual(['not-checked']);
    const gone = { priorPrescription: { reference: `${referenceTo(own)}x` } };
    expect(codesIn(await signHook([order(aspirin, gone)]))).toEqual(['interaction', 'not-checked']);
  });

  it('says in the same words what was not checked, whether something is hidden or not there', async () => {
    const before = cardsIn(await signHook([order(amoxicillin)])).at(-1);
    await allergyTo(
      amoxicillin,
      { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] } },
      { role: 'physician', claims: { fhirUser: 'Practitioner/therapist' } },
    );
    const hidden = cardsIn(await signHook([order(amoxicillin)]));
    const unknown = cardsIn(await signHook([order({ text: 'The blue pill' })])).at(-1);

    expect(hidden.map(({ detail }) => detail)).toEqual([before?.detail]);
    expect(before?.indicator).toBe('info');
    expect(unknown?.indicator).toBe('warning');
    expect(unknown?.detail).toContain('the medicine that is ordered, or a part of it, is not known to the pack');
  });

  it('says of orders of something else that they were not checked', async () => {
    const service = { resourceType: 'ServiceRequest', id: 's', status: 'draft', intent: 'order', subject: {} };

    expect(cardsIn(await signHook([service]))[0]).toMatchObject({
      indicator: 'warning',
      detail: expect.stringContaining('an order that is not one of a medicine') as string,
    });
  });

  it('takes words of a record for words: nothing in them becomes a link', async () => {
    await create(
      server,
      observationBody(referenceTo(patient), {
        code: { coding: [{ system: 'http://loinc.org', code: '98979-8' }] },
        effectiveDateTime: new Date().toISOString(),
        valueQuantity: {
          value: 20,
          unit: '[mL](https://evil.example)',
          system: 'http://unitsofmeasure.org',
          code: 'mL/min/{1.73_m2}',
        },
      }),
    );
    const [card] = cardsIn(await signHook([order(rxnorm('6809'))]));

    expect(card?.source.topic.code).toBe('renal');
    expect(card?.detail).not.toContain('](http');
  });

  it.each([
    [
      'an order that is no legal FHIR',
      () => [{ ...order(warfarin), intent: 'perhaps' }],
      'context.draftOrders.entry[0].resource.intent',
    ],
    ['an id that is there twice', () => [order(warfarin), order(aspirin)], 'context.draftOrders.entry[1].resource.id'],
    [
      'an order that is over',
      () => [order(warfarin, { status: 'stopped' })],
      'context.draftOrders.entry[0].resource.status',
    ],
    [
      'an order for somebody else',
      () => [order(warfarin, { subject: { reference: 'Patient/other' } })],
      'context.draftOrders',
    ],
    ['what is no resource', () => [{}], 'context.draftOrders.entry[0].resource.resourceType'],
  ])('refuses %s, naming the place', async (_, drafts, place) => {
    const { status, body } = await signHook(drafts());

    expect([status, body.resourceType, issuesOf(body)[0]?.expression]).toEqual([400, 'OperationOutcome', place]);
  });

  it('takes an order for who was merged with the patient', async () => {
    const other = await create(server, patientBody());
    const theirs = { subject: { reference: referenceTo(other) } };
    await allergyTo(amoxicillin, { patient: { reference: referenceTo(other) } });
    expect((await signHook([order(amoxicillin, theirs)])).status).toBe(400);
    await server.post(`${pathOf(patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
    });

    expect(codesIn(await signHook([order(amoxicillin, theirs)]))).toEqual(['allergy-same', 'not-checked']);
  });
});

describe('order-select', () => {
  it('asks about what is selected alone, and counts the rest', async () => {
    await allergyTo(amoxicillin);
    const draftOrders = bundleOf(
      order(warfarin),
      order(aspirin, { id: 'draft-2' }),
      order(amoxicillin, { id: 'draft-3' }),
    );
    const select = (selections: readonly string[]) =>
      call('order-select', hookBody('order-select', { draftOrders, selections }));

    expect(codesIn(await select(['MedicationRequest/draft-1']))).toEqual(['interaction', 'not-checked']);
    const stray = await select(['MedicationRequest/draft-9']);
    expect([stray.status, issuesOf(stray.body)[0]?.expression]).toEqual([400, 'context.selections[0]']);
  });
});

describe('patient-view', () => {
  it('shows what clashes in the chart, each pair once, however many records there are of a medicine', async () => {
    await allergyTo(aspirin);
    await takes(warfarin);
    await takes(aspirin);
    await takes(aspirin);
    await takes(amoxicillin, { status: 'completed' });

    const answer = await view();
    expect(codesIn(answer).toSorted()).toEqual(
      ['allergy-same', 'duplicate-ingredient', 'interaction', 'not-checked'].toSorted(),
    );
    expect(cardsIn(answer)[0]?.indicator).toBe('critical');
    expect(cardsIn(answer).every(({ suggestions }) => suggestions === undefined)).toBe(true);
  });

  it('does not hold a statement against the order that it tells of', async () => {
    const told = await create(
      server,
      { ...order(warfarin, { status: 'active' }), id: undefined } as unknown as Order,
      system,
    );
    await takes(warfarin, { basedOn: [{ reference: referenceTo(told) }] });

    expect(codesIn(await view())).toEqual(['not-checked']);
  });

  it('says so where nothing is taken', async () => {
    const [card] = cardsIn(await view());

    expect(card?.detail).toContain('no current medicine is recorded');
  });

  it('does not believe what the client sends along, and calls nobody', async () => {
    await takes(warfarin);
    const stranger = { fhirServer: 'https://evil.example/fhir', fhirAuthorization: { access_token: 'secret' } };
    const prefetch = { statements: bundleOf({ resourceType: 'MedicationStatement' }), patient: null };
    const answer = await call('patient-view', hookBody('patient-view', {}, { ...stranger, prefetch }));
    const broken = await call('patient-view', hookBody('patient-view', {}, { prefetch: { patient: 'Patient/1' } }));

    expect(codesIn(answer)).toEqual(['not-checked']);
    expect([broken.status, issuesOf(broken.body)[0]?.expression]).toEqual([400, 'prefetch.patient']);
  });

  it('takes two sequential calls', async () => {
    await takes(warfarin);
    server.calls.reset();
    await view();

    expect(server.calls.sequential()).toBe(2);
  });
});

describe('who asks', () => {
  it('is told of a patient who is not to be seen as of none', async () => {
    await allergyTo(amoxicillin);
    const elsewhere = await view({ role: 'physician', organization: 'lakeside' });
    const body = hookBody('patient-view', { patientId: 'nobody' });
    const missing = await call('patient-view', body);

    expect([elsewhere.status, missing.status]).toEqual([404, 404]);
    expect(issuesOf(elsewhere.body)).toEqual(issuesOf(missing.body));
  });

  it.each(['frontdesk', 'support', 'privacy', 'admin', 'lab'])(
    'is refused as %s, who sees no such records',
    async (role) => {
      expect((await view({ role })).status).toBe(403);
    },
  );

  it('is refused as a patient, and with a token that covers a part of it alone', async () => {
    const self = await view({ role: 'patient', patient: patient.id });
    const narrow = await view({ role: 'physician', scope: 'user/MedicationRequest.rs user/Patient.rs' });

    expect([self.status, narrow.status]).toEqual([403, 403]);
  });

  it('needs a token, a service that there is, and a request as CDS Hooks has it', async () => {
    const url = `${host}/cds-services/patient-view`;
    const open = await server.request('POST', url, { token: '', body: hookBody('patient-view') });
    const unknown = await call('order-dispatch', hookBody('order-dispatch'));
    const read = await server.request('GET', url, { as: prescriber });
    const other = await call('patient-view', hookBody('order-sign'));
    const { hookInstance: _none, ...without } = hookBody('patient-view');
    const nameless = await call('patient-view', without);

    expect([open.status, unknown.status, read.status]).toEqual([401, 404, 405]);
    expect([other.status, issuesOf(other.body)[0]?.expression]).toEqual([400, 'hook']);
    expect([nameless.status, issuesOf(nameless.body)[0]?.expression]).toEqual([400, 'hookInstance']);
  });

  it('leaves a trace of the patient and of each record that is told of', async () => {
    const allergy = await allergyTo(amoxicillin);
    await signHook([order(amoxicillin)]);
    const seen = (await traces()).flatMap(({ entity = [] }) => entity.flatMap(({ what }) => what?.reference ?? []));

    expect(seen).toEqual(expect.arrayContaining([referenceTo(patient), referenceTo(allergy)]));
  });

  it('sees another chart for who has broken the glass, and that is said of the trace', async () => {
    const theirs = {
      role: 'physician',
      organization: 'lakeside',
      claims: { fhirUser: 'Practitioner/lakeside-physician' },
    };
    await allergyTo(amoxicillin);
    const broken = await server.post(
      `${pathOf(patient)}/$break-glass`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'purpose', valueCode: 'BTG' },
          { name: 'reason', valueString: 'Unconscious in the emergency room' },
        ],
      },
      { as: theirs },
    );
    expect(broken.status, JSON.stringify(broken.body)).toBeLessThan(300);

    expect(codesIn(await signHook([order(amoxicillin)], theirs))).toEqual(['allergy-same', 'not-checked']);
    const purposes = (await traces()).map(({ purposeOfEvent }) => purposeOfEvent?.[0]?.coding?.[0]?.code);
    expect(purposes.length).toBeGreaterThan(0);
    expect(purposes.every((purpose) => purpose === 'BTG')).toBe(true);
  });
});

describe('feedback', () => {
  const give = (hook: string, feedback: readonly object[], as: TestCaller = prescriber) =>
    call(`${hook}/feedback`, { feedback }, as);
  const at = '2026-01-02T03:04:05Z';
  const overridden = (card: Card | undefined, overrideReason?: object) => ({
    card: card?.uuid,
    outcome: 'overridden',
    outcomeTimestamp: at,
    ...(overrideReason ? { overrideReason } : {}),
  });

  it('keeps a clash of two orders that nobody has stored', async () => {
    const [card] = cardsIn(await signHook([order(warfarin), order(aspirin, { id: 'draft-2' })]));

    const { status, text } = await give('order-sign', [overridden(card, { userComment: 'For three days alone' })]);

    expect(status, text).toBe(200);
    const [issue, ...others] = await issues();
    expect([others, issue?.implicated, issue?.mitigation?.[0]?.action.text]).toEqual([
      [],
      undefined,
      'For three days alone',
    ]);
    expect(JSON.stringify(issue)).not.toContain('draft-2');
  });

  it('keeps an overridden finding with its reason, once', async () => {
    const allergy = await allergyTo(amoxicillin);
    const [card] = cardsIn(await signHook([order(amoxicillin)]));
    const given = overridden(card, { reason: card?.overrideReasons?.[0], userComment: 'Tolerated it for years' });
    const first = await give('order-sign', [given]);
    const again = await give('order-sign', [given]);

    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await issues()).toMatchObject([
      {
        status: 'final',
        meta: { versionId: '1' },
        patient: { reference: referenceTo(patient) },
        implicated: [{ reference: referenceTo(allergy) }], // the draft is not stored
        mitigation: [
          {
            action: { coding: [{ code: '1' }], text: 'Tolerated it for years' },
            date: at,
            author: { reference: prescriber.claims?.['fhirUser'] },
          },
        ],
      },
    ]);
  });

  it('keeps what was accepted, and what was overridden without a word', async () => {
    await allergyTo(amoxicillin);
    const [first] = cardsIn(await signHook([order(amoxicillin)]));
    const [second] = cardsIn(await signHook([order(amoxicillin)]));
    await give('order-sign', [
      {
        card: first?.uuid,
        outcome: 'accepted',
        acceptedSuggestions: [{ id: first?.suggestions?.[0]?.uuid }],
        outcomeTimestamp: at,
      },
    ]);
    await give('order-sign', [overridden(second)]);

    const [issue, ...others] = await issues(); // of one finding
    expect(others).toEqual([]);
    expect(issue?.mitigation?.map(({ action }) => action.text)).toEqual([
      'Accepted: Do not order it',
      'Overridden; no reason was given',
    ]);
  });

  it('joins the issue that tells of the finding already', async () => {
    await allergyTo(amoxicillin);
    await create(server, { ...order(amoxicillin, { status: 'active' }), id: undefined } as unknown as Order, system);
    const [before] = await issues();
    const [card] = cardsIn(await view());
    await give('patient-view', [overridden(card, { userComment: 'Skin test was negative' })]);

    expect(before?.mitigation).toBeUndefined();
    expect(await issues()).toMatchObject([
      { id: before?.id, mitigation: [{ action: { text: 'Skin test was negative' } }] },
    ]);
  });

  it('leaves a trace alone where nothing was found', async () => {
    const [card] = cardsIn(await view());

    expect((await give('patient-view', [overridden(card)])).status).toBe(200);
    expect(await issues()).toEqual([]);
  });

  it('is of who got the card: of others, and of cards that nobody knows, it is refused whole', async () => {
    await allergyTo(amoxicillin);
    const [card] = cardsIn(await signHook([order(amoxicillin)]));
    const others = await give('order-sign', [overridden(card)], { role: 'nurse' });
    const unknown = await give('order-sign', [overridden(card), { ...overridden(card), card: randomUUID() }]);
    const elsewhere = await give('patient-view', [overridden(card)]);
    const broken = await give('order-sign', [{ card: card?.uuid, outcome: 'perhaps', outcomeTimestamp: at }]);

    expect([others.status, unknown.status, elsewhere.status]).toEqual([404, 404, 404]);
    expect(issuesOf(others.body)).toEqual(issuesOf(unknown.body));
    expect([broken.status, issuesOf(broken.body)[0]?.expression]).toEqual([400, 'feedback[0].outcome']);
    expect(await issues()).toEqual([]);
  });
});
