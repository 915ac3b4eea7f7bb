import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hours, service, zone } from '../support/actor-schedules.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { admin, create, issuesOf, patientBody, referenceTo, resourcesIn } from '../support/records.ts';

const frontdesk: TestCaller = { role: 'frontdesk' };

let server: FhirServer;
let practitioner: string;
let room: string;
let patient: string;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  server.setTime(Date.UTC(2026, 10, 24, 7));
  practitioner = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  room = referenceTo(await create(server, { resourceType: 'Location', name: 'Room 1' }, admin));
  patient = referenceTo(await create(server, patientBody(), frontdesk));
});

const at = (clock: string) => `2026-11-24T${clock}:00Z`;
const instant = (clock: string) => `2026-11-24T${clock}:00.000Z`;
const parametersOf = (parameter: fhir4.ParametersParameter[]): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter,
});
const proposal = (start: string, end: string, actors = [practitioner, room, patient]): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'proposed',
  start: at(start),
  end: at(end),
  participant: actors.map((reference) => ({ actor: { reference }, status: 'needs-action' })),
});
const book = (appointment: fhir4.Appointment, headers: Record<string, string> = {}, as = frontdesk) =>
  server.post('Appointment/$book', parametersOf([{ name: 'appointment', resource: appointment }]), { as, headers });
const find = async (start: string, end: string, more: fhir4.ParametersParameter[] = []) => {
  const { status, body, text } = await server.post(
    'Appointment/$find',
    parametersOf([
      { name: 'start', valueDateTime: at(start) },
      { name: 'end', valueDateTime: at(end) },
      { name: 'actor', valueReference: { reference: practitioner } },
      { name: 'actor', valueReference: { reference: room } },
      ...more,
    ]),
    { as: frontdesk },
  );
  expect(status, text).toBe(200);
  return resourcesIn(body) as unknown as fhir4.Appointment[];
};
const startsOf = (found: readonly fhir4.Appointment[]) => found.map(({ start }) => start?.slice(11, 16));
const offersIn = (body: TestBody): string[] =>
  (body as unknown as fhir4.OperationOutcome).issue.flatMap(({ severity, details }) =>
    severity === 'information' && details?.text?.startsWith('Free from ') ? [details.text] : [],
  );

