import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actorList, partsAt, rankPrefix } from '../../shared/scheduling/waiting.ts';
import { worklistPartition } from '../../shared/store/worklist-rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { service } from '../support/actor-schedules.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
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

const frontdesk: TestCaller = { role: 'frontdesk' };

let server: FhirServer;
let doctor: string;
let room: string;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  server.setTime(Date.UTC(2026, 10, 24, 7));
  doctor = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  room = referenceTo(await create(server, { resourceType: 'Location' }, admin));
});

const at = (clock: string, day = '24') => `2026-11-${day}T${clock}:00.000Z`;
const appointment = (
  actors: readonly string[],
  status: fhir4.Appointment['status'],
  more: Partial<fhir4.Appointment> = {},
): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status,
  participant: actors.map((reference) => ({ actor: { reference }, status: 'accepted' })),
  ...more,
});
const booked = (start: string, end: string, actors = [doctor]) =>
  create(server, appointment(actors, 'booked', { start: at(start), end: at(end) }), frontdesk);
const waiting = async (more: Partial<fhir4.Appointment> = {}, actors = [doctor]) => {
  const patient = referenceTo(await create(server, patientBody(), frontdesk));
  return create(server, appointment([...actors, patient], 'waitlist', { minutesDuration: 30, ...more }), frontdesk);
};
const read = async (record: fhir4.Resource): Promise<fhir4.Appointment> =>
  (await server.get(pathOf(record as Stored<fhir4.Resource>), { as: frontdesk })).body as unknown as fhir4.Appointment;
const said = async (record: fhir4.Resource) => {
  const { status, start } = await read(record);
  return start === undefined ? status : `${status} ${start.slice(11, 16)}`;
};
const parametersOf = (parameter: fhir4.ParametersParameter[]): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter,
});
const ask = (record: fhir4.Resource, operation: string, ...parameter: fhir4.ParametersParameter[]) =>
  server.post(`Appointment/${record.id}/$${operation}`, parametersOf(parameter), { as: frontdesk });
const cancel = async (record: fhir4.Resource) => expect((await ask(record, 'cancel')).status).toBe(200);
const book = (resource: fhir4.Appointment) =>
  server.post('Appointment/$book', parametersOf([{ name: 'appointment', resource }]), { as: frontdesk });
const offer = (actors: readonly string[], start: string, end: string, as = frontdesk) => {
  const parameter = [
    ...actors.map((reference) => ({ name: 'actor', valueReference: { reference } })),
    { name: 'start', valueDateTime: at(start) },
    { name: 'end', valueDateTime: at(end) },
  ];
  return server.post('Appointment/$offer', parametersOf(parameter), { as });
};
const tasksFor = async (record: Stored<fhir4.Appointment>) => {
  const patient = record.participant.at(-1)?.actor?.reference;
  const { body } = await server.get(`Task?patient=${patient}`, { as: frontdesk });
  return (resourcesIn(body) as unknown as fhir4.Task[]).filter(({ focus }) => focus?.reference === referenceTo(record));
};

