import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
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
} from '../support/records.ts';

// What a care relationship opens between organisations where the network shares for treatment, and how it ends. Who is related is compared with a model in
// test/unit/relations.test.ts.

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const concept = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `${hl7}${system}`, code }],
});
const hillside: TestCaller = { role: 'physician', organization: 'hillside' };
const day = 86_400_000;
const now = Date.parse('2026-03-01T10:00:00Z');

let server: FhirServer;
/** Another deployment over the same table, where a Consent alone shares. */
let optIn: FhirServer;
beforeAll(async () => {
  const table = await localTable();
  server = await fhirServer(table, { sharing: 'treatment' });
  optIn = await fhirServer(table);
  server.setTime(now);
  for (const id of ['northside', 'lakeside', 'hillside'])
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
});

interface Chart {
  readonly patient: Stored<fhir4.Patient>;
  readonly subject: string;
  readonly observation: Stored<fhir4.Observation>;
}

const chart = async (): Promise<Chart> => {
  server.setTime(now);
  const patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  return { patient, subject, observation: await create(server, observationBody(subject)) };
};

const referralBody = (subject: string, elements: Partial<fhir4.ServiceRequest> = {}): fhir4.ServiceRequest => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject: { reference: subject },
  performer: [{ reference: 'Organization/lakeside' }],
  ...elements,
});

const optOutBody = (subject: string): fhir4.Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: concept('consentscope', 'patient-privacy'),
  category: [concept('consentcategorycodes', 'infa')],
  patient: { reference: subject },
  policyRule: concept('v3-ActCode', 'OPTOUT'),
});

/** Records that a relative may do for the patient what the patient may. */
const actFor = async (subject: string, proxy: fhir4.Reference) => {
  const parameter: fhir4.ParametersParameter[] = [
    { name: 'proxy', valueReference: proxy },
    { name: 'basis', valueCode: 'guardian' },
    { name: 'rights', valueCode: 'act' },
    { name: 'evidence', valueString: 'Order of the court, seen' },
  ];
  const body: fhir4.Parameters = { resourceType: 'Parameters', parameter };
  const { status } = await server.post(`${subject}/$grant-proxy`, body, { as: { role: 'frontdesk' } });
  expect(status).toBe(200);
};

const present = (subject: string, elements: Partial<fhir4.Encounter> = {}) =>
  encounterBody(subject, { status: 'in-progress', period: { start: '2026-03-01T09:00:00Z' }, ...elements });

/** A chart whose patient was referred to Lakeside, and has come. */
const related = async (referral: Partial<fhir4.ServiceRequest> = {}, visit: Partial<fhir4.Encounter> = {}) => {
  const known = await chart();
  const request = await create(server, referralBody(known.subject, referral));
  const encounter = await create(server, present(known.subject, visit), elsewhere);
  return { ...known, request, encounter };
};

const statusOf = async (path: string, as: TestCaller = elsewhere) => (await server.get(path, { as })).status;
const found = async (path: string, as: TestCaller = elsewhere) =>
  (await allPages(server, path, as)).flatMap(resourcesIn).map(referenceTo).sort();
const refused = async (body: fhir4.FhirResource, as: TestCaller = elsewhere) => {
  const { status } = await server.post(body.resourceType, body, { as });
  expect(status).toBe(400);
};