describe('Appointment/$find', () => {
  it('proposes when all actors are there and free, the earliest first', async () => {
    const extension = [
      ...zone('UTC'),
      ...hours('09:00', '12:00'),
      ...service([
        { url: 'minutes', valuePositiveInt: 30 },
        { url: 'grain', valuePositiveInt: 30 },
        { url: 'bufferAfter', valueUnsignedInt: 10 },
      ]),
    ];
    await create(server, { resourceType: 'Schedule', actor: [{ reference: practitioner }], extension }, frontdesk);
    await create(server, { ...proposal('10:00', '10:30', [room]), status: 'booked' }, frontdesk);

    const found = await find('08:00', '12:00');

    expect(startsOf(found)).toEqual(['09:00', '09:30', '10:30', '11:00', '11:30']);
    expect(found[0]).toMatchObject({
      status: 'proposed',
      start: instant('09:00'),
      end: instant('09:30'),
      participant: [{ actor: { reference: practitioner } }, { actor: { reference: room } }],
    });
    expect(startsOf(await find('10:00', '13:00', [{ name: 'minutes', valuePositiveInt: 60 }]))).toEqual([
      '10:30',
      '11:00',
    ]);
    expect((await book(proposal('09:00', '09:30'))).status).toBe(201);
    expect(startsOf(await find('08:00', '12:00'))).toEqual(['10:30', '11:00', '11:30']);
  });

  it('keeps to closed time with buffers, and to the own hours of who has no Schedule', async () => {
    const actor = [{ reference: practitioner }];
    const extension = service([{ url: 'bufferAfter', valueUnsignedInt: 10 }]);
    const made = await create(server, { resourceType: 'Schedule', actor, extension }, frontdesk);
    const slot: fhir4.Slot = {
      resourceType: 'Slot',
      status: 'busy-unavailable',
      schedule: { reference: referenceTo(made) },
      start: at('10:00'),
      end: at('11:00'),
    };
    await create(server, slot, frontdesk);
    const role: fhir4.PractitionerRole = {
      resourceType: 'PractitionerRole',
      practitioner: { reference: practitioner },
      availableTime: [{ availableStartTime: '09:00:00', availableEndTime: '11:45:00' }],
    };
    const position = referenceTo(await create(server, role, admin));
    const besides = [
      { name: 'actor', valueReference: { reference: position } },
      { name: 'minutes', valueInteger: 30 },
    ];
    server.calls.reset();

    const found = await find('08:00', '13:00', besides);

    expect(startsOf(found)).toEqual(['09:00', '09:15', '11:00', '11:15']);
    expect(server.calls.sequential()).toBe(2);
  });

  it('proposes the free Slots of a Schedule that has no hours, and fills them', async () => {
    const made = await create(server, { resourceType: 'Schedule', actor: [{ reference: practitioner }] }, frontdesk);
    const slot = (start: string, end: string, status: fhir4.Slot['status'] = 'free', overbooked = false) =>
      create<fhir4.Slot>(
        server,
        {
          resourceType: 'Slot',
          status,
          overbooked,
          schedule: { reference: referenceTo(made) },
          start: at(start),
          end: at(end),
        },
        frontdesk,
      );
    const first = await slot('09:10', '09:30');
    const second = await slot('09:30', '09:50');
    await slot('09:50', '10:10', 'busy');
    await slot('10:10', '10:30', 'free', true);
    server.calls.reset();

    const found = await find('08:00', '12:00');

    expect(server.calls.sequential()).toBe(2);
    expect(found.map(({ start, end, slot: filled }) => [start, end, filled])).toEqual([
      [instant('09:10'), instant('09:30'), [{ reference: referenceTo(first) }]],
      [instant('09:30'), instant('09:50'), [{ reference: referenceTo(second) }]],
    ]);
    const whole = await find('08:00', '12:00', [{ name: 'minutes', valuePositiveInt: 40 }]);
    expect(whole.map(({ start, slot: filled }) => [start, filled?.length])).toEqual([[instant('09:10'), 2]]);
    const booked = await book({
      ...found[0],
      participant: proposal('09:10', '09:30').participant,
    } as fhir4.Appointment);
    expect(booked.status).toBe(201);
    expect(startsOf(await find('08:00', '12:00'))).toEqual(['09:30']);
    const taken = { ...first, status: 'busy' } as unknown as TestBody;
    expect((await server.put(referenceTo(first), taken, { as: frontdesk })).status).toBe(200);
    await server.put(referenceTo(second), { ...second, status: 'busy' } as unknown as TestBody, { as: frontdesk });
    expect(await find('08:00', '12:00')).toEqual([]);
    server.setTime(Date.UTC(2026, 10, 23, 7));
    expect(await find('08:00', '09:00')).toEqual([]);
  });

  /** Weekly hours of a practitioner, with a Schedule for these. */
  const withHours = async (who: Partial<fhir4.Practitioner>, from: string, to: string) => {
    const name = referenceTo(await create(server, { resourceType: 'Practitioner', ...who }, admin));
    const extension = [...hours(from, to), ...service([{ url: 'grain', valuePositiveInt: 60 }])];
    await create(server, { resourceType: 'Schedule', actor: [{ reference: name }], extension }, frontdesk);
    return name;
  };
  const speaking = (...codes: string[]) => ({
    communication: codes.map((code) => ({ coding: [{ system: 'urn:ietf:bcp:47', code }] })),
  });
  const anyOf = (...names: string[]) =>
    names.map((reference) => ({ name: 'anyOf', valueReference: { reference } }) as const);
  const minutes = { name: 'minutes', valuePositiveInt: 60 };
  const search = (parameters: fhir4.ParametersParameter[]) =>
    server.post(
      'Appointment/$find',
      parametersOf([
        { name: 'start', valueDateTime: at('08:00') },
        { name: 'end', valueDateTime: at('12:00') },
        ...parameters,
      ]),
      { as: frontdesk },
    );
  /** At what time with whom. */
  const withWhom = (body: TestBody) =>
    (resourcesIn(body) as unknown as fhir4.Appointment[]).map(({ start, participant }) => [
      start?.slice(11, 16),
      ...participant.map(({ actor }) => actor?.reference),
    ]);

  it('proposes Slots that begin or end between two minutes so that they can be booked, and moved', async () => {
    const made = await create(server, { resourceType: 'Schedule', actor: [{ reference: practitioner }] }, frontdesk);
    const schedule = { reference: referenceTo(made) };
    const [start, end] = ['2026-11-24T09:00:20Z', '2026-11-24T09:30:50Z'];
    await create<fhir4.Slot>(server, { resourceType: 'Slot', status: 'free', schedule, start, end }, frontdesk);
    const [found] = await find('08:00', '12:00');

    const { status, body } = await book({ ...(found as fhir4.Appointment), minutesDuration: 30 });

    expect([found?.start, found?.minutesDuration, status]).toEqual(['2026-11-24T09:00:20.000Z', undefined, 201]);
    const moved = await change(String(body.id), 'reschedule', [
      { name: 'start', valueDateTime: '2026-11-24T10:00:20Z' },
      { name: 'end', valueDateTime: '2026-11-24T10:30:50Z' },
    ]);
    expect([moved.status, moved.body.minutesDuration]).toEqual([200, undefined]);
  });

  it('proposes whoever of several is free first, with all who are needed', async () => {
    const [early, late] = [await withHours({}, '08:00', '10:00'), await withHours({}, '09:00', '11:00')];
    await create(server, { ...proposal('09:00', '10:00', [early]), status: 'booked' }, frontdesk);
    server.calls.reset();

    const { body } = await search([
      { name: 'actor', valueReference: { reference: room } },
      minutes,
      ...anyOf(late, early, late),
    ]);

    expect(server.calls.sequential()).toBe(2);
    expect(withWhom(body)).toEqual([
      ['08:00', room, early],
      ['09:00', room, late],
      ['10:00', room, late],
    ]);
  });

  it('puts first what suits best: days, parts of the day, and who comes', async () => {
    const [he, she] = [
      await withHours({ gender: 'male', ...speaking('en') }, '08:00', '10:00'),
      await withHours({ gender: 'female', ...speaking('de', 'es-MX') }, '09:00', '11:00'),
    ];
    const role: fhir4.PractitionerRole = { resourceType: 'PractitionerRole', practitioner: { reference: she } };
    const position = referenceTo(await create(server, role, admin));
    const asked = async (...parameters: fhir4.ParametersParameter[]) =>
      withWhom((await search([minutes, ...anyOf(he, she), ...parameters])).body).map(([start, who]) =>
        who === he ? `${start} he` : `${start} she`,
      );
    const usual = ['08:00 he', '09:00 he', '09:00 she', '10:00 she'];

    expect(await asked()).toEqual(usual);
    const hers = ['09:00 she', '10:00 she', '08:00 he', '09:00 he'];
    expect(await asked({ name: 'gender', valueCode: 'female' })).toEqual(hers);
    expect(await asked({ name: 'language', valueCode: 'es' })).toEqual(hers);
    expect(await asked({ name: 'language', valueCode: 'fr' })).toEqual(usual);
    expect(await asked({ name: 'partOfDay', valueCode: 'afternoon' })).toEqual(usual);
    expect(await asked({ name: 'daysOfWeek', valueCode: 'tue' }, { name: 'gender', valueCode: 'male' })).toEqual(usual);
    const { body } = await search([minutes, ...anyOf(he, position), { name: 'gender', valueCode: 'female' }]);
    expect(withWhom(body)[0]).toEqual(['08:00', position]);
    expect((await search([minutes, ...anyOf(he), { name: 'daysOfWeek', valueCode: 'tuesday' }])).status).toBe(400);
  });

  it('comes page by page, each time once, also where some are taken meanwhile', async () => {
    const [he, she] = [await withHours({ gender: 'male' }, '08:00', '12:00'), await withHours({}, '08:00', '12:00')];
    const serviceType = { name: 'serviceType', valueCodeableConcept: { text: 'Check-up' } };
    const found: unknown[] = [];
    let page = await search([
      minutes,
      serviceType,
      ...anyOf(he, she),
      { name: 'gender', valueCode: 'female' },
      { name: '_count', valueInteger: 3 },
    ]);
    for (;;) {
      expect(page.status, page.text).toBe(200);
      found.push(...withWhom(page.body).map(([start, who]) => `${start} ${who === he ? 'he' : 'she'}`));
      const { link = [], entry = [] } = page.body as unknown as fhir4.Bundle<fhir4.Appointment>;
      expect(entry.every(({ resource }) => resource?.serviceType?.[0]?.text === 'Check-up')).toBe(true);
      const next = link.find(({ relation }) => relation === 'next')?.url;
      if (next === undefined) break;
      expect(entry.length).toBe(3);
      if (found.length === 3)
        await create(server, { ...proposal('08:00', '09:00', [he]), status: 'booked' }, frontdesk);
      page = await server.get(next.slice(next.indexOf('Appointment')), { as: frontdesk });
    }

    expect(found).toEqual([
      '08:00 he',
      '08:00 she',
      '09:00 he',
      '09:00 she',
      '10:00 he',
      '10:00 she',
      '11:00 he',
      '11:00 she',
    ]);
  });

  it('is refused without an actor, over too many days and to patients', async () => {
    const asked = async (parameters: fhir4.ParametersParameter[], as = frontdesk) => {
      const { status, body } = await server.post('Appointment/$find', parametersOf(parameters), { as });
      return [status, issuesOf(body)[0]?.reason];
    };
    const actor = { name: 'actor', valueReference: { reference: practitioner } };

    expect(await asked([])).toEqual([400, 'invalid']);
    expect(await asked([actor, { name: 'end', valueDateTime: '2027-03-01' }])).toEqual([400, 'too-many-days']);
    expect(await asked([{ name: 'actor', valueReference: { reference: `${room}0` } }])).toEqual([
      400,
      'reference-not-found',
    ]);
    expect((await asked([actor], { role: 'patient', patient: patient.slice(8) } as TestCaller))[0]).toBe(403);
  });

  it('is refused for more of whom any will do than are looked at, and more than proposals can repeat', async () => {
    const asked = async (parameters: fhir4.ParametersParameter[]) =>
      issuesOf((await server.post('Appointment/$find', parametersOf(parameters), { as: frontdesk })).body)[0]?.reason;
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, each) => ({ name, valueReference: { reference: `Patient/${each}` } }));
    const actor = { name: 'actor', valueReference: { reference: practitioner } };

    expect(await asked([actor, ...named('anyOf', 11)])).toBe('too-costly');
    expect(await asked([actor, ...named('actor', 1_000)])).toBe('search-too-long');
    const serviceType = { name: 'serviceType', valueCodeableConcept: { text: 'x'.repeat(20_000) } };
    expect(await asked([actor, serviceType])).toBe('search-too-long');
  });
});

