import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capacity, hours, service, zone } from '../support/actor-schedules.ts';
import { postEntry, putEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestRequest } from '../support/fhir-server.ts';
import { admin, create, issuesOf, referenceTo, type Stored, stored, system } from '../support/records.ts';

const frontdesk: TestCaller = { role: 'frontdesk' };
const nurse: TestCaller = { role: 'nurse' };

let server: FhirServer;
let practitioner: string;
let room: string;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  server.setTime(Date.UTC(2026, 10, 24, 7));
  practitioner = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  room = referenceTo(await create(server, { resourceType: 'Location', name: 'Room 1' }, admin));
});

/** On the day of the tests, such as `09:30`. */
const at = (clock: string) => `2026-11-24T${clock}:00Z`;

const scheduleOf = (
  extension: readonly fhir4.Extension[],
  actors = [practitioner],
  over: Partial<fhir4.Schedule> = {},
): fhir4.Schedule => ({
  resourceType: 'Schedule',
  actor: actors.map((reference) => ({ reference })),
  ...(extension.length > 0 ? { extension: [...extension] } : {}),
  ...over,
});
const appointment = (
  start: string,
  end: string,
  over: Partial<fhir4.Appointment> = {},
  actors = [practitioner],
): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'booked',
  start: at(start),
  end: at(end),
  participant: actors.map((reference) => ({ actor: { reference }, status: 'accepted' })),
  ...over,
});
const reason = (valueString: string): Partial<fhir4.Appointment> => ({
  extension: [{ url: 'https://concord.example/fhir/StructureDefinition/overbooking-reason', valueString }],
});
const slotOf = (schedule: string, start: string, end: string, over: Partial<fhir4.Slot> = {}): fhir4.Slot => ({
  resourceType: 'Slot',
  status: 'busy',
  schedule: { reference: schedule },
  start: at(start),
  end: at(end),
  ...over,
});

/** Status, and the reason of a refusal. */
const posted = async (resource: fhir4.Appointment | fhir4.Slot | fhir4.Schedule, as: TestCaller = frontdesk) => {
  const { status, body } = await server.post(resource.resourceType, resource, { as });
  return status === 201 ? status : [status, issuesOf(body)[0]?.reason];
};
const put = async <T extends fhir4.Appointment | fhir4.Slot | fhir4.Schedule>(
  resource: Stored<T>,
  options: TestRequest = {},
) => {
  const { status, body } = await server.put(referenceTo(resource), resource, { as: frontdesk, ...options });
  return status === 200 ? status : [status, issuesOf(body)[0]?.reason];
};
const taken = [409, 'time-taken'];

describe('a Schedule', () => {
  it('is refused where its extensions cannot be read, and keeps its actors', async () => {
    expect(await posted(scheduleOf(zone('Mars/Olympus')))).toEqual([400, 'schedule-extension']);

    const made = await create(server, scheduleOf([...zone('America/New_York'), ...hours('09:00', '17:00')]), frontdesk);

    expect(await put({ ...made, extension: zone('+05:00') })).toEqual([400, 'schedule-extension']);
    expect(await put({ ...made, actor: [{ reference: room }] })).toEqual([422, 'schedule-actors']);
    expect(await put({ ...made, comment: 'the same actor' })).toBe(200);
  });

  it('lets as many have its actors as it says, as long as it is in use', async () => {
    const made = await create(server, scheduleOf(capacity(1, 1), [practitioner, room]), frontdesk);
    await create(server, appointment('09:00', '09:30'), frontdesk);

    expect(await posted(appointment('09:00', '09:30', {}, [practitioner, room]))).toBe(201);
    expect(await posted(appointment('09:00', '09:30', {}, [room]))).toBe(201);
    expect(await posted(appointment('09:00', '09:30', {}, [room]))).toEqual(taken);
    expect(await put({ ...made, active: false })).toBe(200);
    expect(await posted(appointment('10:00', '10:30'))).toBe(201);
    expect(await posted(appointment('10:00', '10:30'))).toEqual(taken);
    expect(await put({ ...made, active: true })).toBe(200);
    expect(await posted(appointment('10:00', '10:30'))).toBe(201);
    await server.delete(referenceTo(made), { as: frontdesk });
    expect(await posted(appointment('11:00', '11:30'))).toBe(201);
    expect(await posted(appointment('11:00', '11:30'))).toEqual(taken);
  });

  it('has buffers held with bookings of its services', async () => {
    const serviceType: fhir4.CodeableConcept[] = [{ coding: [{ system: 'urn:x', code: 'surgery' }] }];
    await create(
      server,
      scheduleOf(
        service([
          ...serviceType.map((valueCodeableConcept) => ({ url: 'serviceType', valueCodeableConcept })),
          { url: 'bufferAfter', valueUnsignedInt: 15 },
        ]),
      ),
      frontdesk,
    );
    const first = await create(server, appointment('09:00', '09:30'), frontdesk);
    await create(server, appointment('09:40', '10:00'), frontdesk);

    expect(await put({ ...first, serviceType })).toEqual(taken);
    expect(await posted(appointment('10:00', '10:30', { serviceType }))).toBe(201);
    expect(await posted(appointment('10:40', '11:00'))).toEqual(taken);
    expect(await posted(appointment('10:45', '11:00'))).toBe(201);
  });
});