describe('a care relationship', () => {
  it('shares what was kept before, on every way to a record, once the patient who was referred has come', async () => {
    const { patient, subject, observation } = await chart();
    const request = await create(server, referralBody(subject));
    expect(await statusOf(pathOf(observation))).toBe(404);

    const encounter = await create(server, present(subject), elsewhere);

    for (const path of [
      pathOf(observation),
      `${pathOf(observation)}/_history`,
      `${pathOf(observation)}/_history/1`,
      pathOf(patient),
      pathOf(request),
    ])
      expect(await statusOf(path), path).toBe(200);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(observation)]);
    expect(await found(`${pathOf(patient)}/$everything`)).toEqual(
      [patient, observation, request, encounter, { resourceType: 'Organization', id: 'lakeside' }]
        .map(referenceTo)
        .sort(),
    );
    expect(await statusOf(pathOf(encounter), { role: 'physician' })).toBe(200);
    expect(await statusOf(pathOf(observation), hillside)).toBe(404);
    expect(await statusOf(pathOf(observation), { role: 'frontdesk', organization: 'lakeside' })).toBe(403);
  });

  it('lets its organisation write about the patient, and not into what others keep', async () => {
    const { patient, subject, observation, request } = await related();
    const own = await create(
      server,
      observationBody(subject, {
        basedOn: [{ reference: referenceTo(request) }],
        derivedFrom: [{ reference: referenceTo(observation) }],
      }),
      elsewhere,
    );

    expect(
      (await server.put(pathOf(observation), { ...observation, status: 'amended' }, { as: elsewhere })).status,
    ).toBe(403);
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([own, observation].map(referenceTo).sort());
    expect(await found(`Observation?patient=${patient.id}`, { role: 'physician' })).toEqual(
      [own, observation].map(referenceTo).sort(),
    );
  });

  it('is foreseen by $validate', async () => {
    const { subject } = await chart();
    const asked = async () => {
      const parameter = [
        { name: 'mode', valueCode: 'create' },
        { name: 'resource', resource: present(subject) },
      ];
      const { body } = await server.post(
        'Encounter/$validate',
        { resourceType: 'Parameters', parameter },
        { as: elsewhere },
      );
      return issuesOf(body).map(({ reason }) => reason);
    };
    expect(await asked()).toContain('reference-not-found');
    await create(server, referralBody(subject));

    expect(await asked()).not.toContain('reference-not-found');
  });

  it('is nothing that one organisation can make alone', async () => {
    const { subject, observation } = await chart();

    await refused(present(subject));
    await refused(referralBody(subject));
    await create(server, referralBody(subject, { performer: [{ reference: 'Organization/hillside' }] }));
    await refused(present(subject));
    await create(server, present(subject), hillside);
    await create(server, referralBody(subject), hillside);
    await refused(present(subject));
    expect(await statusOf(pathOf(observation))).toBe(404);
  });

  it('is nothing that a guest of the chart makes by its own order, whoever has seen the patient for another reason', async () => {
    const { subject } = await related();
    const seen = await create(server, observationBody(subject), elsewhere);
    await create(server, referralBody(subject, { performer: [{ reference: 'Organization/hillside' }] }));

    await create(server, referralBody(subject), hillside);

    expect(await statusOf(pathOf(seen), hillside)).toBe(404);
    expect(await statusOf(pathOf(seen), { role: 'physician' })).toBe(200);
  });

  it('is not closed by the Consent of a guest, but for what the guest keeps', async () => {
    const { subject, observation } = await related();
    await create(server, referralBody(subject, { performer: [{ reference: 'Organization/hillside' }] }));
    await create(server, present(subject), hillside);
    const guests = await create(server, observationBody(subject), hillside);
    expect(await statusOf(pathOf(guests), { role: 'physician' })).toBe(200);

    const consent = await create(server, optOutBody(subject), hillside);
    const tags = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'seen' }] } }] };
    expect((await server.post(`${pathOf(consent)}/$meta-add`, tags, { as: hillside })).status).toBe(200);

    expect(await statusOf(pathOf(observation))).toBe(200);
    expect(await statusOf(pathOf(guests), { role: 'physician' })).toBe(404);
  });

  it('is nothing that who acts for the patient can make: no Consent of theirs, and no Task', async () => {
    const { patient, subject, observation } = await chart();
    const relative = await create<fhir4.RelatedPerson>(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: subject },
    });
    const performer = { reference: referenceTo(relative) };
    const as: TestCaller = { role: 'patient', patient: patient.id, claims: { fhirUser: performer.reference } };
    await actFor(subject, performer);
    const consent = await server.post('Consent', { ...optOutBody(subject), performer: [performer] }, { as });
    expect([consent.status, issuesOf(consent.body)[0]?.reason]).toEqual([403, 'consent-by-proxy']);

    const task: fhir4.Task = {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
      for: { reference: subject },
      requester: performer,
      owner: { reference: 'Organization/lakeside' },
    };
    expect((await server.post('Task', task, { as })).status).toBe(201);

    await refused(present(subject));
    expect(await statusOf(pathOf(observation))).toBe(404);
  });

  it('is nothing that a referral makes alone, nor a visit that is planned', async () => {
    const { subject, observation } = await chart();
    await create(server, referralBody(subject));
    await create(server, present(subject, { status: 'planned' }), elsewhere);

    expect(await statusOf(pathOf(observation))).toBe(404);
  });

  it('comes of the visit that was asked for alone: by what it is based on, else by when it began', async () => {
    const { subject, observation } = await chart();
    const asked = { authoredOn: '2026-02-28', occurrencePeriod: { start: '2026-02-28', end: '2026-04-01' } };
    const first = await create(server, referralBody(subject, asked));
    const second = await create(
      server,
      referralBody(subject, { ...asked, performer: [{ reference: 'Organization/hillside' }] }),
    );
    const stay = await create(server, present(subject, { period: { start: '2026-02-27' } }), elsewhere);
    const put = async (elements: Partial<fhir4.Encounter>) => {
      const { status } = await server.put(pathOf(stay), { ...stay, ...elements }, { as: elsewhere });
      expect(status).toBe(200);
      return statusOf(pathOf(observation));
    };

    expect(await statusOf(pathOf(observation))).toBe(404);
    expect(await put({ basedOn: [{ reference: referenceTo(first) }] })).toBe(200);
    expect(await put({ period: { start: '2026-02-28' } })).toBe(200);
    // The referral of another organisation, which Lakeside may not name: a request of its own.
    const own = await create(server, referralBody(subject), elsewhere);
    expect(await put({ period: { start: '2026-02-28' }, basedOn: [{ reference: referenceTo(own) }] })).toBe(404);
    const { status } = await server.put(
      pathOf(stay),
      { ...stay, basedOn: [{ reference: referenceTo(second) }] },
      { as: elsewhere },
    );
    expect(status).toBe(400);
  });

  it('does not come of a visit in an emergency, whoever writes of it later, unless it names the referral', async () => {
    const { subject, observation } = await chart();
    const emergency: fhir4.Parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'purpose', valueCode: 'BTG' },
        { name: 'reason', valueString: 'Not responsive' },
      ],
    };
    const request = await create(server, referralBody(subject));
    expect((await server.post(`${subject}/$break-glass`, emergency, { as: elsewhere })).status).toBe(200);
    const visit = await create(server, present(subject), elsewhere);
    const colleague: TestCaller = { ...elsewhere, claims: { sub: 'colleague', fhirUser: 'Practitioner/colleague' } };

    expect(await statusOf(pathOf(observation), colleague)).toBe(404);
    const written = await server.put(pathOf(visit), { ...visit, status: 'onleave' }, { as: colleague });
    expect(written.status, JSON.stringify(written.body)).toBe(200);
    expect(await statusOf(pathOf(observation), colleague)).toBe(404);
    const basedOn = [{ reference: referenceTo(request) }];
    expect((await server.put(pathOf(visit), { ...visit, basedOn }, { as: colleague })).status).toBe(200);
    expect(await statusOf(pathOf(observation), colleague)).toBe(200);
  });

  it.each<[string, Partial<fhir4.ServiceRequest>]>([
    ['revoked', { status: 'revoked' }],
    ['entered in error', { status: 'entered-in-error' }],
    ['a draft', { status: 'draft' }],
    ['a proposal', { intent: 'proposal' }],
    ['not to be done', { doNotPerform: true }],
    ['over', { occurrencePeriod: { end: '2026-02-27' } }],
    ['done elsewhere, and imported', { status: 'completed' }],
  ])('does not come of a referral that is %s', async (_state, elements) => {
    const { subject } = await chart();
    await create(server, referralBody(subject, elements));

    await refused(present(subject));
  });

  it('comes of the patient’s own word instead, for whatever anybody keeps', async () => {
    const { patient, subject, observation } = await chart();
    const as: TestCaller = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds' };
    await create<fhir4.Consent>(
      server,
      {
        resourceType: 'Consent',
        status: 'active',
        scope: concept('consentscope', 'treatment'),
        category: [concept('consentcategorycodes', 'infa')],
        patient: { reference: subject },
        performer: [{ reference: subject }],
        policyRule: concept('v3-ActCode', 'OPTIN'),
        provision: {
          actor: [{ role: concept('v3-ParticipationType', 'IRCP'), reference: { reference: 'Organization/lakeside' } }],
        },
      },
      as,
    );
    await create(server, present(subject), elsewhere);

    expect(await statusOf(pathOf(observation))).toBe(200);
  });

  it('stays closed for what is labelled, and where the patient denies it', async () => {
    const { subject } = await related();
    const labelled = await create(
      server,
      observationBody(subject, { meta: { security: [{ system: `${hl7}v3-ActCode`, code: 'HIV' }] } }),
    );
    const plain = await create(server, observationBody(subject));
    expect(await statusOf(pathOf(labelled))).toBe(404);
    expect(await statusOf(pathOf(plain))).toBe(200);

    await create(server, optOutBody(subject));

    expect(await statusOf(pathOf(plain))).toBe(404);
  });

  it('is opened again by the patient, who may end any Consent of the own chart and change nothing else of it', async () => {
    const { patient, subject, observation } = await related();
    const as: TestCaller = { role: 'patient', patient: patient.id };
    const other = await create(server, patientBody());
    const consent = await create(server, {
      ...optOutBody(subject),
      performer: [{ reference: referenceTo(other) }],
    });
    expect(await statusOf(pathOf(observation))).toBe(404);
    const put = async (elements: Partial<fhir4.Consent>) => {
      const { status, body } = await server.put(pathOf(consent), { ...consent, ...elements }, { as });
      return status === 200 ? status : issuesOf(body)[0]?.reason;
    };

    expect(await put({ status: 'entered-in-error' })).toBe('not-own-words');
    expect(await put({ status: 'inactive', dateTime: '2026-01-01' })).toBe('not-own-words');
    expect(await put({ status: 'inactive', meta: { tag: [{ code: 'a' }] } })).toBe('not-own-words');
    expect(await put({ status: 'inactive' })).toBe(200);

    expect(await statusOf(pathOf(observation))).toBe(200);
    expect(await put({ status: 'active' })).toBe('not-own-words');
  });
});