describe('Appointment/$book', () => {
  it('books in two calls one after another', async () => {
    server.calls.reset();

    const { status, body } = await book(proposal('09:00', '09:30'));

    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'booked', participant: [{ status: 'accepted' }, {}, {}] });
    expect(server.calls.sequential()).toBe(2);
  });

  it('confirms what is there by its id', async () => {
    const made = await create(server, proposal('09:00', '09:30'), frontdesk);

    server.calls.reset();
    const { status, body } = await book(made);

    expect(server.calls.sequential()).toBe(3);
    expect([status, (body as unknown as fhir4.Appointment).status]).toEqual([200, 'booked']);
    expect((await book(proposal('09:15', '09:45'))).status).toBe(409);
    await server.put(referenceTo(made), { ...made, status: 'cancelled' }, { as: frontdesk });
    const again = await book(made);
    expect([again.status, issuesOf(again.body)[0]?.reason]).toEqual([422, 'illegal-move']);
  });

  it('books once, however often a request with a key is sent', async () => {
    const headers = { 'Idempotency-Key': 'booking-0001' };

    const [first, second] = [
      await book(proposal('09:00', '09:30'), headers),
      await book(proposal('09:00', '09:30'), headers),
    ];

    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
  });

  it('lets of those who want overlapping times at once have it who do not overlap, and offers the others free time', async () => {
    const wanted = Array.from({ length: 20 }, (_, index) => {
      const minute = 9 * 60 + index * 10;
      const clock = (total: number) =>
        `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`;
      return { from: minute, to: minute + 30, body: proposal(clock(minute), clock(minute + 30)) };
    });

    const answers = await Promise.all(
      wanted.map(async (want) => {
        // Two who come at the same moment may both be told to come again.
        for (;;) {
          const { status, body } = await book(want.body);
          if (status !== 409 || issuesOf(body)[0]?.reason !== 'concurrent-change') return { ...want, status, body };
        }
      }),
    );

    const won = answers.filter(({ status }) => status === 201);
    const lost = answers.filter(({ status }) => status === 409);
    expect(won.length + lost.length).toBe(20);
    for (const one of won)
      for (const other of won) expect(one === other || one.to <= other.from || other.to <= one.from).toBe(true);
    for (const { from, to, body } of lost) {
      expect(won.some((one) => one.from < to && from < one.to)).toBe(true);
      expect(offersIn(body)).toHaveLength(3);
    }
    const [, start = '', end = ''] =
      /from (\S+) to (\S+)$/.exec(offersIn((await book(proposal('09:00', '12:40'))).body)[0] ?? '') ?? [];
    expect((await book({ ...proposal('09:00', '09:30'), start, end })).status).toBe(201);
  });

  it('is refused for what is over, for who has died, and to patients', async () => {
    const refused = async (appointment: fhir4.Appointment, as = frontdesk) => {
      const { status, body } = await book(appointment, {}, as);
      return [status, issuesOf(body)[0]?.reason];
    };
    const dead = referenceTo(await create(server, patientBody({ deceasedBoolean: true }), frontdesk));

    expect(await refused(proposal('06:00', '06:30'))).toEqual([422, 'booking-over']);
    expect(await refused(proposal('09:00', '09:30', [practitioner, dead]))).toEqual([422, 'patient-deceased']);
    expect(await refused(proposal('09:00', '09:30'), { role: 'lab' })).toEqual([403, 'forbidden-role']);
    expect((await book(proposal('09:00', '09:30'))).status).toBe(201);
  });
});

