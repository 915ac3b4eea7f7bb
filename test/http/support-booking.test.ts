import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { service } from '../support/actor-schedules.ts';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { admin, create, elsewhere, issuesOf, patientBody, referenceTo, resourcesIn } from '../support/records.ts';

// Support staff book by operations alone, under a delegation, and see a part of what they have booked.

const frontdesk: TestCaller = { role: 'frontdesk' };
const physician: TestCaller = { role: 'physician' };
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const checkUp = { coding: [{ system: 'urn:services', code: 'check-up' }] };

let server: FhirServer;
let support: TestCaller;
let delegation: string;
let practitioner: string;
let room: string;
let patient: string;

beforeAll(async () => {
  const table = await localTable();
  const type = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: '42CFRPart2' }] }];
  const first = await fhirServer(table);
  await first.put('Location/ward', { resourceType: 'Location', id: 'ward', type }, { as: admin });
  // Another process, or a minute later: what is a programme is known by then.
  server = await fhirServer(table);
  server.setTime(Date.UTC(2026, 10, 24, 7));
});
beforeEach(async () => {
  const agent = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  support = { role: 'support', claims: { fhirUser: agent } };
  const role: fhir4.PractitionerRole = {
    resourceType: 'PractitionerRole',
    practitioner: { reference: agent },
    code: [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/delegation', code: 'support' }] }],
    period: { start: '2026-11-24T00:00:00Z', end: '2026-11-25T00:00:00Z' },
  };
  delegation = referenceTo(await create(server, role, admin));
  practitioner = referenceTo(await create(server, { resourceType: 'Practitioner' }, admin));
  room = referenceTo(await create(server, { resourceType: 'Location', name: 'Room 1' }, admin));
  patient = referenceTo(await create(server, patientBody(), frontdesk));
});

const at = (clock: string) => `2026-11-24T${clock}:00Z`;
const proposal = (start: string, end: string, actors = [practitioner, room, patient]): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'proposed',
  start: at(start),
  end: at(end),
  participant: actors.map((reference) => ({ actor: { reference }, status: 'needs-action' })),
});
const ask = async (
  operation: string,
  parameter: fhir4.ParametersParameter[],
  { as = support, headers = {} }: { as?: TestCaller; headers?: Record<string, string> } = {},
) => {
  const { status, body, text } = await server.post(
    `Appointment/${operation}`,
    { resourceType: 'Parameters', parameter },
    { as, headers },
  );
  return { status, text, body: body as unknown as fhir4.Appointment };
};
const book = (appointment: fhir4.Appointment, how: Parameters<typeof ask>[2] = {}) =>
  ask('$book', [{ name: 'appointment', resource: appointment }], how);
const reasonOf = ({ status, body }: { status: number; body: unknown }) => [
  status,
  status < 300 ? undefined : issuesOf(body as TestBody)[0]?.reason,
];
const whole = async (id: string | undefined) =>
  (await server.get(`Appointment/${id}`, { as: frontdesk })).body as unknown as fhir4.Appointment;
const moved = (start: string, end: string) => [
  { name: 'start', valueDateTime: at(start) },
  { name: 'end', valueDateTime: at(end) },
  { name: 'reason', valueString: 'Bus is late' },
];

