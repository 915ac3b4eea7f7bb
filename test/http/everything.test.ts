import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batchOf, getEntry, postEntry, statusesOf, writtenIn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  issuesOf,
  linkOf,
  matchesIn,
  nextLinkOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
/** `Type/id` of everything in the patient's chart. */
let compartment: string[];

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  const allergy: fhir4.AllergyIntolerance = {
    resourceType: 'AllergyIntolerance',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
    },
    patient: { reference: subject },
  };
  const condition: fhir4.Condition = {
    resourceType: 'Condition',
    subject: { reference: subject },
    code: { text: 'Cough' },
  };
  const observations = Array.from({ length: 30 }, (_, n) =>
    postEntry(observationBody(subject, { valueQuantity: { value: n, unit: '/min' } })),
  );
  const { body } = await server.post(
    '',
    batchOf(postEntry(encounterBody(subject)), postEntry(allergy), postEntry(condition), ...observations),
  );
  expect(new Set(statusesOf(body))).toEqual(new Set(['201']));
  compartment = [subject, ...writtenIn(body)].sort();
  // What must not be there: another patient's records, and a record that was deleted.
  const other = referenceTo(await create(server, patientBody()));
  await create(server, observationBody(other));
  await server.delete(pathOf(await create(server, observationBody(subject))));
});