const holdFor = (appointment: fhir4.Appointment, expires: string) =>
  server.post(
    'Appointment/$hold',
    parametersOf([
      { name: 'appointment', resource: appointment },
      { name: 'expires', valueInstant: expires },
    ]),
    { as: frontdesk },
  );
const change = async (id: string, operation: string, parameters: fhir4.ParametersParameter[] = []) => {
  const { status, body } = await server.post(`Appointment/${id}/$${operation}`, parametersOf(parameters), {
    as: frontdesk,
  });
  return { status, body: body as unknown as fhir4.Appointment, reason: status < 400 ? '' : issuesOf(body)[0]?.reason };
};

describe('Appointment/$hold', () => {
  it('keeps a time until it lapses by itself, or is booked', async () => {
    const first = await holdFor(proposal('09:00', '09:30'), instant('07:10'));
    const second = await holdFor(proposal('10:00', '10:30'), instant('07:10'));
    expect([first.status, second.status, first.body.status]).toEqual([201, 201, 'pending']);
    expect((await book(proposal('09:15', '09:45'))).status).toBe(409);
    const confirmed = await book(second.body as unknown as fhir4.Appointment);
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'booked']);
    expect(JSON.stringify(confirmed.body.extension)).not.toContain('hold-until');

    server.setTime(Date.parse(at('07:11')));

    expect(startsOf(await find('09:00', '11:00'))).toEqual(['09:00', '09:15', '09:30', '10:30']);
    expect((await book(proposal('09:15', '09:45'))).status).toBe(201);
    expect((await book(proposal('10:15', '10:45'))).status).toBe(409);
    const late = await book(first.body as unknown as fhir4.Appointment);
    expect([late.status, offersIn(late.body).length]).toEqual([409, 3]);
  });

  it('is moved while it keeps a time, and not once it has lapsed', async () => {
    const to = (clock: string, end: string) => [
      { name: 'start', valueDateTime: at(clock) },
      { name: 'end', valueDateTime: at(end) },
    ];
    const { body } = await holdFor(proposal('09:00', '09:30'), instant('07:10'));
    const moved = await change(String(body.id), 'reschedule', to('10:00', '10:30'));
    expect([moved.status, (await book(proposal('10:00', '10:30'))).status]).toEqual([200, 409]);

    server.setTime(Date.parse(at('07:11')));

    const late = await change(String(body.id), 'reschedule', to('11:00', '11:30'));
    expect([late.status, late.reason]).toEqual([422, 'illegal-move']);
  });

  it('ends within a day from now', async () => {
    expect((await holdFor(proposal('09:00', '09:30'), instant('06:59'))).status).toBe(400);
    expect((await holdFor(proposal('09:00', '09:30'), '2026-11-25T07:00:01Z')).status).toBe(400);
  });
});

