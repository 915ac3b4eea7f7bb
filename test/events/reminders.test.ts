import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { publishChanges } from '../../shared/changes/publish.ts';
import type { ReminderDue } from '../../shared/changes/reminder-due.ts';
import { log } from '../../shared/log.ts';
import { remind } from '../../shared/reminders/remind.ts';
import { commit } from '../../shared/store/commit.ts';
import { remindedToKey, reminderPrefix } from '../../shared/store/reminder-rows.ts';
import { rowsBetween } from '../../shared/store/rows-between.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { asFunction } from '../support/as-function.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { publisherOn } from '../support/publisher.ts';
import { recordingBus } from '../support/recording-bus.ts';
import { admin, create, patientBody, referenceTo, type Stored } from '../support/records.ts';
import { insertEvent } from '../support/stream-events.ts';
import { commitOf, nextOf } from '../support/test-store.ts';

// What is to be reminded of is found by the clock, and told of once.

const frontdesk: TestCaller = { role: 'frontdesk' };
const atLakeside: TestCaller = { role: 'frontdesk', organization: 'lakeside' };
const minute = 60_000;
const hour = 60 * minute;
/** A day of its own for each test, so that none finds what another booked. */
let now = Date.UTC(2026, 10, 24, 8);
let server: FhirServer;
let patient: Stored<fhir4.Patient>;

beforeAll(async () => {
  server = await fhirServer();
  for (const id of ['northside', 'lakeside'])
    await server.put(`Organization/${id}`, { resourceType: 'Organization', id, name: id }, { as: admin });
});
beforeEach(async () => {
  now += 100 * 24 * hour;
  server.setTime(now);
  patient = await create(server, patientBody(), frontdesk);
  await writeRows(server.store, [], [remindedToKey]);
});

const book = (start: number, elements: Partial<fhir4.Appointment> = {}, as = frontdesk, whom = patient) =>
  create(
    server,
    {
      resourceType: 'Appointment',
      status: 'booked',
      start: new Date(start).toISOString(),
      end: new Date(start + hour).toISOString(),
      participant: [{ actor: { reference: referenceTo(whom) }, status: 'accepted' }],
      ...elements,
    },
    as,
  );
const runAt = (time: number, minutes = [24 * 60]) =>
  asFunction('functions/remind.ts', server.store, () => remind(server.store, { minutes, now: time }));
const remindersOf = async (organization = 'northside') => {
  const { rows } = await rowsBetween(server.store, { pk: `${reminderPrefix}${organization}`, from: '!', to: '~' });
  return rows.filter(({ at }) => Number(at) >= now);
};
const idsOf = async (organization?: string) => (await remindersOf(organization)).map(({ id }) => id);