describe('an overbooking', () => {
  it('beyond what the Schedule allows needs a reason of who may decide it', async () => {
    await create(server, appointment('09:00', '09:30'), frontdesk);

    expect(await posted(appointment('09:00', '09:30', reason('Cannot wait')))).toEqual([403, 'overbooking']);
    expect(await posted(appointment('09:00', '09:30', reason('Cannot wait')), nurse)).toBe(201);
    expect(await posted(appointment('09:00', '09:30', reason('Cannot wait')), system)).toBe(201);
    expect(await posted(appointment('09:00', '09:30'), nurse)).toEqual(taken);
  });

  it('is not moved by who may not decide it, and otherwise theirs to work with', async () => {
    const made = await create(server, appointment('09:00', '09:30', reason('Cannot wait')), nurse);

    expect(await put({ ...made, start: at('08:45') })).toEqual([403, 'overbooking']);
    expect(await put<fhir4.Appointment>({ ...made, extension: reason('Another').extension ?? [] })).toEqual([
      403,
      'overbooking',
    ]);
    expect(await put({ ...made, status: 'arrived' })).toBe(200);
    expect(await put({ ...made, status: 'cancelled' })).toBe(200);
    expect(await put({ ...made, status: 'proposed' })).toBe(200);
    expect(await put({ ...made, status: 'booked' }, { as: nurse })).toBe(200);
  });
});

describe('a Slot', () => {
  it('that is busy meets the guard of its Schedule’s actors, and a free one none', async () => {
    const schedule = referenceTo(await create(server, scheduleOf([], [practitioner, room]), frontdesk));
    await create(server, appointment('09:00', '09:30'), frontdesk);

    expect(await posted(slotOf(schedule, '09:15', '09:45'))).toEqual(taken);
    expect(await posted(slotOf(schedule, '09:15', '09:45', { status: 'free' }))).toBe(201);
    expect(await posted(slotOf(schedule, '09:15', '09:45', { status: 'entered-in-error' }))).toBe(201);
    const busy = await create(server, slotOf(schedule, '10:00', '10:30'), frontdesk);
    expect(await posted(appointment('10:00', '10:30'))).toEqual(taken);
    expect(await posted(appointment('10:00', '10:30', {}, [room]))).toEqual(taken);
    expect(await put({ ...busy, status: 'free' })).toBe(200);
    expect(await posted(appointment('10:00', '10:30', {}, [practitioner, room]))).toBe(201);
    expect(await put({ ...stored<fhir4.Slot>((await server.get(referenceTo(busy))).body), status: 'busy' })).toEqual(
      taken,
    );
  });

  it('of the past is a fact, whoever was booked then', async () => {
    const schedule = referenceTo(await create(server, scheduleOf([]), frontdesk));

    expect(await posted(slotOf(schedule, '06:00', '06:30'))).toBe(201);
    expect(await posted(slotOf(schedule, '06:00', '06:30'))).toBe(201);
  });

  it('is one with the Appointment that names it, in either order and in one transaction', async () => {
    const schedule = referenceTo(await create(server, scheduleOf([]), frontdesk));
    const slot = await create(server, slotOf(schedule, '09:00', '09:30', { status: 'free' }), frontdesk);
    const booked = appointment('09:00', '09:30', { slot: [{ reference: referenceTo(slot) }] });

    const together = await server.post('', transactionOf(postEntry(booked), putEntry({ ...slot, status: 'busy' })), {
      as: frontdesk,
    });

    expect(statusesOf(together.body)).toEqual(['201', '200']);
    expect(await posted(booked)).toEqual(taken);
    const blocked = await create(server, slotOf(schedule, '10:00', '10:30', { status: 'busy-unavailable' }), frontdesk);
    const lunch = appointment('10:00', '10:30', { slot: [{ reference: referenceTo(blocked) }] });
    expect(await posted(lunch)).toEqual(taken);
  });

  it('of a Schedule that the same transaction makes holds the time of its actors', async () => {
    const schedule = postEntry(scheduleOf([]));
    const slot = postEntry(slotOf(schedule.fullUrl ?? '', '09:00', '09:30'));

    const { body } = await server.post('', transactionOf(schedule, slot), { as: frontdesk });

    expect(statusesOf(body)).toEqual(['201', '201']);
    expect(await posted(appointment('09:00', '09:30'))).toEqual(taken);
  });
});