describe('an Appointment', () => {
  it('is moved for all who take part or for none, and cancelled', async () => {
    const { body } = await book(proposal('09:00', '09:30'));
    const id = String(body.id);
    await book(proposal('11:00', '11:30', [room]));
    const to = (start: string, end: string) => [
      { name: 'start', valueDateTime: at(start) },
      { name: 'end', valueDateTime: at(end) },
      { name: 'reason', valueString: 'Bus is late' },
    ];

    const refused = await change(id, 'reschedule', to('11:15', '11:45'));
    expect([refused.status, refused.reason]).toEqual([409, 'time-taken']);
    expect((await book(proposal('09:00', '09:30'))).status).toBe(409);
    const moved = await change(id, 'reschedule', to('10:00', '10:30'));
    expect([moved.status, moved.body.start, moved.body.status]).toEqual([200, at('10:00'), 'booked']);
    expect(moved.body.extension?.[0]?.valueString).toBe('Bus is late');
    expect((await book(proposal('09:00', '09:30'))).status).toBe(201);

    const cancelled = await change(id, 'cancel', [{ name: 'reason', valueString: 'Feels better' }]);
    expect([cancelled.status, cancelled.body.status]).toEqual([200, 'cancelled']);
    expect(cancelled.body.cancelationReason?.text).toBe('Feels better');
    expect((await book(proposal('10:00', '10:30'))).status).toBe(201);
    expect((await change(id, 'cancel', [])).reason).toBe('illegal-move');
    expect((await change(id, 'reschedule', to('12:00', '12:30'))).reason).toBe('illegal-move');
  });
});

