import { beforeAll, describe, expect, it } from 'vitest';
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
  matchesIn,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let visit: Stored<fhir4.Encounter>;
let clinic: Stored<fhir4.Organization>;
/** `Type/id` of what belongs to the visit, itself among it. */
let belonging: string[];

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  clinic = await create(server, organizationBody(), admin);
  const subject = { reference: referenceTo(patient) };
  visit = await create(
    server,
    encounterBody(referenceTo(patient), { serviceProvider: { reference: referenceTo(clinic) } }),
  );
  const encounter = { reference: referenceTo(visit) };
  const other = await create(server, encounterBody(referenceTo(patient)));
  const records: fhir4.FhirResource[] = [
    observationBody(referenceTo(patient), { encounter }),
    { resourceType: 'Condition', subject, encounter },
    { resourceType: 'Procedure', status: 'completed', subject, encounter },
    {
      resourceType: 'Goal',
      lifecycleStatus: 'active',
      description: { text: 'walk' },
      subject,
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter', valueReference: encounter },
      ],
    },
    encounterBody(referenceTo(patient), { partOf: encounter }),
  ];
  belonging = [referenceTo(visit)];
  for (const record of records) belonging.push(referenceTo(await create(server, record)));
  belonging.sort();
  await create(server, observationBody(referenceTo(patient)));
  await create(server, observationBody(referenceTo(patient), { encounter: { reference: referenceTo(other) } }));
});

const everything = async (query = '', as?: TestCaller): Promise<TestBody> => {
  const { status, body } = await server.get(`${pathOf(visit)}/$everything${query}`, as ? { as } : {});
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const includedIn = (bundle: TestBody) => resourcesIn(bundle).filter((each) => !matchesIn(bundle).includes(each));

describe('Encounter/{id}/$everything', () => {
  it('answers with the visit and what refers to it by any element', async () => {
    const body = await everything();

    expect(matchesIn(body).map(referenceTo).sort()).toEqual(belonging);
    expect(body).toMatchObject({ type: 'searchset', total: belonging.length });
  });

  it('includes what these refer to: the patient, and who gave the care', async () => {
    expect(
      includedIn(await everything())
        .map(referenceTo)
        .sort(),
    ).toEqual([clinic, patient].map(referenceTo).sort());
  });

  it('finds what another chart holds and refers to the visit', async () => {
    const relative = await create(server, patientBody());
    const stay = await create(server, encounterBody(referenceTo(patient)));
    const theirs = await create(
      server,
      observationBody(referenceTo(relative), { encounter: { reference: referenceTo(stay) } }),
    );

    const { body } = await server.get(`${pathOf(stay)}/$everything`);

    expect(matchesIn(body).map(referenceTo).sort()).toEqual([stay, theirs].map(referenceTo).sort());
    const own: TestCaller = { role: 'patient', patient: patient.id };
    const asPatient = await server.get(`${pathOf(stay)}/$everything`, { as: own });
    expect(matchesIn(asPatient.body).map(referenceTo)).toEqual([referenceTo(stay)]);
  });

  it('narrows by _type, and what is referred to with it', async () => {
    const body = await everything('?_type=Condition,Patient');

    expect(matchesIn(body).map(({ resourceType }) => resourceType)).toEqual(['Condition']);
    expect(includedIn(body).map(referenceTo)).toEqual([referenceTo(patient)]);
  });

  it('narrows by _since', async () => {
    const body = await everything('?_since=2100-01-01T00:00:00Z');

    expect([body.total, entriesOf(body)]).toEqual([0, []]);
  });

  it('leads to the end in pages, each record once, the last one not empty', async () => {
    const pages = await allPages(server, `${pathOf(visit)}/$everything?_count=2`);

    expect(pages.map((page) => matchesIn(page).length)).toEqual([2, 2, 2]);
    expect(pages.flatMap(matchesIn).map(referenceTo).sort()).toEqual(belonging);
  });

  it('is sent by POST, too', async () => {
    const { status, body } = await server.post(`${pathOf(visit)}/$everything`, {
      resourceType: 'Parameters',
      parameter: [{ name: '_type', valueCode: 'Goal' }],
    });

    expect([status, matchesIn(body).length]).toEqual([200, 1]);
  });

  it('shows only what the caller may read', async () => {
    const claim = await create<fhir4.Claim>(
      server,
      {
        resourceType: 'Claim',
        status: 'active',
        type: { coding: [{ code: 'professional' }] },
        use: 'claim',
        patient: { reference: referenceTo(patient) },
        created: '2024-05-06',
        provider: { reference: referenceTo(clinic) },
        priority: { coding: [{ code: 'normal' }] },
        insurance: [{ sequence: 1, focal: true, coverage: { display: 'own' } }],
        item: [{ sequence: 1, productOrService: { text: 'visit' }, encounter: [{ reference: referenceTo(visit) }] }],
      },
      system,
    );

    const nurse = await everything('', { role: 'nurse' });
    const billing = await everything();

    expect(matchesIn(nurse).map(referenceTo).sort()).toEqual(belonging);
    expect(matchesIn(billing).map(referenceTo)).toContain(referenceTo(claim));
    expect((await server.get(`${pathOf(visit)}/$everything`, { as: { role: 'lab' } })).status).toBe(403);
    await server.delete(pathOf(claim), { as: system });
  });

  it('answers about another organisation’s visit as about none', async () => {
    const theirs = await server.get(`${pathOf(visit)}/$everything`, { as: elsewhere });
    const none = await server.get('Encounter/none/$everything', { as: elsewhere });

    expect([theirs.status, none.status]).toEqual([404, 404]);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(none.body));
  });

  it('answers 410 for a deleted visit', async () => {
    const gone = await create(server, encounterBody(referenceTo(patient)));
    await server.delete(pathOf(gone));

    expect((await server.get(`${pathOf(gone)}/$everything`)).status).toBe(410);
  });

  it.each(['start', '_offset', 'patient'])('refuses %s, which it does not have', async (name) => {
    const { status, body } = await server.get(`${pathOf(visit)}/$everything?${name}=2024`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it('costs one Query of the chart, and one BatchGet for what is referred to', async () => {
    const alone = await create(server, patientBody());
    const stay = await create(
      server,
      encounterBody(referenceTo(alone), { serviceProvider: { reference: referenceTo(clinic) } }),
    );
    server.calls.reset();

    await server.get(`${pathOf(stay)}/$everything`);

    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'GetItem', 'PutItem', 'Query']);
  });

  it('is no operation of all visits', async () => {
    expect((await server.get('Encounter/$everything')).status).toBe(404);
  });
});
