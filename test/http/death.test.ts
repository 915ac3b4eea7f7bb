import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  issuesOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

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

  it('whose correction brings back no booking calls nobody', async () => {
    const [refill, waiting] = [await prescribed('active'), await booked(2, { status: 'waitlist' })];
    await write({ deceasedBoolean: true });
    await write({});

    expect(await states([refill, waiting])).toEqual(['active', 'waitlist']);
    expect(resourcesIn((await server.get(`Task?patient=${patient.id}`)).body)).toEqual([]);
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

describe('a booking for who has died', () => {
  const reasonOf = ({ status, body }: { status: number; body: TestBody }) => [status, issuesOf(body)[0]?.reason];
  const refused = [422, 'patient-deceased'];
  const appointment = (hour: number, status: fhir4.Appointment['status'] = 'booked'): fhir4.Appointment => ({
    resourceType: 'Appointment',
    status,
    start: new Date(now + hour * 3_600_000).toISOString(),
    end: new Date(now + (hour + 1) * 3_600_000).toISOString(),
    participant: [{ actor: { reference: referenceTo(patient) }, status: 'accepted' }],
  });
  const post = (resource: fhir4.Appointment, role = 'frontdesk') =>
    server.post('Appointment', resource as unknown as TestBody, { as: { role } });
  const transaction = (...entry: readonly unknown[]) =>
    server.post('', { resourceType: 'Bundle', type: 'transaction', entry } as never);
  const putOf = (resource: object, url: string) => ({ resource, request: { method: 'PUT', url } });

  it('is refused on every way by which it is written, also to an interface', async () => {
    await write({ deceasedBoolean: true });
    const proposed = await create<fhir4.Appointment>(server, appointment(2, 'proposed'));
    const url = pathOf(proposed);
    const next = { ...proposed, status: 'booked' } as unknown as TestBody;
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'replace', path: '/status', value: 'pending' }];
    const chosen = { ...appointment(2), id: `own-${patient.id.slice(0, 8)}` };

    expect(reasonOf(await post(appointment(2)))).toEqual(refused);
    expect(reasonOf(await post(appointment(2), 'system'))).toEqual(refused);
    expect(reasonOf(await server.put(url, next))).toEqual(refused);
    expect(reasonOf(await server.put(`Appointment/${chosen.id}`, chosen as unknown as TestBody))).toEqual(refused);
    expect(reasonOf(await server.put(`Appointment?_id=${proposed.id}`, next))).toEqual(refused);
    expect(reasonOf(await server.request('PATCH', url, { body: patch, headers }))).toEqual(refused);
    const together = await transaction(
      { resource: appointment(-2), request: { method: 'POST', url: 'Appointment' } },
      putOf(next, url),
    );
    expect(reasonOf(together)).toEqual(refused);
    expect(issuesOf(together.body)[0]?.expression).toBe('Bundle.entry[1].resource.participant');
    expect((await read(proposed))['meta']).toMatchObject({ versionId: '1' });
  });

  it('is stored where it has begun, and what was booked may be changed and cancelled', async () => {
    const begun = await create<fhir4.Appointment>(server, appointment(-0.5));
    const ahead = await booked(3, { status: 'arrived' });
    await write({ deceasedBoolean: true });

    expect((await post(appointment(-0.5))).status).toBe(201);
    expect((await post(appointment(-50, 'fulfilled'))).status).toBe(201);
    const commented = { ...begun, comment: 'Her son was told' } as unknown as TestBody;
    expect((await server.put(pathOf(begun), commented)).status).toBe(200);
    expect((await server.put(pathOf(ahead), { ...ahead, status: 'cancelled' } as unknown as TestBody)).status).toBe(
      200,
    );
  });

  it('goes by what the same transaction says of the patient', async () => {
    const url = pathOf(patient);
    const dead = { ...patient, deceasedBoolean: true };
    const booking = { resource: appointment(2), request: { method: 'POST', url: 'Appointment' } };

    expect(reasonOf(await transaction(putOf(dead, url), booking))).toEqual(refused);
    await write({ deceasedBoolean: true });
    expect((await transaction(putOf(patient, url), booking)).status).toBe(200);
  });

  it('is refused by any of the records of a person that were merged', async () => {
    const other = patient;
    patient = await create(server, patientBody());
    await server.post(`${pathOf(patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
    });
    await server.put(pathOf(other), {
      ...((await read(other)) as object),
      deceasedBoolean: true,
    } as unknown as TestBody);

    expect(reasonOf(await post(appointment(2)))).toEqual(refused);
  });
});