describe('a patient', () => {
  const historyOf = ({ extension = [] }: fhir4.Appointment) =>
    extension.flatMap(({ extension: [status, since] = [] }) => [[status?.valueCode, since?.valueInstant]]);

  it('is checked in, at the time that the server keeps, and once', async () => {
    const { body } = await book(proposal('09:00', '09:30'));
    const id = String(body.id);

    server.setTime(Date.parse(at('08:50')));
    server.calls.reset();
    const arrived = await change(id, 'check-in', [{ name: 'status', valueCode: 'arrived' }]);
    expect(server.calls.sequential()).toBe(2);
    server.setTime(Date.parse(at('08:55')));
    const checked = await change(id, 'check-in');
    const again = await change(id, 'check-in');

    expect([arrived.status, arrived.body.status, checked.status]).toEqual([200, 'arrived', 200]);
    expect(historyOf(checked.body)).toEqual([
      ['arrived', instant('08:50')],
      ['checked-in', instant('08:55')],
    ]);
    expect(again.body).toEqual(checked.body);
    expect((await change(id, 'check-in', [{ name: 'status', valueCode: 'fulfilled' }])).status).toBe(400);
    expect((await change(id, 'check-in', [{ name: 'status', valueCode: 'arrived' }])).reason).toBe('illegal-move');
    const proposed = await create(server, proposal('12:00', '12:30'), frontdesk);
    expect((await change(proposed.id, 'check-in')).reason).toBe('illegal-move');
    expect((await book(proposal('09:15', '09:45'))).status).toBe(409);
  });

  it('is told by who is there to have come or not, and by no support staff', async () => {
    const { body } = await book(proposal('09:00', '09:30'));
    const answers = await Promise.all(
      ['check-in', 'no-show'].map((operation) =>
        server.post(`Appointment/${body.id}/$${operation}`, parametersOf([]), { as: { role: 'support' } }),
      ),
    );

    expect(answers.map(({ status, body: refused }) => [status, issuesOf(refused)[0]?.reason])).toEqual([
      [403, 'forbidden-role'],
      [403, 'forbidden-role'],
    ]);
  });

  it('is missed once the time has begun, and the time is free until the patient comes after all', async () => {
    const { body } = await book(proposal('09:00', '10:00'));
    const id = String(body.id);
    const reason = [{ name: 'reason', valueString: 'Did not call' }];

    expect((await change(id, 'no-show', reason)).reason).toBe('not-begun');
    server.setTime(Date.parse(at('09:15')));
    const missed = await change(id, 'no-show', reason);
    expect([missed.status, missed.body.status, missed.body.cancelationReason?.text]).toEqual([
      200,
      'noshow',
      'Did not call',
    ]);
    const other = await book(proposal('09:30', '10:00'));
    expect(other.status).toBe(201);
    const late = await change(id, 'check-in');
    expect([late.status, late.reason, offersIn(late.body as unknown as TestBody).length]).toEqual([
      409,
      'time-taken',
      3,
    ]);
    const { cancelationReason: _missed, ...rest } = missed.body;
    const url = 'https://concord.example/fhir/StructureDefinition/overbooking-reason';
    const extension = [...(rest.extension ?? []), { url, valueString: 'Came late, is in pain' }];
    const overbooked = { ...rest, status: 'arrived', extension } as unknown as TestBody;
    expect((await server.put(`Appointment/${id}`, overbooked, { as: frontdesk })).status).toBe(403);
    expect((await server.put(`Appointment/${id}`, overbooked, { as: { role: 'nurse' } })).status).toBe(200);
    const again = { ...rest, cancelationReason: { text: 'Went again' }, status: 'cancelled' } as unknown as TestBody;
    expect((await server.put(`Appointment/${id}`, again, { as: frontdesk })).status).toBe(200);
  });

  it('who was missed and comes after all is checked in as long as nobody else has the time', async () => {
    const { body } = await book(proposal('09:00', '10:00'));
    const id = String(body.id);
    server.setTime(Date.parse(at('09:15')));
    await change(id, 'no-show', [{ name: 'reason', valueString: 'Did not call' }]);
    const there = await change(id, 'check-in');
    expect([there.status, there.body.status, there.body.cancelationReason]).toEqual([200, 'checked-in', undefined]);
    expect((await book(proposal('09:30', '10:00'))).status).toBe(409);
    expect((await change(id, 'no-show')).reason).toBe('illegal-move');
  });

  it('is missed early by no way of writing, but for what an interface tells', async () => {
    const made = await create(server, { ...proposal('09:00', '09:30'), status: 'booked' }, frontdesk);
    const url = referenceTo(made);
    const missed = { ...made, status: 'noshow' } as unknown as TestBody;
    const patch = [{ op: 'replace', path: '/status', value: 'noshow' }];
    const entry = [{ resource: missed, request: { method: 'PUT', url } }];

    const answers = [
      await server.put(url, missed, { as: frontdesk }),
      await server.put(url, { ...(missed as object), start: at('06:00') } as unknown as TestBody, { as: frontdesk }),
      await server.put(`Appointment?_id=${made.id}`, missed, { as: frontdesk }),
      await server.request('PATCH', url, {
        body: patch,
        as: frontdesk,
        headers: { 'content-type': 'application/json-patch+json' },
      }),
      await server.post('', { resourceType: 'Bundle', type: 'transaction', entry } as never, { as: frontdesk }),
    ];

    for (const { status, body } of answers) expect([status, issuesOf(body)[0]?.reason]).toEqual([422, 'not-begun']);
    expect(issuesOf(answers[4]?.body as TestBody)[0]?.expression).toBe('Bundle.entry[0].resource.status');
    const told = await server.put(url, missed, { as: { role: 'system' } });
    expect([told.status, told.body.meta?.tag]).toEqual([200, undefined]);
    const first = { ...proposal('10:00', '10:30'), status: 'noshow' as const };
    expect(issuesOf((await server.post('Appointment', first, { as: frontdesk })).body)[0]?.reason).toBe('not-begun');
    const next = await create(server, { ...first, status: 'booked' }, frontdesk);
    await server.delete(referenceTo(next), { as: frontdesk });
    const again = await server.put(referenceTo(next), { ...first, id: next.id } as unknown as TestBody, {
      as: frontdesk,
    });
    expect([again.status, issuesOf(again.body)[0]?.reason]).toEqual([422, 'not-begun']);
    await create(server, { ...proposal('06:00', '06:30'), status: 'noshow' }, frontdesk);
  });

  it('whose appointment an interface moves out of order is looked at by the front desk', async () => {
    const made = await create(server, { ...proposal('09:00', '09:30'), status: 'cancelled' }, frontdesk);

    const told = await server.put(referenceTo(made), { ...made, status: 'arrived' } as unknown as TestBody, {
      as: { role: 'system' },
    });

    expect([told.status, told.body.meta?.tag?.[0]?.code]).toEqual([200, 'irregular-move']);
    const tasks = resourcesIn((await server.get(`Task?focus=${referenceTo(made)}`, { as: frontdesk })).body);
    expect(tasks).toMatchObject([
      { for: { reference: patient }, performerType: [{ coding: [{ code: 'frontdesk' }] }] },
    ]);
  });
});