describe('time that becomes free', () => {
  it('is offered to the first in line whom it suits: by priority, then by how long they have waited', async () => {
    const there = await booked('10:00', '10:30');
    const [late, long, other, urgent] = [
      await waiting({ created: '2026-11-02' }),
      await waiting({ minutesDuration: 60 * 24 }),
      await waiting({ priority: 1, requestedPeriod: [{ start: at('12:00'), end: at('15:00') }] }),
      await waiting({ priority: 2, created: '2026-11-20' }),
    ];

    await cancel(there);

    expect(await Promise.all([urgent, late, long, other].map(said))).toEqual([
      'pending 10:00',
      'waitlist',
      'waitlist',
      'waitlist',
    ]);
    const [task] = await tasksFor(urgent);
    expect(task).toMatchObject({ status: 'requested', restriction: { period: { end: at('08:30') } } });
    expect(JSON.stringify(await read(urgent))).toContain(`"valueInstant":"${at('08:30')}"`);
    expect(
      issuesOf((await book(appointment([doctor], 'proposed', { start: at('10:00'), end: at('10:30') }))).body)[0]
        ?.reason,
    ).toBe('time-taken');
  });

  it('is accepted by booking it, and the task is done', async () => {
    const there = await booked('10:00', '10:30');
    const one = await waiting();
    await cancel(there);

    const { status, body } = await book(await read(one));

    expect([status, body.status, body.start]).toEqual([200, 'booked', at('10:00')]);
    expect(JSON.stringify(body)).not.toMatch(/hold-until|waitlist-offer/);
    expect((await tasksFor(one)).map((task) => task.status)).toEqual(['completed']);
  });

  it('goes to the next if it is declined, before and after it has lapsed, and not to the same again', async () => {
    const there = await booked('10:00', '10:30');
    const [first, second, third] = [
      await waiting({ created: '2026-11-01' }),
      await waiting({ created: '2026-11-02' }),
      await waiting({ created: '2026-11-03' }),
    ];
    await cancel(there);

    expect((await ask(first, 'decline')).status).toBe(200);
    expect(await Promise.all([first, second, third].map(said))).toEqual(['waitlist', 'pending 10:00', 'waitlist']);
    server.setTime(Date.UTC(2026, 10, 24, 8, 31));
    expect(
      (
        await ask(
          second,
          'decline',
          { name: 'leave', valueBoolean: true },
          { name: 'reason', valueString: 'Moved away' },
        )
      ).status,
    ).toBe(200);
    expect(await Promise.all([first, second, third].map(said))).toEqual([
      'waitlist',
      'cancelled 10:00',
      'pending 10:00',
    ]);
    expect((await ask(third, 'decline')).status).toBe(200);
    expect(await Promise.all([first, second, third].map(said))).toEqual(['waitlist', 'cancelled 10:00', 'waitlist']);
    expect((await tasksFor(first)).map(({ status }) => status)).toEqual(['cancelled']);
    expect(issuesOf((await ask(third, 'decline')).body)[0]?.reason).toBe('illegal-move');
  });

  it('lapses by itself: whoever was offered it waits again, and the desk offers it to the next', async () => {
    const there = await booked('10:00', '10:30');
    const [first, second] = [await waiting({ created: '2026-11-01' }), await waiting({ created: '2026-11-02' })];
    await cancel(there);
    server.setTime(Date.UTC(2026, 10, 24, 8, 31));

    const [one, two] = [await offer([doctor], '09:30', '10:30'), await offer([doctor], '09:30', '10:30')];

    // Not the time that the first has let pass.
    expect([one.status, two.status]).toEqual([200, 200]);
    expect([one.body.id, two.body.id]).toEqual([first.id, second.id]);
    expect(await Promise.all([first, second].map(said))).toEqual(['pending 09:30', 'pending 10:00']);
    expect((await offer([doctor], '09:30', '10:30')).body.resourceType).toBe('OperationOutcome');
    expect((await offer([doctor], '09:00', '11:00', { role: 'physician' })).status).toBe(200);
    expect((await offer([doctor], '09:00', '11:00', { role: 'lab' })).status).toBe(403);
    expect((await offer([], '09:00', '11:00')).status).toBe(400);
    expect((await offer([String(referenceTo(there))], '09:00', '11:00')).status).toBe(400);
  });

  it('by whatever way: moved, missed, changed, deleted, of a Slot; and what begins at once is offered to nobody', async () => {
    const [moved, changed, gone, missed] = [
      await booked('10:00', '10:30'),
      await booked('11:00', '11:30'),
      await booked('12:00', '12:30'),
      await booked('07:10', '08:30'),
    ];
    const schedule = await create(server, { resourceType: 'Schedule', actor: [{ reference: doctor }] }, frontdesk);
    const slot: fhir4.Slot = {
      resourceType: 'Slot',
      status: 'busy-unavailable',
      schedule: { reference: referenceTo(schedule) },
      start: at('13:00'),
      end: at('13:30'),
    };
    const closed = await create(server, slot, frontdesk);
    const soon = await booked('08:30', '09:00');
    const line = [];
    for (let day = 1; day <= 5; day++) line.push(await waiting({ created: `2026-11-0${day}` }));

    const later = { name: 'start', valueDateTime: at('16:00') };
    await ask(moved, 'reschedule', later, { name: 'end', valueDateTime: at('16:30') });
    await server.put(pathOf(changed), { ...changed, status: 'cancelled' }, { as: frontdesk });
    await server.delete(pathOf(gone), { as: frontdesk });
    await server.delete(pathOf(closed), { as: frontdesk });
    expect(await Promise.all(line.map(said))).toEqual([
      'pending 10:00',
      'pending 11:00',
      'pending 12:00',
      'pending 13:00',
      'waitlist',
    ]);

    server.setTime(Date.UTC(2026, 10, 24, 7, 40));
    const last = line.at(-1) as Stored<fhir4.Appointment>;
    await server.put(pathOf(last), { ...last, minutesDuration: 15 }, { as: frontdesk });
    expect((await ask(missed, 'no-show')).status).toBe(200);
    expect(await said(last)).toBe('pending 08:00');
    server.setTime(Date.UTC(2026, 10, 24, 8, 45));
    const other = await waiting({ minutesDuration: 5 });
    await cancel(soon);
    expect(await said(other)).toBe('waitlist');
  });

  it('is offered where all are free who are waited for, as often as it fits, and past who cannot have it', async () => {
    const gone = referenceTo(await create(server, { resourceType: 'Location' }, admin));
    const there = await booked('10:00', '11:00');
    await booked('10:00', '10:30', [room]);
    const line = [
      await waiting({ created: '2026-11-01' }, [doctor, gone]),
      await waiting({ created: '2026-11-02' }, [doctor, room]),
      await waiting({ created: '2026-11-03', minutesDuration: 45 }),
      await waiting({ created: '2026-11-04' }),
      await waiting({ created: '2026-11-05' }),
    ];
    await server.delete(gone, { as: admin });
    await booked('09:00', '10:00');
    await booked('11:00', '12:00');

    await cancel(there);

    expect(await Promise.all(line.map(said))).toEqual([
      'waitlist',
      'pending 10:30',
      'waitlist',
      'pending 10:00',
      'waitlist',
    ]);
  });

  it('is offered to who waits for a service that its owner offers, and to nobody of another organisation', async () => {
    const [checkUp, other] = ['check-up', 'other'].map((code) => ({ coding: [{ system: 'urn:services', code }] }));
    const extension = service([{ url: 'serviceType', valueCodeableConcept: checkUp as fhir4.CodeableConcept }]);
    await create(server, { resourceType: 'Schedule', actor: [{ reference: doctor }], extension }, frontdesk);
    const there = await booked('10:00', '10:30');
    const foreign: TestCaller = { role: 'frontdesk', organization: 'lakeside' };
    const theirs = await create(server, appointment([doctor], 'waitlist', { priority: 1 }), foreign);
    const [another, one] = [
      await waiting({ priority: 1, serviceType: [other as fhir4.CodeableConcept] }, []),
      await waiting({ serviceType: [checkUp as fhir4.CodeableConcept] }, []),
    ];

    await cancel(there);

    expect(await Promise.all([another, one].map(said))).toEqual(['waitlist', 'pending 10:00']);
    expect((await server.get(pathOf(theirs), { as: foreign })).body.status).toBe('waitlist');
    expect((await read(one)).participant.map(({ actor }) => actor?.reference)).toContain(doctor);
    expect(
      issuesOf((await book(appointment([doctor], 'proposed', { start: at('10:00'), end: at('10:30') }))).body)[0]
        ?.reason,
    ).toBe('time-taken');
    await ask(one, 'decline');
    expect((await read(one)).participant.map(({ actor }) => actor?.reference)).not.toContain(doctor);
  });

  it('of two who cancel at once goes to two who wait, and not where the patient is elsewhere', async () => {
    const [first, second] = [await booked('10:00', '10:30'), await booked('11:00', '11:30')];
    const elsewhere = await waiting({
      created: '2026-11-01',
      requestedPeriod: [{ start: at('10:00'), end: at('10:30') }],
    });
    const patient = elsewhere.participant.at(-1)?.actor?.reference ?? '';
    await booked('10:15', '10:45', [room, patient]);
    const line = [await waiting({ created: '2026-11-02' }), await waiting({ created: '2026-11-03' })];

    await Promise.all([cancel(first), cancel(second)]);

    expect((await Promise.all(line.map(said))).sort()).toEqual(['pending 10:00', 'pending 11:00']);
    expect(await said(elsewhere)).toBe('waitlist');
  });

  it('is declined and booked by support staff, who see no more of it than of other bookings', async () => {
    const agent = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
    const support: TestCaller = { role: 'support', claims: { fhirUser: agent } };
    const role: fhir4.PractitionerRole = {
      resourceType: 'PractitionerRole',
      practitioner: { reference: agent },
      code: [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/delegation', code: 'support' }] }],
      period: { start: at('00:00'), end: at('00:00', '25') },
    };
    await create(server, role, admin);
    const there = await booked('10:00', '10:30');
    const [first, second] = [await waiting({ priority: 1, comment: 'Rash on the back' }), await waiting()];
    await cancel(there);

    const declined = await server.post(`Appointment/${first.id}/$decline`, parametersOf([]), { as: support });
    const resource = { resourceType: 'Appointment', id: second.id } as unknown as fhir4.Appointment;
    const taken = await server.post('Appointment/$book', parametersOf([{ name: 'appointment', resource }]), {
      as: support,
    });

    expect([declined.status, declined.body.status, declined.text.includes('Rash')]).toEqual([200, 'waitlist', false]);
    expect([taken.status, taken.body.status]).toEqual([200, 'booked']);
    expect(`${declined.text}${taken.text}`).not.toContain(doctor);
    expect((await offer([doctor], '12:00', '13:00', support)).status).toBe(403);
  });

  it('costs who frees it no time where nobody waits, and the same calls however many do', async () => {
    server = await fhirServer();
    server.setTime(Date.UTC(2026, 10, 24, 7));
    doctor = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
    const [first, second] = [await booked('10:00', '10:30'), await booked('11:00', '11:30')];
    server.calls.reset();
    await cancel(first);
    expect([server.calls.sequential(), server.calls.names]).toEqual([
      2,
      ['GetItem', 'PutItem', 'Query', 'Query', 'TransactWriteItems'],
    ]);

    const one = await waiting({ priority: 1 });
    const rows = Array.from({ length: 500 }, (_, n) => ({
      pk: worklistPartition(server.store, 'northside', actorList(doctor)),
      sk: `waiting#${rankPrefix(partsAt(0).at(-1) ?? '')}5 2026-11-01#${n}`,
      type: 'Appointment',
      chart: 'none',
      place: `${n}`,
    }));
    await writeRows(server.store, rows);
    server.calls.reset();
    await cancel(second);

    expect(await said(one)).toBe('pending 11:00');
    expect(server.calls.names).toHaveLength(20);
    expect(server.calls.readUnits).toBeLessThan(45);
  });
});