describe('the end of a care relationship', () => {
  const ended = async (known: Awaited<ReturnType<typeof related>>) => {
    expect(await statusOf(pathOf(known.observation))).toBe(404);
    expect(await found(`Observation?patient=${known.patient.id}`)).toEqual([]);
    // What the organisation has written itself stays its own, and goes on to name the patient.
    expect(await found(`Encounter?patient=${known.patient.id}`)).toEqual([referenceTo(known.encounter)]);
    const { status } = await server.put(
      pathOf(known.encounter),
      { ...known.encounter, reasonCode: [{ text: 'r' }] },
      { as: elsewhere },
    );
    expect(status).toBe(200);
  };

  it('comes with the end that the referral names, by the clock', async () => {
    const known = await related({ occurrencePeriod: { end: '2026-03-05' } });
    server.setTime(Date.parse('2026-03-05T23:59:59Z'));
    expect(await statusOf(pathOf(known.observation))).toBe(200);

    server.setTime(Date.parse('2026-03-06T00:00:00Z'));

    await ended(known);
  });

  it.each(['revoked', 'entered-in-error'] as const)('comes at once with a referral that is %s', async (status) => {
    const known = await related();
    expect((await server.put(pathOf(known.request), { ...known.request, status })).status).toBe(200);

    await ended(known);
  });

  it('comes some days after the visit, by the clock', async () => {
    const known = await related();
    await server.put(
      pathOf(known.encounter),
      { ...known.encounter, status: 'finished', period: { ...known.encounter.period, end: '2026-03-01T10:00:00Z' } },
      { as: elsewhere },
    );
    server.setTime(now + 30 * day);
    expect(await statusOf(pathOf(known.observation))).toBe(200);

    server.setTime(now + 30 * day + 1_000);

    expect(await statusOf(pathOf(known.observation))).toBe(404);
  });

  it('comes some days after the referral is done, by the clock', async () => {
    const known = await related();
    await server.put(pathOf(known.request), { ...known.request, status: 'completed' });
    server.setTime(now + 30 * day - 1_000);
    expect(await statusOf(pathOf(known.observation))).toBe(200);

    server.setTime(now + 30 * day + 1_000);

    expect(await statusOf(pathOf(known.observation))).toBe(404);
  });

  it.each(['entered-in-error', 'cancelled'] as const)('comes at once with a visit that is %s', async (status) => {
    const known = await related({}, { status: 'arrived' });
    expect(await statusOf(pathOf(known.observation))).toBe(200);
    await server.put(pathOf(known.encounter), { ...known.encounter, status }, { as: elsewhere });

    expect(await statusOf(pathOf(known.observation))).toBe(404);
    expect(await found(`Encounter?patient=${known.patient.id}`)).toEqual([referenceTo(known.encounter)]);
  });

  it('comes with the deletion of the visit', async () => {
    const known = await related();
    const own = await create(server, observationBody(known.subject), elsewhere);
    expect((await server.delete(pathOf(known.encounter), { as: elsewhere })).status).toBe(204);

    expect(await statusOf(pathOf(known.observation))).toBe(404);
    expect(await found(`Observation?patient=${known.patient.id}`)).toEqual([referenceTo(own)]);
  });
});

