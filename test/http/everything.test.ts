import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, postEntry, statusesOf, writtenIn } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  observationBody,
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

  it('is an operation of patients alone', async () => {
    expect((await server.get(`Encounter/${patient.id}/$everything`)).status).toBe(404);
    expect((await server.post(`${pathOf(patient)}/$everything`, {})).status).toBe(405);
  });
});
