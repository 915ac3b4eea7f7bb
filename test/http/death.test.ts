import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { admin, create, pathOf, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// A death is stored as it is told, and what is ahead of the patient waits until it is certain.

const now = Date.UTC(2026, 10, 27, 9);

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let surgeon: Stored<fhir4.Practitioner>;

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(now);
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  surgeon = await create(server, { resourceType: 'Practitioner' }, admin);
});

const booked = (hour: number, elements: Partial<fhir4.Appointment> = {}): Promise<Stored<fhir4.Appointment>> =>
  create<fhir4.Appointment>(server, {
    resourceType: 'Appointment',
    status: 'booked',
    start: new Date(now + hour * 3_600_000).toISOString(),
    end: new Date(now + (hour + 1) * 3_600_000).toISOString(),
    participant: [
      { actor: { reference: referenceTo(patient) }, status: 'accepted' },
      { actor: { reference: referenceTo(surgeon) }, status: 'accepted' },
    ],
    ...elements,
  });
const prescribed = (status: fhir4.MedicationRequest['status']): Promise<Stored<fhir4.MedicationRequest>> =>
  create<fhir4.MedicationRequest>(server, {
    resourceType: 'MedicationRequest',
    status,
    intent: 'order',
    medicationCodeableConcept: { text: 'Insulin' },
    subject: { reference: referenceTo(patient) },
  });
const reminder = (): Promise<Stored<fhir4.CommunicationRequest>> =>
  create<fhir4.CommunicationRequest>(server, {
    resourceType: 'CommunicationRequest',
    status: 'active',
    subject: { reference: referenceTo(patient) },
  });
const write = (elements: Partial<fhir4.Patient>) =>
  server.put(pathOf(patient), { ...patient, ...elements } as unknown as TestBody);
const read = async (record: { resourceType: string; id: string }) => (await server.get(pathOf(record))).body;
const states = (records: readonly Stored<fhir4.Resource & { status: string }>[]) =>
  Promise.all(records.map(async (record) => (await read(record))['status']));

describe('a death', () => {
  it('suspends what is ahead, and its correction brings that back', async () => {
    const ahead = [await booked(2), await prescribed('active'), await reminder()];
    const over = [
      await booked(-2, { status: 'arrived' }),
      await booked(3, { status: 'cancelled' }),
      await prescribed('completed'),
    ];

    const { status } = await write({ deceasedDateTime: '2026-11-26' });
    const suspended = await states(ahead);
    const stayed = await states(over);
    await write({});

    expect([status, suspended, stayed]).toEqual([
      200,
      ['cancelled', 'on-hold', 'on-hold'],
      ['arrived', 'cancelled', 'completed'],
    ]);
    expect(await states(ahead)).toEqual(['proposed', 'active', 'active']);
    expect(await states(over)).toEqual(['arrived', 'cancelled', 'completed']);
    const { meta: _was, ...prescription } = ahead[1] as Stored<fhir4.MedicationRequest>;
    expect(await read(prescription)).toMatchObject(prescription);
    const tasks = resourcesIn((await server.get(`Task?patient=${patient.id}`)).body);
    expect(tasks.map((task) => [task['status'], task['performerType']])).toMatchObject([
      ['requested', [{ coding: [{ code: 'frontdesk' }] }]],
    ]);
  });

  it('gives the time of the bookings to others', async () => {
    const appointment = await booked(2);
    await write({ deceasedBoolean: true });
    const another = await create(server, patientBody());

    const { status } = await server.post('Appointment', {
      ...appointment,
      participant: [
        { actor: { reference: referenceTo(another) }, status: 'accepted' },
        { actor: { reference: referenceTo(surgeon) }, status: 'accepted' },
      ],
    } as unknown as TestBody);

    expect(status).toBe(201);
    expect(await read(appointment)).toMatchObject({ cancelationReason: { coding: [{ code: 'pat-dec' }] } });
  });

  it('that is told again, or is none, changes nothing', async () => {
    const appointment = await booked(2);
    await write({ deceasedBoolean: false });
    const alive = await states([appointment]);
    await write({ deceasedBoolean: true });
    await write({ deceasedDateTime: '2026-11-26' });

    expect([alive, (await read(appointment))['meta']]).toMatchObject([['booked'], { versionId: '2' }]);
  });

  it.each([
    ['', 1],
    [', once where both die', 2],
  ])('suspends what stands in the other record of the person%s', async (_, dying) => {
    const other = patient;
    const ahead = await prescribed('active');
    patient = await create(server, patientBody());
    await server.post(`${pathOf(patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
    });
    const both = await Promise.all([patient, other].map(read));

    const { status } = await server.post(
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: both.slice(0, dying).map((each) => ({
          resource: { ...(each as object), deceasedBoolean: true },
          request: { method: 'PUT', url: `Patient/${each['id']}` },
        })),
      } as never,
      { as: { role: 'system' } },
    );

    const suspended = await read(ahead);
    expect([status, suspended['status'], suspended['meta']]).toMatchObject([200, 'on-hold', { versionId: '2' }]);
  });

  it.each([
    ['a state that is none', 'no-state', 'pat-dec'],
    ['another reason', 'active', 'altchoice'],
  ])('brings nothing back that is marked with %s', async (_, was, reason) => {
    const marked = await create<fhir4.MedicationRequest>(server, {
      resourceType: 'MedicationRequest',
      status: 'on-hold',
      intent: 'order',
      statusReason: { coding: [{ code: reason }] },
      medicationCodeableConcept: { text: 'Insulin' },
      subject: { reference: referenceTo(patient) },
      extension: [{ url: 'https://concord.example/fhir/StructureDefinition/suspended-by-death', valueCode: was }],
    });
    await write({ deceasedBoolean: true });
    await write({});

    expect(await states([marked])).toEqual(['on-hold']);
  });
});