describe('a reminder', () => {
  it('is due once, at its lead before the start, however often it is looked', async () => {
    const booked = await book(now + 24 * hour + 10 * minute);

    expect(await runAt(now)).toBe(0);
    expect(await runAt(now + 15 * minute)).toBe(1);
    expect(await runAt(now + 15 * minute)).toBe(0);
    expect(await runAt(now + 30 * minute)).toBe(0);
    const failed = vi.spyOn(log, 'fault');
    expect(await runAt(now + 29 * minute)).toBe(0); // as where the schedule told of one run twice, and this one comes later
    expect(failed).not.toHaveBeenCalled();
    failed.mockRestore();
    await writeRows(server.store, [], [remindedToKey]); // as where a run broke off before it noted how far it came
    await runAt(now + 20 * minute);
    expect(await remindersOf()).toEqual([
      expect.objectContaining({
        id: booked.id,
        version: 1,
        at: now + 15 * minute,
        expires: (now + (24 + 48) * hour + 10 * minute) / 1_000,
      }),
    ]);
  });

  it('is another one at each lead, and anew where a booking is moved', async () => {
    const booked = await book(now + 24 * hour + 10 * minute);
    const leads = [24 * 60, 120];
    await runAt(now, leads);
    await runAt(now + 15 * minute, leads);
    await runAt(now + 22 * hour, leads);
    expect(await idsOf()).toEqual([booked.id]);
    await runAt(now + 22 * hour + 15 * minute, leads);
    expect(await idsOf()).toEqual([booked.id, booked.id]);

    const { meta: _meta, ...rest } = booked;
    const later = { start: new Date(now + 50 * hour).toISOString(), end: new Date(now + 51 * hour).toISOString() };
    await server.put(referenceTo(booked), { ...rest, ...later }, { as: frontdesk });
    await runAt(now + 26 * hour, leads);

    expect((await remindersOf()).map(({ version }) => version)).toEqual([1, 1, 2]);
  });

  it('comes late rather than never where nothing ran for a while, and never behind the start', async () => {
    const late = await book(now + 24 * hour + 10 * minute);
    await book(now + 20 * minute);
    await runAt(now);

    expect(await runAt(now + 10 * hour)).toBe(1);
    expect(await idsOf()).toEqual([late.id]);
  });

  it.each([
    ['cancelled', { status: 'cancelled' }],
    ['held', { status: 'pending' }],
    ['proposed', { status: 'proposed', start: undefined, end: undefined }],
    ['imported as done', { status: 'fulfilled' }],
  ] as const)('is not due of what is %s', async (_, elements) => {
    await book(now + 24 * hour + 10 * minute, elements as Partial<fhir4.Appointment>);
    await runAt(now);

    expect(await runAt(now + 15 * minute)).toBe(0);
  });

  it('is cancelled with the booking, and suspended by a death', async () => {
    const cancelled = await book(now + 24 * hour + 10 * minute);
    const dying = await create(server, patientBody(), frontdesk);
    const suspended = await book(now + 24 * hour + 11 * minute, {}, frontdesk, dying);
    await server.post(`Appointment/${cancelled.id}/$cancel`, undefined, { as: frontdesk });
    const { meta: _meta, ...rest } = dying;
    const died = await server.put(referenceTo(dying), { ...rest, deceasedBoolean: true }, { as: frontdesk });
    // What another organisation tells of its patient suspends no booking of this one's.
    const theirs = await create(server, patientBody(), frontdesk);
    const since = await book(now + 24 * hour + 12 * minute, {}, frontdesk, theirs);
    const alive = await server.store.read({ type: 'Patient', chart: theirs.id, place: '' });
    if (!alive?.resource) throw new Error('There is no patient');
    const dead = nextOf(alive, { resource: { ...alive.resource, deceasedBoolean: true } });
    await commit(server.store, commitOf({ writes: [{ next: dead, previous: alive }] }));
    await runAt(now);

    expect(died.status).toBe(200);
    expect(await runAt(now + 15 * minute)).toBe(0);
    expect([suspended.status, since.status]).toEqual(['booked', 'booked']);
  });
  it('is of nobody who has died in another record of the same person', async () => {
    const stands = await create(server, patientBody(), frontdesk);
    const source = { name: 'source', valueReference: { reference: referenceTo(patient) } };
    const merge = { resourceType: 'Parameters', parameter: [source] };
    expect((await server.post(`${referenceTo(stands)}/$merge`, merge, { as: frontdesk })).status).toBe(200);
    const booked = await book(now + 24 * hour + 10 * minute);
    const alive = await server.store.read({ type: 'Patient', chart: stands.id, place: '' });
    if (!alive?.resource) throw new Error('There is no patient');
    const dead = nextOf(alive, { resource: { ...alive.resource, deceasedBoolean: true } });
    await commit(server.store, commitOf({ writes: [{ next: dead, previous: alive }] }));
    await runAt(now);

    expect([booked.status, await runAt(now + 15 * minute)]).toEqual(['booked', 0]);
  });

  it('is for the organisation that keeps the booking, and is found without a look at any other', async () => {
    const theirs = await create(server, patientBody(), atLakeside);
    const [own, foreign] = [
      await book(now + 24 * hour + 10 * minute),
      await book(now + 24 * hour + 10 * minute, {}, atLakeside, theirs),
    ];
    await runAt(now);
    await runAt(now + 15 * minute);
    expect([await idsOf(), await idsOf('lakeside')]).toEqual([[own.id], [foreign.id]]);

    const callsOf = async (at: number) => {
      server.calls.reset();
      await runAt(at);
      return server.calls.names.length;
    };
    const few = await callsOf(now + 30 * minute);
    for (let n = 0; n < 5; n++) await book(now + (30 + n) * hour);
    expect(await callsOf(now + 45 * minute)).toBe(few);
  });

  it('becomes an event that says no more than that it is due', async () => {
    const booked = await book(now + 24 * hour + 10 * minute, { description: 'Body weight' });
    await runAt(now);
    await runAt(now + 15 * minute);
    const bus = recordingBus();

    await publishChanges(publisherOn(server.store, { bus }), insertEvent(await remindersOf()));

    const [entry, ...more] = bus.accepted;
    expect(more).toEqual([]);
    expect([entry?.DetailType, JSON.parse(entry?.Detail ?? '') as ReminderDue]).toEqual([
      'AppointmentReminderDue.v1',
      {
        eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
        appointmentId: booked.id,
        version: 1,
        occurredAt: new Date(now + 15 * minute).toISOString(),
        custodian: 'northside',
        recipient: 'northside',
      },
    ]);
  });
});
