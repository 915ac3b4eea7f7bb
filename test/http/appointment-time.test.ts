import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batchOf, postEntry, putEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { base, type FhirServer, fhirServer, type TestRequest, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  atOnce,
  create,
  identifierSystem,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  stored,
  system,
  tally,
} from '../support/records.ts';

const frontdesk: TestCaller = { role: 'frontdesk' };
const abroad: TestCaller = { role: 'frontdesk', organization: 'lakeside' };

const now = Date.UTC(2026, 10, 24, 7);
let server: FhirServer;
let practitioner: string;
let room: string;
let patient: string;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  server.setTime(now);
  practitioner = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  room = referenceTo(await create(server, { resourceType: 'Location', name: 'Room 1' }, admin));
  patient = referenceTo(await create(server, patientBody(), frontdesk));
});

type Participant = fhir4.AppointmentParticipant;
const participantOf = (reference: string, over: Partial<Participant> = {}): Participant => ({
  actor: { reference },
  status: 'accepted',
  ...over,
});

/** On the day of the tests, such as `09:30`. */
const at = (clock: string) => `2026-11-24T${clock}:00Z`;

/** An appointment of the patient with the practitioner. */
const appointment = (start: string, end: string, over: Partial<fhir4.Appointment> = {}): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'booked',
  start: at(start),
  end: at(end),
  participant: [participantOf(patient), participantOf(practitioner)],
  ...over,
});

const book = (resource: fhir4.Appointment, options: TestRequest = {}): Promise<TestResponse> =>
  server.post('Appointment', resource, { as: frontdesk, ...options });
const booked = (resource: fhir4.Appointment): Promise<Stored<fhir4.Appointment>> => create(server, resource, frontdesk);
const put = (resource: Stored<fhir4.Appointment>, over: Partial<fhir4.Appointment> = {}): Promise<TestResponse> =>
  server.put(pathOf(resource), { ...resource, ...over }, { as: frontdesk });
const isFree = async (start: string, end: string): Promise<boolean> => {
  const { status, body } = await book(appointment(start, end, { participant: [participantOf(practitioner)] }));
  if (status === 201) await server.delete(referenceTo(body), { as: frontdesk });
  return status === 201;
};

describe('POST /Appointment at a time that is taken', () => {
  it('answers 409, names the participant and the overlap, and nothing of whose appointment it is', async () => {
    const first = await booked(appointment('09:00', '09:30'));
    const other = referenceTo(await create(server, patientBody(), frontdesk));

    const { status, body, text } = await book(
      appointment('09:20', '09:50', { participant: [participantOf(other), participantOf(practitioner)] }),
    );

    expect(status).toBe(409);
    expect(issuesOf(body)).toEqual([
      {
        code: 'conflict',
        reason: 'time-taken',
        text: `${practitioner} is taken from 2026-11-24T09:20:00.000Z to 2026-11-24T09:30:00.000Z`,
        expression: 'Appointment.participant[1].actor',
      },
    ]);
    expect(text).not.toContain('Patient');
    expect(text).not.toContain(first.id);
  });

  it('names every participant who is taken', async () => {
    await booked(appointment('09:00', '09:30'));
    await booked(appointment('09:30', '10:00', { participant: [participantOf(room)] }));

    const { status, body } = await book(
      appointment('09:00', '10:00', { participant: [participantOf(room), participantOf(practitioner)] }),
    );

    expect(status).toBe(409);
    expect(issuesOf(body).map(({ expression }) => expression)).toEqual([
      'Appointment.participant[0].actor',
      'Appointment.participant[1].actor',
    ]);
  });

  it('is refused across organisations: nobody can be in two places', async () => {
    await booked(appointment('09:00', '09:30'));
    const participant = [participantOf(practitioner)];

    const { status, body } = await book(appointment('09:00', '09:30', { participant }), { as: abroad });

    expect([status, issuesOf(body)[0]?.reason]).toEqual([409, 'time-taken']);
  });

  it('stores nothing, and keeps nobody else from the rest', async () => {
    await booked(appointment('09:00', '09:30'));

    await book(appointment('09:00', '10:00', { participant: [participantOf(room), participantOf(practitioner)] }));

    await booked(appointment('09:30', '10:00', { participant: [participantOf(room), participantOf(practitioner)] }));
    const { body } = await server.get(`Appointment?actor=${practitioner}`, { as: frontdesk });
    expect(body.entry).toHaveLength(2);
  });

  it('is not refused a moment before or after', async () => {
    await booked(appointment('09:00', '09:30'));

    await booked(appointment('08:55', '09:00'));
    await booked(appointment('09:30', '09:31'));
    await booked(
      appointment('00:00', '00:00', { start: '2026-11-24T11:00:00.001+01:00', end: '2026-11-24T10:00:01.500Z' }),
    );
  });

  it('tells of a participant whom the caller may not know of what it tells of one who does not exist', async () => {
    const elsewhere = await create(server, patientBody(), abroad);
    const device = referenceTo(
      await create(
        server,
        { resourceType: 'Device', patient: { reference: referenceTo(elsewhere) } },
        { ...system, organization: 'lakeside' },
      ),
    );
    const participant = [participantOf(device)];
    const there = { as: { ...system, organization: 'lakeside' } };
    expect((await book(appointment('09:00', '09:30', { participant }), there)).status).toBe(201);

    const { status, body } = await book(appointment('09:00', '09:30', { participant }));

    expect([status, issuesOf(body)[0]?.reason]).toEqual([400, 'reference-not-found']);
  });
});