describe('GET /Patient/{id}/$everything', () => {
  it("answers with every record of the patient's chart, and no other one", async () => {
    const { status, body } = await server.get(`${pathOf(patient)}/$everything`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: compartment.length });
    expect(resourcesIn(body).map(referenceTo).sort()).toEqual(compartment);
  });

  it('shows each record as a read does', async () => {
    const { body } = await server.get(`${pathOf(patient)}/$everything`);

    for (const { resource, fullUrl } of entriesOf(body)) {
      expect((await server.get(fullUrl ?? '')).body).toEqual(resource);
    }
  });

  it('leads to the end in pages of the size asked for, each record once', async () => {
    const pages = await allPages(server, `${pathOf(patient)}/$everything?_count=10`);

    expect(pages.slice(0, -1).every((page) => entriesOf(page).length <= 10)).toBe(true);
    expect(pages.length).toBeGreaterThanOrEqual(4);
    expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual(compartment);
  });

  it('sees what was written just before', async () => {
    const newcomer = await create(server, patientBody());
    const observation = await create(server, observationBody(referenceTo(newcomer)));

    const { body } = await server.get(`${pathOf(newcomer)}/$everything`);

    expect(resourcesIn(body)).toEqual(expect.arrayContaining([newcomer, observation]));
    expect(entriesOf(body)).toHaveLength(2);
  });

  it("answers about another organisation's patient as about nobody", async () => {
    const theirs = await server.get(`${pathOf(patient)}/$everything`, { as: elsewhere });
    const nobody = await server.get('Patient/nobody/$everything', { as: elsewhere });

    expect(theirs.status).toBe(404);
    expect(nobody.status).toBe(404);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(nobody.body));
  });

  it('answers 410 for a deleted patient', async () => {
    const gone = await create(server, patientBody());
    await server.delete(pathOf(gone));

    expect((await server.get(`${pathOf(gone)}/$everything`)).status).toBe(410);
  });

  it('shows front desk no clinical content', async () => {
    const { status, body } = await server.get(`${pathOf(patient)}/$everything`, { as: { role: 'frontdesk' } });

    expect(status).toBe(200);
    expect(resourcesIn(body).map(referenceTo)).toEqual([referenceTo(patient)]);
  });

  it('shows patients their own chart, and nobody else’s', async () => {
    const own = { as: { role: 'patient', patient: patient.id ?? '' } };
    const other = await create(server, patientBody());

    const { status, body } = await server.get(`${pathOf(patient)}/$everything`, own);

    expect(status).toBe(200);
    expect(resourcesIn(body).map(referenceTo).sort()).toEqual(compartment);
    expect((await server.get(`${pathOf(other)}/$everything`, own)).status).toBe(404);
  });

  it('is sent by POST with the same parameters, or with none', async () => {
    const parameters = { resourceType: 'Parameters', parameter: [{ name: '_type', valueCode: 'Condition' }] };

    const asked = await server.post(`${pathOf(patient)}/$everything`, parameters);
    const all = await server.post(`${pathOf(patient)}/$everything`, undefined);

    expect(typesIn(asked.body)).toEqual(['Condition']);
    expect(resourcesIn(all.body).map(referenceTo).sort()).toEqual(compartment);
  });

  it('answers patients with their own record where they name none, and asks everybody else for a name', async () => {
    const own = await server.get('Patient/$everything', { as: { role: 'patient', patient: patient.id } });
    const staff = await server.get('Patient/$everything');

    expect(resourcesIn(own.body).map(referenceTo).sort()).toEqual(compartment);
    expect([staff.status, issuesOf(staff.body)[0]?.code]).toEqual([400, 'too-costly']);
  });

  it.each([
    ['an unknown parameter', '_offset=3', '_offset'],
    ['an instant that is none', '_since=2020', '_since'],
    ['a day that is none', 'start=2024-02-30', 'start'],
    ['an end before the start', 'start=2024-02-02&end=2024-02-01', 'end'],
    ['two starts', 'start=2024&start=2025', 'start'],
    ['a type that is none', '_type=Observation,Wish', '_type'],
    ['a negative page', '_count=-1', '_count'],
    ['half a page', '_count=1.5', '_count'],
  ])('refuses %s by its name', async (_, query, name) => {
    const { status, body } = await server.get(`${pathOf(patient)}/$everything?${query}`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it.each([
    ['a resource that is no Parameters', { resourceType: 'Bundle', type: 'batch' }, 'resourceType'],
    [
      'a value of another type',
      { resourceType: 'Parameters', parameter: [{ name: 'start', valueString: '2024' }] },
      'start',
    ],
    [
      'two values',
      { resourceType: 'Parameters', parameter: [{ name: 'start', valueDate: '2024', valueCode: 'x' }] },
      'start',
    ],
    ['no name', { resourceType: 'Parameters', parameter: [{ valueDate: '2024' }] }, 'Parameters.parameter[0].name'],
    ['no list', { resourceType: 'Parameters', parameter: {} }, 'Parameters.parameter'],
  ])('refuses a POST with %s', async (_, sent, expression) => {
    const { status, body } = await server.post(`${pathOf(patient)}/$everything`, sent);

    expect([status, expressionsIn(body)]).toEqual([400, [expression]]);
  });

  it('is part of a batch, by either method', async () => {
    const url = `${pathOf(patient)}/$everything`;

    const { body } = await server.post('', batchOf(getEntry(url), { request: { method: 'POST', url } }));

    expect(statusesOf(body)).toEqual(['200', '200']);
    for (const bundle of resourcesIn(body)) expect(entriesOf(bundle)).toHaveLength(compartment.length);
  });
});

const typesIn = (bundle: TestBody): string[] => [
  ...new Set(resourcesIn(bundle).map(({ resourceType }) => String(resourceType))),
];
const shownIn = (bundle: TestBody, mode: string): string[] =>
  entriesOf(bundle)
    .filter((entry) => (entry as unknown as fhir4.BundleEntry).search?.mode === mode)
    .map(({ resource }) => referenceTo(resource as TestBody))
    .sort();

describe('Patient/{id}/$everything with', () => {
  let own: Stored<fhir4.Patient>;
  let subject: string;
  const everything = async (query = '', as?: TestCaller): Promise<TestBody> => {
    const { status, body } = await server.get(`${subject}/$everything${query}`, as ? { as } : {});
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  beforeEach(async () => {
    own = await create(server, patientBody());
    subject = referenceTo(own);
  });

  it('_type shows these types alone, several in one value or in several', async () => {
    await create(server, observationBody(subject));
    await create(server, encounterBody(subject));
    await create(server, { resourceType: 'Condition', subject: { reference: subject } });

    expect(typesIn(await everything('?_type=Condition,Encounter')).sort()).toEqual(['Condition', 'Encounter']);
    expect(typesIn(await everything('?_type=Patient&_type=Encounter')).sort()).toEqual(['Encounter', 'Patient']);
    expect(typesIn(await everything('?_type=Observation'))).toEqual(['Observation']);
    expect(typesIn(await everything('?_type=Goal'))).toEqual([]);
  });

  it('one _type leads through it in pages, newest first', async () => {
    const days = ['01', '02', '03', '04', '05'];
    for (const day of days) await create(server, observationBody(subject, { effectiveDateTime: `2024-05-${day}` }));

    const pages = await allPages(server, `${subject}/$everything?_type=Observation&_count=2`);

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([2, 2, 1]);
    expect(pages.flatMap(resourcesIn).map(({ effectiveDateTime }) => effectiveDateTime)).toEqual(
      days.map((day) => `2024-05-${day}`).reverse(),
    );
  });

  it('_since shows what has changed, and what was under way at that time', async () => {
    const at = Date.parse('2031-03-01T12:00:00Z');
    const updated = async (time: number) => {
      server.setTime(time);
      return referenceTo(await create(server, observationBody(subject)));
    };
    const [before, underWay, after] = [await updated(at - 61_000), await updated(at - 30_000), await updated(at + 1)];
    server.setTime(undefined);

    const body = await everything(`?_since=${encodeURIComponent('2031-03-01T13:00:00+01:00')}`);

    expect(shownIn(body, 'match')).toEqual([underWay, after].sort());
    expect(shownIn(body, 'include')).toEqual([subject]);
    expect(shownIn(await everything(), 'match')).toContain(before);
  });

  it('start and end shows care of these days, whatever lasts then, and what has no date', async () => {
    const record = async <T extends fhir4.FhirResource>(resource: T) => referenceTo(await create(server, resource));
    const observed = (effectiveDateTime: string) => record(observationBody(subject, { effectiveDateTime }));
    const stay = (start: string, end?: string) =>
      record(encounterBody(subject, { status: 'in-progress', period: { start, ...(end ? { end } : {}) } }));
    const condition = (times: Partial<fhir4.Condition>) =>
      record<fhir4.Condition>({ resourceType: 'Condition', subject: { reference: subject }, ...times });
    const allergy = await record<fhir4.AllergyIntolerance>({
      resourceType: 'AllergyIntolerance',
      patient: { reference: subject },
      recordedDate: '2019-01-01',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
    });
    const within = [
      await observed('2024-03-31T23:59:59Z'),
      await observed('2024'),
      await stay('2024-02-01T10:00:00Z', '2024-03-01T10:00:00Z'),
      await stay('2023-01-01T10:00:00Z'),
      await condition({ onsetDateTime: '2001' }),
      await condition({ onsetString: 'as a child' }),
      await condition({}),
      allergy,
      await record(observationBody(subject, { effectiveDateTime: undefined })),
    ];
    const outside = [
      await observed('2024-04-01'),
      await observed('2024-02-29'),
      await stay('2024-01-01T10:00:00Z', '2024-02-29T23:00:00Z'),
      await condition({
        onsetDateTime: '2001',
        abatementDateTime: '2023-12',
        clinicalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'resolved' }],
        },
      }),
      await condition({ onsetDateTime: '2024-05' }),
    ];

    const shown = shownIn(await everything('?start=2024-03-01&end=2024-03'), 'match');

    expect(shown).toEqual([...within, subject].sort());
    const before = shownIn(await everything('?end=2024-03-31'), 'match');
    expect(before.filter((name) => outside.includes(name))).toEqual(
      outside.filter((_, index) => [1, 2, 3].includes(index)).sort(),
    );
    const from = shownIn(await everything('?start=2024-03-01'), 'match');
    expect(from.filter((name) => outside.includes(name))).toEqual([outside[0], outside[4]].sort());
  });

  it('what was given in these days shows the visit that it refers to, though that was before', async () => {
    const visit = await create(server, encounterBody(subject, { period: { start: '2020-01-01', end: '2020-01-02' } }));
    const late = await create(
      server,
      observationBody(subject, { effectiveDateTime: '2024-01-05', encounter: { reference: referenceTo(visit) } }),
    );

    const body = await everything('?start=2024-01-01');

    expect(shownIn(body, 'match')).toEqual([subject, referenceTo(late)].sort());
    expect(shownIn(body, 'include')).toEqual([referenceTo(visit)]);
  });

  it('references shows what they name elsewhere, once a page, and what contained resources name', async () => {
    const [clinic, other] = [
      await create(server, organizationBody(), admin),
      await create(server, organizationBody(), admin),
    ];
    const medication = await create(server, { resourceType: 'Medication', code: { text: 'Aspirin' } }, admin);
    const binary = await create<fhir4.Binary>(server, {
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: 'YQ==',
    });
    for (let n = 0; n < 2; n++) {
      await create(server, observationBody(subject, { performer: [{ reference: referenceTo(clinic) }] }));
    }
    await create<fhir4.MedicationStatement>(server, {
      resourceType: 'MedicationStatement',
      status: 'active',
      subject: { reference: subject },
      medicationReference: { reference: referenceTo(medication) },
      contained: [
        {
          resourceType: 'PractitionerRole',
          id: 'p',
          organization: { reference: referenceTo(other) },
        } as fhir4.Resource,
      ],
      informationSource: { reference: '#p' },
    });
    await create<fhir4.DocumentReference>(server, {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: subject },
      content: [{ attachment: { url: referenceTo(binary) } }],
    });

    const body = await everything();

    expect(shownIn(body, 'include')).toEqual([clinic, other, medication, binary].map(referenceTo).sort());
    expect(body.total).toBe(5);
    expect(shownIn(await everything('?_type=Observation'), 'include')).toEqual([]);
    expect(shownIn(await everything('?_type=Observation,Organization'), 'include')).toEqual([referenceTo(clinic)]);
  });

  it('references to what the caller may not read shows nothing of it', async () => {
    const stranger = await create(server, patientBody());
    await create<fhir4.Appointment>(server, {
      resourceType: 'Appointment',
      status: 'proposed',
      participant: [subject, referenceTo(stranger)].map((reference) => ({ actor: { reference }, status: 'accepted' })),
    });

    const asPatient = await everything('', { role: 'patient', patient: own.id });

    expect(shownIn(asPatient, 'include')).toEqual([]);
    expect(shownIn(asPatient, 'match')).toHaveLength(2);
    expect(shownIn(await everything(), 'include')).toEqual([referenceTo(stranger)]);
    const { body: log } = await server.get(`AuditEvent?patient=${stranger.id}&subtype=operation`, {
      as: { role: 'privacy' },
    });
    expect(entriesOf(log)).toHaveLength(1);
  });

  it('hidden records fills its pages, and never leads to an empty one', async () => {
    for (let n = 0; n < 12; n++) await create(server, observationBody(subject));
    const answers = [];
    for (let n = 0; n < 3; n++) {
      answers.push(
        await create<fhir4.Appointment>(server, {
          resourceType: 'Appointment',
          status: 'proposed',
          participant: [{ actor: { reference: subject }, status: 'accepted' }],
        }),
      );
    }
    await create(server, {
      resourceType: 'VisionPrescription',
      status: 'active',
      created: '2024',
      dateWritten: '2024',
      patient: { reference: subject },
      prescriber: { display: 'x' },
      lensSpecification: [{ product: { text: 'lens' }, eye: 'left' }],
    } as fhir4.VisionPrescription);

    const pages = await allPages(server, `${subject}/$everything?_count=2`, { role: 'frontdesk' });

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([2, 2]);
    expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual([...answers.map(referenceTo), subject].sort());
  });

  it('large records beside it makes its pages shorter, and tells of what is too large to come along', async () => {
    const binaries: string[] = [];
    for (let n = 0; n < 2; n++) {
      const body: fhir4.Binary = { resourceType: 'Binary', contentType: 'text/plain', data: 'QUJD'.repeat(600_000) };
      binaries.push(referenceTo(await create(server, body)));
    }
    const documents: string[] = [];
    for (const urls of [binaries.slice(0, 1), binaries.slice(1), binaries]) {
      const document = await create<fhir4.DocumentReference>(server, {
        resourceType: 'DocumentReference',
        status: 'current',
        subject: { reference: subject },
        content: urls.map((url) => ({ attachment: { url } })),
      });
      documents.unshift(referenceTo(document)); // newest first
    }

    const pages = await allPages(server, `${subject}/$everything?_type=DocumentReference&_type=Binary`);

    // Documents and Binaries are two types, so they come in the order of types.
    expect(pages.flatMap(matchesIn).map(referenceTo).sort()).toEqual(documents.toSorted());
    expect(pages.map((page) => shownIn(page, 'include').length)).toEqual([1, 1, 1]);
    expect(pages.map((page) => shownIn(page, 'outcome').length)).toEqual([0, 0, 1]);
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(6_000_000);
  });

  it('a next link keeps what was asked for', async () => {
    for (let n = 0; n < 3; n++) await create(server, observationBody(subject));
    await create(server, encounterBody(subject));
    const { body } = await server.post(`${subject}/$everything`, {
      resourceType: 'Parameters',
      parameter: [
        { name: '_type', valueCode: 'Observation' },
        { name: '_count', valueInteger: 2 },
      ],
    });

    const { body: second } = await server.get(nextLinkOf(body) ?? '');

    expect([resourcesIn(body).length, typesIn(second), resourcesIn(second).length]).toEqual([2, ['Observation'], 1]);
    expect(linkOf(second, 'self')).toContain('_type=Observation');
  });

  it('costs one Query a page and one BatchGet for what is referred to', async () => {
    const clinic = await create(server, organizationBody(), admin);
    for (let n = 0; n < 3; n++) {
      await create(server, observationBody(subject, { performer: [{ reference: referenceTo(clinic) }] }));
    }
    server.calls.reset();

    await everything('?_count=2');

    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'GetItem', 'PutItem', 'Query']);
    expect(server.calls.sequential()).toBe(2);
  });
});