describe('support staff', () => {
  it('book what they find, and see patient and place of it', async () => {
    const extension = service([{ url: 'serviceType', valueCodeableConcept: checkUp }]);
    await create(server, { resourceType: 'Schedule', actor: [{ reference: practitioner }], extension }, frontdesk);
    const found = await ask('$find', [
      { name: 'start', valueDateTime: at('09:00') },
      { name: 'end', valueDateTime: at('10:00') },
      { name: 'serviceType', valueCodeableConcept: checkUp },
      ...[practitioner, room, patient].map((reference) => ({
        name: 'actor',
        valueReference: { reference, display: 'Dr Who' },
      })),
    ]);
    const [first] = resourcesIn(found.body as unknown as TestBody) as unknown as fhir4.Appointment[];
    expect([found.status, found.text.includes('Dr Who')]).toEqual([200, false]);
    server.calls.reset();

    const booked = await book(first as fhir4.Appointment);

    expect(server.calls.sequential()).toBe(3); // the delegation; the look; the transaction
    expect(booked.status, booked.text).toBe(201);
    expect(booked.body).toEqual({
      resourceType: 'Appointment',
      id: expect.any(String),
      meta: { versionId: '1', lastUpdated: expect.any(String), tag: [expect.objectContaining(subsetted)] },
      status: 'booked',
      start: '2026-11-24T09:00:00.000Z',
      end: '2026-11-24T09:30:00.000Z',
      minutesDuration: 30,
      participant: [room, patient].map((reference) => ({ actor: { reference }, status: 'accepted' })),
    });
    const kept = await whole(booked.body.id);
    expect(kept.serviceType).toEqual([checkUp]);
    expect(kept.participant.map(({ actor }) => actor?.reference)).toEqual([practitioner, room, patient]);
    expect((await server.get(`Appointment/${booked.body.id}`, { as: support })).body).toEqual(booked.body);
  });

  it('hold, confirm, move and cancel, and keep what they do not see', async () => {
    const held = await ask('$hold', [{ name: 'appointment', resource: proposal('09:00', '09:30') }]);
    const confirmed = await book(held.body);
    const hush = { text: 'hush', coding: [{ system: 'http://snomed.info/sct', code: '22298006' }] };
    const { meta: _meta, ...booked } = await whole(held.body.id);
    const clinical = { ...booked, description: 'hush', comment: 'hush', reasonCode: [hush], serviceType: [hush] };
    const noted = await server.put(`Appointment/${booked.id}`, clinical, { as: physician });
    expect(noted.status, noted.text).toBe(200);

    const later = await ask(`${booked.id}/$reschedule`, moved('10:00', '10:30'));
    const cancelled = await ask(`${booked.id}/$cancel`, [{ name: 'reason', valueString: 'Feels better' }]);

    expect([held.body.status, confirmed.status, confirmed.body.status]).toEqual(['pending', 200, 'booked']);
    expect([later.status, later.body.start, cancelled.status]).toEqual([200, at('10:00'), 200]);
    for (const { text } of [later, cancelled]) {
      expect(text).toContain('SUBSETTED');
      expect(text).not.toContain('hush');
      expect(text).not.toContain('22298006');
      expect(text).not.toContain(practitioner);
      expect(text).not.toContain('Feels better');
    }
    expect(await whole(booked.id)).toMatchObject({
      status: 'cancelled',
      description: 'hush',
      reasonCode: [hush],
      cancelationReason: { text: 'Feels better' },
    });
    expect(reasonOf(await ask(`${booked.id}/$cancel`, []))).toEqual([422, 'illegal-move']);
  });

  it.each([
    ['a reason', { reasonCode: [{ text: 'chest pain' }] }, 'reasonCode'],
    ['words', { comment: 'chest pain' }, 'comment'],
    ['instructions', { patientInstruction: 'Take two' }, 'patientInstruction'],
    ['an extension', { extension: [{ url: 'urn:x', valueString: 'chest pain' }] }, 'extension'],
    ['a service in words', { serviceType: [{ text: 'chest pain' }] }, 'serviceType'],
    ['a service that nobody offers', { serviceType: [checkUp] }, 'serviceType'],
    ['words as a system', { serviceType: [{ coding: [{ system: 'urn:chest-pain' }] }] }, 'serviceType'],
    [
      'a name beside a reference',
      { participant: [{ actor: { display: 'Dr Who' }, status: 'accepted' }] },
      'participant',
    ],
    ['nobody', { participant: [] }, 'participant'],
  ] as const)('give no more than they may know: not %s', async (_, elements, name) => {
    const given = { ...proposal('09:00', '09:30'), ...elements } as fhir4.Appointment;

    for (const operation of ['$book', '$hold']) {
      const { status, body } = await ask(operation, [{ name: 'appointment', resource: given }]);

      const [issue] = (body as unknown as fhir4.OperationOutcome).issue;
      expect([status, issue?.details?.coding?.[0]?.code]).toEqual([422, 'beyond-support']);
      expect(issue?.expression).toEqual([`Appointment.${name}`]);
    }
    expect((await book({ ...given, ...proposal('09:00', '09:30') }, { as: frontdesk })).status).toBe(201);
  });

  it('are told of nobody but themselves where the time is taken: only when there is some', async () => {
    const other = referenceTo(await create(server, patientBody(), frontdesk));
    const held = proposal('09:00', '09:30', [practitioner, room, other]);
    await create(server, { ...held, status: 'booked', comment: 'hush' }, frontdesk);
    const mine = await book(proposal('11:00', '11:30'));

    for (const refused of [
      await book(proposal('09:00', '09:30')),
      await ask(`${mine.body.id}/$reschedule`, moved('09:00', '09:30')),
    ]) {
      const { issue } = refused.body as unknown as fhir4.OperationOutcome;
      expect(refused.status).toBe(409);
      expect(issue.map(({ severity, expression }) => [severity, expression?.[0]])).toEqual([
        ['error', 'Appointment.start'],
        ...Array.from({ length: 3 }, () => ['information', 'Appointment.start']),
      ]);
      expect(issue[0]?.details?.text).toBe('Somebody else has the time');
      for (const { details } of issue.slice(1)) expect(details?.text).toMatch(/^Free from \S+Z to \S+Z$/);
      expect(refused.text).not.toMatch(/Practitioner|Location|Patient|hush/);
    }
  });

  it('do not book for patients whom they do not see, nor time of other organisations', async () => {
    const foreign = referenceTo(await create(server, patientBody(), elsewhere));
    const labelled = referenceTo(
      await create(server, patientBody({ meta: { security: [restricted] }, deceasedBoolean: true }), frontdesk),
    );
    const theirs = referenceTo(
      await create(server, { resourceType: 'Practitioner' }, { ...admin, organization: 'lakeside' }),
    );
    const missing = `${patient.slice(0, -1)}${patient.endsWith('a') ? 'b' : 'a'}`;
    const asked = [
      [practitioner, foreign],
      [practitioner, labelled],
      [practitioner, missing],
      [theirs, patient],
    ];

    const answers: unknown[] = [];
    for (const actors of asked) {
      const refused = await book(proposal('09:00', '09:30', actors));
      answers.push([...reasonOf(refused), issuesOf(refused.body as unknown as TestBody)[0]?.expression]);
      const found = await ask(
        '$find',
        actors.map((reference, index) => ({ name: index === 1 ? 'anyOf' : 'actor', valueReference: { reference } })),
      );
      expect(reasonOf(found)).toEqual([400, 'reference-not-found']);
    }

    const other = [400, 'reference-not-found', 'Appointment.participant[1].actor.reference'];
    expect(answers).toEqual([
      other,
      other,
      other,
      [...other.slice(0, 2), 'Appointment.participant[0].actor.reference'],
    ]);
  });

  it('do not reach appointments that they do not see', async () => {
    const foreign = await create(
      server,
      proposal('12:00', '12:30', [referenceTo(await create(server, patientBody(), elsewhere))]),
      elsewhere,
    );
    const labelled = await create(
      server,
      { ...proposal('13:00', '13:30', [room, patient]), meta: { security: [restricted] } },
      frontdesk,
    );

    for (const id of [foreign.id, labelled.id, 'none']) {
      expect(reasonOf(await ask(`${id}/$cancel`, []))).toEqual([404, 'not-found']);
      expect(reasonOf(await ask(`${id}/$reschedule`, moved('10:00', '10:30')))).toEqual([404, 'not-found']);
      expect(reasonOf(await book({ ...proposal('09:00', '09:30'), id }))).toEqual([404, 'not-found']);
    }
  });

  it('are told in one way that staff decide: of a death, of overbooking, of a programme', async () => {
    const dead = referenceTo(await create(server, patientBody({ deceasedBoolean: true }), frontdesk));
    const overbooked = await create(
      server,
      {
        ...proposal('14:00', '14:30'),
        status: 'booked',
        extension: [
          { url: 'https://concord.example/fhir/StructureDefinition/overbooking-reason', valueString: 'hush' },
        ],
      },
      physician,
    );

    const refused = [
      await book(proposal('09:00', '09:30', [practitioner, dead])),
      await book(proposal('09:00', '09:30', ['Location/ward', patient])),
      await ask(`${overbooked.id}/$reschedule`, moved('15:00', '15:30')),
    ];

    for (const each of refused) {
      expect(reasonOf(each)).toEqual([422, 'booking-by-staff']);
      const [issue, ...more] = (each.body as unknown as fhir4.OperationOutcome).issue;
      expect([issue?.details?.text, issue?.expression, more]).toEqual([
        'Staff who see all of it decide on this booking: send them a Task',
        ['Appointment'],
        [],
      ]);
    }
  });

  it('book while it is delegated to them, by operations alone, and with the scope', async () => {
    const booked = await book(proposal('09:00', '09:30'));
    const direct = [
      await server.post('Appointment', proposal('10:00', '10:30'), { as: support }),
      await server.put(
        `Appointment/${booked.body.id}`,
        { ...proposal('10:00', '10:30'), id: booked.body.id },
        { as: support },
      ),
      await server.delete(`Appointment/${booked.body.id}`, { as: support }),
      await server.post(
        `Appointment/${booked.body.id}/$meta-add`,
        { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] },
        { as: support },
      ),
    ];
    const part = await server.put(`Appointment/${booked.body.id}`, booked.body, { as: support });
    const readOnly = await book(proposal('10:00', '10:30'), { as: { ...support, scope: 'user/*.rs' } });
    const key = { headers: { 'idempotency-key': 'support-0001' } };
    const [first, again] = [await book(proposal('11:00', '11:30'), key), await book(proposal('11:00', '11:30'), key)];
    await server.delete(delegation, { as: admin });
    const late = await server.put(`Appointment/${booked.body.id}`, booked.body, { as: support });

    expect([part.status, issuesOf(part.body)[0]?.reason]).toEqual([422, 'subsetted']);
    expect([late.status, issuesOf(late.body)[0]?.reason]).toEqual([403, 'forbidden-role']);
    for (const each of direct) expect([each.status, issuesOf(each.body)[0]?.reason]).toEqual([403, 'forbidden-role']);
    expect(reasonOf(readOnly)).toEqual([403, 'forbidden-scope']);
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(reasonOf(await book(proposal('11:00', '11:30'), key))).toEqual([403, 'no-delegation']);
    for (const [operation, parameters] of [
      ['$find', [{ name: 'actor', valueReference: { reference: practitioner } }]],
      ['$hold', [{ name: 'appointment', resource: proposal('12:00', '12:30') }]],
      [`${booked.body.id}/$reschedule`, moved('13:00', '13:30')],
      [`${booked.body.id}/$cancel`, []],
    ] as const)
      expect(reasonOf(await ask(operation, [...parameters]))).toEqual([403, 'no-delegation']);
    expect((await whole(booked.body.id)).status).toBe('booked');
  });

  it('are named in the log, with the organisation that it was done for', async () => {
    const booked = await book(proposal('09:00', '09:30'));
    await ask(`${booked.body.id}/$cancel`, []);

    const { body } = await server.get(`AuditEvent?patient=${patient}`, { as: { role: 'privacy' } });

    const events = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(
      ({ agent }) => agent[0]?.who?.reference === support.claims?.fhirUser,
    );
    expect(events.map(({ action }) => action).sort()).toEqual(['C', 'E', 'U']);
    for (const event of events) expect(JSON.stringify(event)).toContain('on behalf of');
  });
});