describe('a booking at the time of one that another organisation keeps', () => {
  const appointment = (subject: string): fhir4.Appointment => ({
    resourceType: 'Appointment',
    status: 'booked',
    start: '2026-03-02T10:00:00Z',
    end: '2026-03-02T10:30:00Z',
    participant: [{ actor: { reference: subject }, status: 'accepted' }],
  });
  const warnedBy = async (subject: string, as: TestCaller) => {
    const { status, headers } = await server.post('Appointment', appointment(subject), { as });
    expect(status).toBe(201);
    return headers['x-fhir-request-validation'] ?? 'nothing';
  };

  it('warns who may see that one, and nobody else', async () => {
    const meta = { security: [{ system: `${hl7}v3-ActCode`, code: 'HIV' }] };
    const [open, closed] = [await related(), await related()];
    const other = await create(server, appointment(open.subject));
    const labelled = await create(server, { ...appointment(closed.subject), meta });

    expect(await warnedBy(open.subject, elsewhere)).toContain(referenceTo(other));
    expect(await warnedBy(closed.subject, elsewhere)).toBe('nothing');
    expect(await warnedBy(closed.subject, { role: 'physician' })).toContain(referenceTo(labelled));
  });
});

describe('that more of a chart exists', () => {
  const hiv = { security: [{ system: `${hl7}v3-ActCode`, code: 'HIV' }] };
  /** For each page, how many records it shows and what it says besides. */
  const told = async (path: string, as: TestCaller = elsewhere) =>
    (await allPages(server, path, as)).map((page) => {
      const all = resourcesIn(page);
      const said = all.filter(({ resourceType }) => resourceType === 'OperationOutcome').flatMap(issuesOf);
      return [all.length - said.length, ...said.map(({ reason }) => reason)];
    });

  it('is told to a clinician who treats the patient, once, and not what it is', async () => {
    const { patient, subject } = await related();
    expect(await told(`${pathOf(patient)}/$everything`)).toEqual([[5]]);
    await create(server, observationBody(subject, { meta: hiv }));

    expect(await told(`${pathOf(patient)}/$everything`)).toEqual([[5, 'more-exists']]);
    // The Patient is not on the line.
    expect(await told(`${pathOf(patient)}/$timeline?_count=2`)).toEqual([[2], [1, 'more-exists']]);
    expect(await told(`${pathOf(patient)}/$timeline?_type=Observation`)).toEqual([[1]]);
    const pages = await told(`${pathOf(patient)}/$everything?_count=1`);
    expect(pages.map(([, reason]) => reason)).toEqual([...pages.slice(1).map(() => undefined), 'more-exists']);
    expect(await told(`${pathOf(patient)}/$everything?_type=Observation`)).toEqual([[1]]);
    expect(await told(`${pathOf(patient)}/$everything`, { role: 'physician' })).toEqual([[6]]);
    const { body } = await server.get(`${pathOf(patient)}/$everything`, { as: elsewhere });
    expect(JSON.stringify(body)).not.toContain('HIV');
    const notices = resourcesIn(body).filter(({ resourceType }) => resourceType === 'OperationOutcome');
    expect(notices).toHaveLength(1);
    expect(JSON.stringify(notices)).not.toContain('northside');
  });

  it('is told to the organisation that keeps the chart, without a call for those that nobody else writes in', async () => {
    const { patient, subject } = await chart();
    server.calls.reset();
    expect(await told(`${pathOf(patient)}/$everything`, { role: 'physician' })).toEqual([[2]]);
    expect(server.calls.names.toSorted()).toEqual(['GetItem', 'PutItem', 'Query']);
    await create(server, referralBody(subject));
    await create(server, observationBody(subject, { meta: hiv }), elsewhere);

    expect(await told(`${pathOf(patient)}/$everything`, { role: 'physician' })).toEqual([[4, 'more-exists']]);
    expect(await told(`${pathOf(patient)}/$everything`, { role: 'system' })).toEqual([[4]]);
    expect(await told(`${pathOf(patient)}/$everything`, { role: 'patient', patient: patient.id })).toEqual([[5]]);
  });

  it('is not told to who sees some of it by a Consent alone', async () => {
    const { patient, subject } = await chart();
    await create(server, observationBody(subject, { meta: hiv }));
    await create<fhir4.Consent>(server, {
      resourceType: 'Consent',
      status: 'active',
      scope: concept('consentscope', 'patient-privacy'),
      category: [concept('consentcategorycodes', 'infa')],
      patient: { reference: subject },
      policyRule: concept('v3-ActCode', 'OPTIN'),
    });

    expect(await told(`${pathOf(patient)}/$everything`)).toEqual([[2]]);
  });

  it('may be so of every list: it says that it covers what its reader may see', async () => {
    const { patient } = await chart();

    for (const path of [`Observation?patient=${patient.id}`, `${pathOf(patient)}/$everything`, 'Patient?name=nobody'])
      expect((await server.get(path)).body).toMatchObject({ meta: { tag: [{ code: 'as-far-as-visible' }] } });
  });
});

describe('without the policy', () => {
  it('a referral and a visit open nothing', async () => {
    optIn.setTime(now);
    const { observation, subject } = await related();

    expect((await optIn.get(pathOf(observation), { as: elsewhere })).status).toBe(404);
    const { status } = await optIn.post('Observation', observationBody(subject), { as: elsewhere });
    expect(status).toBe(400);
  });
});
