import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { create, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// What a laboratory tells: specimens of no use, and reports that come in any order, twice, and about nobody knows whom.

const lab: TestCaller = { role: 'lab' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: fhir4.Reference;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  subject = { reference: referenceTo(patient) };
});

const orderBody = (elements: Partial<fhir4.ServiceRequest> = {}): fhir4.ServiceRequest => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject,
  ...elements,
});
const put = (record: fhir4.Resource, change: object, as: TestCaller = lab) =>
  server.put(referenceTo(record as Stored<fhir4.Resource>), { ...record, ...change } as unknown as TestBody, { as });
const tasksOf = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`)).body) as unknown as fhir4.Task[];
const codeOf = ({ code }: fhir4.Task) => code?.coding?.[0]?.code;

describe('a specimen', () => {
  const reason = {
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason',
        valueCodeableConcept: { text: 'The tubes were mixed up' },
      },
    ],
  };
  const specimenBody = (elements: Partial<fhir4.Specimen> = {}): fhir4.Specimen => ({
    resourceType: 'Specimen',
    status: 'available',
    subject,
    ...elements,
  });

  it('that is of no use is taken again, for each order that it was taken for', async () => {
    const requester = {
      reference: referenceTo(await create(server, { resourceType: 'Practitioner' }, { role: 'admin' })),
    };
    const orders = [
      await create(server, orderBody({ requester, priority: 'stat' })),
      await create(server, orderBody()),
    ] as const;
    const request = orders.map((order) => ({ reference: referenceTo(order) }));
    const specimen = await create(server, specimenBody({ request }), lab);
    const [first] = orders;
    const named = await put(first, { specimen: [{ reference: referenceTo(specimen) }] }, { role: 'physician' });
    expect(named.status).toBe(200);

    expect((await put(specimen, { status: 'unsatisfactory' })).status).toBe(200);

    const tasks = await tasksOf();
    expect(tasks.map(codeOf)).toEqual(['recollect-specimen', 'recollect-specimen']);
    const urgent = tasks.find(({ basedOn }) => basedOn?.[0]?.reference === referenceTo(first)) as fhir4.Task;
    expect(urgent).toMatchObject({
      status: 'requested',
      priority: 'stat',
      focus: { reference: referenceTo(specimen) },
      for: subject,
      requester,
      performerType: [{ coding: [{ code: '106292003' }] }],
    });
    expect(Date.parse(urgent.restriction?.period?.end ?? '') - Date.parse(urgent.authoredOn ?? '')).toBe(3_600_000);
    expect((await server.get(referenceTo(first))).body).not.toHaveProperty('specimen');

    expect((await put(specimen, { status: 'available', ...reason })).status).toBe(200);

    expect((await tasksOf()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  it('that was of no use from the first calls for another one, unless that was long ago', async () => {
    await create(server, specimenBody({ status: 'unsatisfactory', receivedTime: '2020-05-06T07:08:09Z' }), lab);
    expect(await tasksOf()).toEqual([]);

    const { id } = await create(server, specimenBody({ status: 'unsatisfactory' }), lab);

    expect(await tasksOf()).toMatchObject([{ focus: { reference: `Specimen/${id}` } }]);
  });
});