describe('writers at once', () => {
  it('of one time: one is booked, the other learns that it is taken', async () => {
    const responses = await atOnce(2, () => book(appointment('09:00', '09:30')));

    expect(tally(responses)).toEqual({ 201: 1, 409: 1 });
    const refused = responses.find(({ status }) => status === 409);
    expect(refused && issuesOf(refused.body)[0]?.reason).toBe('time-taken');
  });

  it('of times that overlap in a chain never overlap in the end, whoever wins', async () => {
    const clock = (minutes: number) => `${10 + Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
    const wanted = Array.from({ length: 16 }, (_, n) => appointment(clock(n * 5), clock(n * 5 + 10)));

    const responses = await Promise.all(wanted.map((each) => book(each)));

    const { body } = await server.get(`Appointment?actor=${practitioner}&_count=100`, { as: frontdesk });
    const spans = [...(body.entry ?? [])].map(({ resource }) => resource as unknown as fhir4.Appointment);
    const sorted = spans
      .map(({ start = '', end = '' }) => ({ start, end }))
      .sort((a, b) => (a.start < b.start ? -1 : 1));
    expect(sorted.every(({ start }, n) => n === 0 || (sorted[n - 1]?.end ?? '') <= start)).toBe(true);
    expect(sorted).toHaveLength(tally(responses)[201] ?? 0);
    expect(Object.keys(tally(responses)).sort()).toEqual(['201', '409']);
    expect(sorted.length).toBeGreaterThanOrEqual(6); // less would leave room for one more
  });

  it('who move two appointments to one time: one of them stays where it was', async () => {
    const [one, two] = [await booked(appointment('09:00', '09:30')), await booked(appointment('10:00', '10:30'))];
    const noon = { start: at('12:00'), end: at('12:30') };

    const responses = await Promise.all([put(one, noon), put(two, noon)]);

    expect(tally(responses)).toEqual({ 200: 1, 409: 1 });
    const freed = responses[0]?.status === 200 ? ['09:00', '09:30'] : ['10:00', '10:30'];
    const kept = responses[0]?.status === 200 ? ['10:00', '10:30'] : ['09:00', '09:30'];
    expect(await isFree(freed[0] ?? '', freed[1] ?? '')).toBe(true);
    expect(await isFree(kept[0] ?? '', kept[1] ?? '')).toBe(false);
  });

  it('of one conditional create are both told of the one that is booked', async () => {
    const identifier = [{ system: identifierSystem, value: `visit-${practitioner}` }];
    const headers = { 'if-none-exist': `identifier=${identifierSystem}|visit-${practitioner}` };

    const responses = await atOnce(4, () => book(appointment('09:00', '09:30', { identifier }), { headers }));

    expect(tally(responses)).toEqual({ 200: 3, 201: 1 });
    expect((await book(appointment('09:00', '09:30', { identifier }), { headers })).status).toBe(200);
    expect((await book(appointment('09:00', '09:30'))).status).toBe(409);
  });
});

describe('what holds time', () => {
  const states = {
    pending: true,
    booked: true,
    arrived: true,
    'checked-in': true,
    proposed: false,
    fulfilled: false,
    cancelled: false,
    noshow: false,
    'entered-in-error': false,
    waitlist: false,
  } as const;

  it.each(Object.entries(states))('an appointment that is %s: %s', async (status, holds) => {
    server.setTime(Date.parse(at('09:00')));
    await booked(appointment('09:00', '09:30', { status: status as fhir4.Appointment['status'] }));

    expect(await isFree('09:00', '09:30')).toBe(!holds);
  });

  it('not a participant who has declined, or is not meant to come', async () => {
    await booked(appointment('09:00', '09:30', { participant: [participantOf(practitioner, { status: 'declined' })] }));
    await booked(
      appointment('09:00', '09:30', { participant: [participantOf(practitioner, { required: 'information-only' })] }),
    );

    expect(await isFree('09:00', '09:30')).toBe(true);
  });

  it.each(['accepted', 'tentative', 'needs-action'] as const)('a participant who is %s', async (status) => {
    await booked(appointment('09:00', '09:30', { participant: [participantOf(practitioner, { status })] }));

    expect(await isFree('09:00', '09:30')).toBe(false);
  });

  it('not a patient, who comes with them, or what is offered', async () => {
    const service = referenceTo(await create(server, { resourceType: 'HealthcareService' }, admin));
    const relative = referenceTo(
      await create(server, { resourceType: 'RelatedPerson', patient: { reference: patient } }, frontdesk),
    );
    const participant = [participantOf(patient), participantOf(relative), participantOf(service)];

    await booked(appointment('09:00', '09:30', { participant }));
    await booked(appointment('09:00', '09:30', { participant }));
  });

  it('practitioners, their roles, places and devices, however they are named', async () => {
    const role = referenceTo(await create(server, { resourceType: 'PractitionerRole' }, admin));
    const device = referenceTo(await create(server, { resourceType: 'Device' }, system));
    const all = [practitioner, role, room, device].map((reference) => participantOf(reference));
    expect((await book(appointment('09:00', '09:30', { participant: all }), { as: system })).status).toBe(201);

    for (const reference of [practitioner, `${base}/${role}`, `${room}/_history/1`, device]) {
      const participant = [participantOf(reference)];
      const { status } = await book(appointment('09:00', '09:30', { participant }), { as: system });
      expect([reference, status]).toEqual([reference, 409]);
    }
  });

  it('not an actor of another server, or one who is only described', async () => {
    const participant = [
      participantOf('https://elsewhere.example/fhir/Practitioner/1'),
      { status: 'accepted' as const, actor: { display: 'Dr. Sample' } },
      { status: 'accepted' as const, type: [{ text: 'translator' }] },
    ];

    await booked(appointment('09:00', '09:30', { participant }));
    await booked(appointment('09:00', '09:30', { participant }));
  });

  it('a participant’s own period, where it has one', async () => {
    const period = { start: at('09:30'), end: at('10:00') };
    await booked(appointment('09:00', '11:00', { participant: [participantOf(practitioner, { period })] }));

    expect(await isFree('09:00', '09:30')).toBe(true);
    expect(await isFree('09:59', '10:00')).toBe(false);
    expect(await isFree('10:00', '11:00')).toBe(true);
  });

  it('nothing that is over: the past is imported as it was', async () => {
    await booked(appointment('06:00', '06:30'));
    await booked(appointment('06:00', '06:30'));
    await booked(appointment('06:00', '07:00'));

    await booked(appointment('06:30', '07:01'));
    expect((await book(appointment('06:45', '07:01'))).status).toBe(409);
  });

  it('no more than four hundred days of actors', async () => {
    const years = { end: '2028-06-24T09:00:00Z' };

    const { status, body } = await book(appointment('09:00', '09:30', years));

    expect([status, issuesOf(body)[0]?.reason]).toEqual([422, 'booking-too-long']);
    expect((await book(appointment('09:00', '09:30', { ...years, status: 'proposed' }))).status).toBe(201);
    await booked(appointment('09:00', '09:30', { end: '2026-12-24T09:00:00Z', participant: [participantOf(room)] }));
  });
});

describe('time follows its appointment', () => {
  it('when that moves', async () => {
    const one = await booked(appointment('09:00', '09:30'));

    expect((await put(one, { start: at('09:15'), end: at('09:45') })).status).toBe(200);

    expect(await isFree('09:00', '09:15')).toBe(true);
    expect(await isFree('09:15', '09:16')).toBe(false);
    expect(await isFree('09:44', '09:45')).toBe(false);
  });

  it('when that cannot move: it stays', async () => {
    const one = await booked(appointment('09:00', '09:30'));
    await booked(appointment('10:00', '10:30'));

    const { status, body } = await put(one, { start: at('10:15'), end: at('10:45') });

    expect([status, issuesOf(body)[0]?.reason]).toEqual([409, 'time-taken']);
    expect(await isFree('09:00', '09:30')).toBe(false);
    expect(await isFree('10:30', '10:45')).toBe(true);
  });

  it('when that goes to another practitioner', async () => {
    const one = await booked(appointment('09:00', '09:30'));
    const participant = [participantOf(patient), participantOf(room)];

    expect((await put(one, { participant })).status).toBe(200);

    expect(await isFree('09:00', '09:30')).toBe(true);
    expect((await book(appointment('09:00', '09:30', { participant: [participantOf(room)] }))).status).toBe(409);
  });

  it.each(['cancelled', 'noshow', 'entered-in-error', 'fulfilled'] as const)('when that is %s', async (status) => {
    const one = await booked(appointment('09:00', '09:30'));
    server.setTime(Date.parse(at('09:00')));

    expect((await put(one, { status })).status).toBe(200);

    expect(await isFree('09:00', '09:30')).toBe(true);
  });

  it('when a participant declines', async () => {
    const one = await booked(appointment('09:00', '09:30'));
    const participant = [participantOf(patient), participantOf(practitioner, { status: 'declined' })];

    expect((await put(one, { participant })).status).toBe(200);

    expect(await isFree('09:00', '09:30')).toBe(true);
  });

  it('when that is deleted, and when it comes back', async () => {
    const one = await booked(appointment('09:00', '09:30'));
    expect((await server.delete(pathOf(one), { as: frontdesk })).status).toBe(204);
    const two = await booked(appointment('09:00', '09:30'));

    expect((await put(one)).status).toBe(409);
    await server.delete(pathOf(two), { as: frontdesk });
    expect((await put(one)).status).toBe(201);
    expect(await isFree('09:00', '09:30')).toBe(false);
  });

  it('when that is confirmed: a proposal meets the guard as it becomes a booking', async () => {
    const proposal = await booked(appointment('09:00', '09:30', { status: 'proposed' }));
    const rival = await booked(appointment('09:00', '09:30'));

    expect((await put(proposal, { status: 'booked' })).status).toBe(409);
    await put(rival, { status: 'cancelled' });
    expect((await put(proposal, { status: 'booked' })).status).toBe(200);
  });

  it('when the patient arrives: it stays, whatever else is written', async () => {
    const one = await booked(appointment('09:00', '09:30'));

    const arrived = await put(one, { status: 'arrived' });
    const { status } = await put(stored(arrived.body), { status: 'checked-in', comment: 'waits in room 2' });

    expect([arrived.status, status]).toEqual([200, 200]);
    expect(await isFree('09:00', '09:30')).toBe(false);
  });

  it('under an id that the client chose', async () => {
    const chosen = { ...appointment('09:00', '09:30'), id: `visit-${patient.slice(-8)}` };
    const send = () => server.put(`Appointment/${chosen.id}`, chosen, { as: frontdesk });

    expect((await send()).status).toBe(201);
    expect((await send()).status).toBe(200);
    expect((await book(appointment('09:00', '09:30'))).status).toBe(409);
  });

  it('does not come back to who overtook it: a stale If-Match is 412, not 409', async () => {
    const one = await booked(appointment('09:00', '09:30'));
    await put(one, { start: at('10:00'), end: at('10:30') });
    await booked(appointment('09:00', '09:30'));

    const stale = await server.put(pathOf(one), one, { as: frontdesk, headers: { 'if-match': 'W/"1"' } });

    expect(stale.status).toBe(412);
  });
});

describe('in a bundle', () => {
  const send = (bundle: fhir4.Bundle) => server.post('', bundle, { as: system });

  it.each([
    ['small', 0],
    ['large', 120],
  ])('a %s transaction with a taken time writes nothing, and names the entry', async (_size, others) => {
    await booked(appointment('09:00', '09:30'));
    const filler = Array.from({ length: others }, () => postEntry(observationBody(patient)));

    const { status, body } = await send(
      transactionOf(...filler, postEntry(appointment('10:00', '10:30')), postEntry(appointment('09:15', '09:45'))),
    );

    expect([status, issuesOf(body)[0]?.reason]).toEqual([409, 'time-taken']);
    expect(issuesOf(body)[0]?.expression).toBe(`Bundle.entry[${others + 1}].resource.participant[1].actor`);
    expect(await isFree('10:00', '10:30')).toBe(true);
    const { body: found } = await server.get(`Observation?patient=${patient}&_summary=count`, { as: system });
    expect(found.total).toBe(0);
  });

  it.each([
    ['small', 0],
    ['large', 120],
  ])('a %s transaction takes the time that it books', async (_size, others) => {
    const filler = Array.from({ length: others }, () => postEntry(observationBody(patient)));

    expect((await send(transactionOf(...filler, postEntry(appointment('09:00', '09:30'))))).status).toBe(200);

    expect(await isFree('09:00', '09:30')).toBe(false);
    expect(await isFree('09:30', '10:00')).toBe(true);
  });

  it('two entries do not get one time', async () => {
    const { status, body } = await send(
      transactionOf(postEntry(appointment('09:00', '09:30')), postEntry(appointment('09:29', '10:00'))),
    );

    expect([status, issuesOf(body)[0]?.expression]).toEqual([409, 'Bundle.entry[1].resource.participant[1].actor']);
  });

  it('two appointments change places', async () => {
    const [one, two] = [await booked(appointment('09:00', '09:30')), await booked(appointment('10:00', '10:30'))];

    const { status, body } = await send(
      transactionOf(
        putEntry({ ...one, start: two.start ?? '', end: two.end ?? '' }),
        putEntry({ ...two, start: one.start ?? '', end: one.end ?? '' }),
      ),
    );

    expect([status, statusesOf(body)]).toEqual([200, ['200', '200']]);
    const moved = await server.get(pathOf(two), { as: frontdesk });
    await put(stored(moved.body), { status: 'cancelled' });
    expect(await isFree('09:00', '09:30')).toBe(true);
    expect(await isFree('10:00', '10:30')).toBe(false);
  });

  it('a new practitioner is booked with the appointment that names them', async () => {
    const fullUrl = 'urn:uuid:3f0a1f0e-0000-4000-8000-000000000001';
    const participant = [participantOf(fullUrl)];

    const { status, body } = await send(
      transactionOf(
        postEntry({ resourceType: 'Practitioner' }, fullUrl),
        postEntry(appointment('09:00', '09:30', { participant })),
      ),
    );

    expect(status).toBe(200);
    practitioner = /Practitioner\/[^/]+/.exec(body.entry?.[0]?.response?.location ?? '')?.[0] ?? '';
    expect(await isFree('09:00', '09:30')).toBe(false);
  });

  it('each entry of a batch stands for itself', async () => {
    const { status, body } = await send(
      batchOf(postEntry(appointment('09:00', '09:30')), postEntry(appointment('09:10', '09:40'))),
    );

    expect([status, statusesOf(body).sort()]).toEqual([200, ['201', '409']]);
  });
});

describe('what a booking costs', () => {
  /** Calls that wait for one another, calls, read and write units. */
  const costOf = async (work: () => Promise<TestResponse>): Promise<[number, string[], number, number]> => {
    server.calls.reset();
    const { status } = await work();
    expect(status).toBeLessThan(300);
    const { calls } = server;
    return [calls.sequential(), [...calls.names], calls.readUnits, calls.writeUnits];
  };
  /** Two actors, and all services. */
  const looksWhoWaits = ['Query', 'Query', 'Query'];
  const withRoom = (over: Partial<fhir4.Appointment> = {}) =>
    appointment('09:00', '09:30', {
      participant: [patient, practitioner, room].map((each) => participantOf(each)),
      ...over,
    });

  /** Days of calendars, and Schedules of two actors. */
  const calendarReads = ['BatchGetItem', 'Query', 'Query'];
  /** The patient, and the patient's other appointments. */
  const patientReads = ['BatchGetItem', 'Query'];

  it('is calls to read beside one another and one transaction: six units to read and four to write more than an appointment without a time', async () => {
    await booked(withRoom({ start: at('12:00'), end: at('12:30') })); // from now on the directory is known

    const proposed = await costOf(() => book(withRoom({ status: 'proposed' })));
    const taken = await costOf(() => book(withRoom()));

    const reads = [...calendarReads, ...patientReads].sort();
    expect([taken[0], taken[1].toSorted()]).toEqual([2, [...reads, 'TransactWriteItems']]);
    expect([proposed.slice(0, 2), proposed[2], taken[2]]).toEqual([[1, ['TransactWriteItems']], 0, 6]);
    expect(taken[3] - proposed[3]).toBe(4);
  });

  it('is two calls in sequence to move: four units more than moving one without a time', async () => {
    const later = { start: at('13:00'), end: at('13:30') };
    const one = await booked(withRoom());
    const other = await booked(withRoom({ status: 'proposed' }));

    const unguarded = await costOf(() => put(other, later));
    const moved = await costOf(() => put(one, later));

    expect(moved[0]).toBe(2);
    expect(moved[1].sort()).toEqual(
      ['GetItem', 'TransactWriteItems', ...calendarReads, ...patientReads, ...looksWhoWaits].sort(),
    );
    expect(moved[3] - unguarded[3]).toBe(4);
  });

  it('is that of any update where only the state changes', async () => {
    const one = await booked(withRoom());
    const other = await booked(withRoom({ status: 'proposed' }));

    const unguarded = await costOf(() => put(other, { status: 'cancelled' }));
    const arrived = await costOf(() => put(one, { status: 'arrived' }));

    expect([arrived[0], arrived[3]]).toEqual([2, unguarded[3]]);
  });

  it('is nothing but a look who waits beside the transaction to give back', async () => {
    const one = await booked(withRoom());

    const cancelled = await costOf(() => put(one, { status: 'cancelled' }));

    expect(cancelled.slice(0, 2)).toEqual([2, ['GetItem', ...looksWhoWaits, 'TransactWriteItems']]);
  });
});