describe('a patient who has another appointment then', () => {
  let other: string;
  /** What is said beside an answer, of other appointments. */
  const warnedOf = ({ headers, body }: { headers: Record<string, string>; body: TestBody }): string[] => {
    const told = headers['x-fhir-request-validation'];
    const outcome = (told === undefined ? body : JSON.parse(told)) as Partial<fhir4.OperationOutcome>;
    return (outcome.issue ?? []).flatMap(({ severity, code, details }) =>
      severity === 'warning' ? [`${code} ${details?.text}`] : [],
    );
  };
  const warning = (name = other) => [`conflict The patient has another appointment at this time: ${name}`];
  const alone = (start: string, end: string) => proposal(start, end, [patient, room]);
  const booked = (start: string, end: string, more: Partial<fhir4.Appointment> = {}) => ({
    ...alone(start, end),
    status: 'booked' as const,
    ...more,
  });
  const post = (appointment: fhir4.Appointment, as = frontdesk, headers: Record<string, string> = {}) =>
    server.post('Appointment', appointment as unknown as TestBody, { as, headers });

  beforeEach(async () => {
    const { body } = await book(proposal('09:00', '10:00', [practitioner, patient]));
    other = referenceTo(body);
  });

  it('is booked all the same, with a warning, in no call more', async () => {
    server.calls.reset();
    const direct = await post(booked('09:30', '10:15'));
    expect([direct.status, warnedOf(direct)]).toEqual([201, warning()]);
    expect(server.calls.sequential()).toBe(2);
    await server.delete(referenceTo(direct.body), { as: frontdesk });
    server.calls.reset();
    const operation = await book(alone('09:30', '10:15'), { prefer: 'return=OperationOutcome' });
    expect([operation.status, warnedOf(operation)]).toEqual([201, warning()]);
    expect(server.calls.sequential()).toBe(2);
  });

  it('is warned of by $hold, $reschedule, PUT and transactions', async () => {
    const held = await holdFor(alone('08:30', '09:30'), instant('07:10'));
    expect(warnedOf(held)).toEqual(warning());
    await change(String(held.body.id), 'cancel');
    const made = await create(server, booked('12:00', '12:30'), frontdesk);
    const to = parametersOf([
      { name: 'start', valueDateTime: at('09:45') },
      { name: 'end', valueDateTime: at('10:15') },
    ]);
    const moved = await server.post(`Appointment/${made.id}/$reschedule`, to, { as: frontdesk });
    expect([moved.status, warnedOf(moved)]).toEqual([200, warning()]);
    const put = await server.put(
      referenceTo(made),
      { ...(moved.body as object), start: at('09:50') } as unknown as TestBody,
      {
        as: frontdesk,
      },
    );
    expect([put.status, warnedOf(put)]).toEqual([200, warning()]);
    const resource = { ...(put.body as object), start: at('09:55') };
    const entry = [{ resource, request: { method: 'PUT', url: referenceTo(made) } }];
    const together = await server.post('', { resourceType: 'Bundle', type: 'transaction', entry } as never, {
      as: frontdesk,
    });
    const [{ response } = {}] = (together.body as unknown as fhir4.Bundle).entry ?? [];
    expect(warnedOf({ headers: {}, body: response?.outcome as unknown as TestBody })).toEqual(warning());
    const commented = { ...resource, comment: 'Bring the letter' } as unknown as TestBody;
    expect(warnedOf(await server.put(referenceTo(made), commented, { as: frontdesk }))).toEqual([]);
  });

  it('is warned of by any of the records of a person that were merged', async () => {
    const stands = referenceTo(await create(server, patientBody(), frontdesk));
    const source = parametersOf([{ name: 'source', valueReference: { reference: patient } }]);
    expect((await server.post(`${stands}/$merge`, source, { as: frontdesk })).status).toBe(200);

    const booking = await post({ ...proposal('09:30', '10:15', [stands, room]), status: 'booked' });

    expect([booking.status, warnedOf(booking)]).toEqual([201, warning()]);
    for (const { id } of [stands, patient].map((name) => ({ id: name.slice(8) }))) {
      const log = await server.get(`AuditEvent?patient=${id}&entity=${other}`, { as: { role: 'privacy' } });
      expect(JSON.stringify(resourcesIn(log.body).map(({ subtype }) => subtype))).toContain('search');
    }
  });

  it('is told of again when the request is sent again with its key', async () => {
    const headers = { 'Idempotency-Key': 'overlap-0001' };
    const [first, second] = [
      await post(booked('09:30', '10:15'), frontdesk, headers),
      await post(booked('09:30', '10:15'), frontdesk, headers),
    ];

    expect([second.body, warnedOf(second)]).toEqual([first.body, warning()]);
  });

  it('is not told of before or behind, nor of what is over, lapsed or only proposed', async () => {
    await create(server, { ...alone('10:00', '10:30') }, frontdesk);
    await create(server, { ...booked('10:00', '10:30', { status: 'cancelled' }) }, frontdesk);
    await create(server, { ...proposal('08:00', '08:30', [patient]), status: 'fulfilled' }, frontdesk);
    await holdFor(proposal('10:00', '10:30', [patient]), instant('07:10'));
    server.setTime(Date.parse(at('07:11')));

    expect(warnedOf(await post(booked('10:00', '10:30')))).toEqual([]);
    expect(warnedOf(await post(booked('08:00', '09:00')))).toEqual([]);
  });

  it('is told of to nobody who may not see the other appointment, and leaves its trace', async () => {
    const blind: TestCaller = { role: 'frontdesk', scope: 'user/Appointment.c user/Patient.rs' };

    expect(warnedOf(await post(booked('09:00', '09:30'), blind))).toEqual([]);
    expect(warnedOf(await post(booked('09:30', '10:00')))).toEqual(warning());
    const log = await server.get(`AuditEvent?patient=${patient.slice(8)}&entity=${other}`, { as: { role: 'privacy' } });
    expect(resourcesIn(log.body).map(({ subtype }) => JSON.stringify(subtype))).toContainEqual(
      expect.stringContaining('search'),
    );
  });
});
