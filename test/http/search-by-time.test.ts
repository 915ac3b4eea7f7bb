import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Appointments and slots are found by time across patients, in order of time.

let server: FhirServer;
let patient: string;
beforeAll(async () => {
  server = await fhirServer();
  patient = referenceTo(await create(server, patientBody()));
});

let practitioners = 0;
const newPractitioner = async (): Promise<string> =>
  referenceTo(
    await create(
      server,
      { resourceType: 'Practitioner', name: [{ family: `Ticks${practitioners++}` }] } as fhir4.Practitioner,
      { role: 'admin' },
    ),
  );

const appointmentBody = (actor: string, start: string | undefined, who: string | undefined = patient) =>
  ({
    resourceType: 'Appointment',
    status: start === undefined ? 'proposed' : 'cancelled', // so that nobody is booked twice
    ...(start === undefined ? {} : { start, end: new Date(Date.parse(start) + 1_800_000).toISOString() }),
    participant: [actor, who].flatMap((reference) =>
      reference === undefined ? [] : [{ actor: { reference }, status: 'accepted' as const }],
    ),
  }) as fhir4.Appointment;

const book = async (...args: Parameters<typeof appointmentBody>): Promise<Stored<fhir4.Appointment>> =>
  create(server, appointmentBody(...args), system);

/** What a search shows on all its pages, in order; fails if it walks. */
const shown = async (query: string): Promise<string[]> => {
  const pages = await allPages(server, query, system);
  const resources = pages.flatMap(resourcesIn);
  expect(JSON.stringify(resources.filter(({ resourceType }) => resourceType === 'OperationOutcome'))).toBe('[]');
  return resources.map(referenceTo);
};

describe('appointments of a day', () => {
  it('are read in order of time and without a walk, with and without a patient', async () => {
    const actor = await newPractitioner();
    const late = await book(actor, '2031-03-02T23:59:59.999Z');
    const early = await book(actor, '2031-03-02T00:00:00Z', undefined);
    const noon = await book(actor, '2031-03-02T12:00:00+02:00');
    await book(actor, '2031-03-01T23:59:59.999Z');
    await book(actor, '2031-03-03T00:00:00Z');
    await book(actor, undefined);
    const ofTheDay = [early, noon, late].map(referenceTo);

    expect(await shown('Appointment?date=2031-03-02')).toEqual(ofTheDay);
    expect(await shown('Appointment?date=ge2031-03-02&date=lt2031-03-03')).toEqual(ofTheDay);
    expect(await shown('Appointment?date=ge2031-03-02&date=lt2031-03-03&_count=1')).toEqual(ofTheDay);
    expect(await shown(`Appointment?actor=${actor}&date=2031-03-02`)).toEqual(ofTheDay);
    expect(await shown(`Appointment?practitioner=${actor}&date=2031-03-02`)).toEqual(ofTheDay);
    expect(await shown(`Appointment?actor:Practitioner=${actor.split('/')[1]}&date=2031-03-02`)).toEqual(ofTheDay);
    expect(await shown(`Appointment?actor=${actor}`)).toHaveLength(6);
  });

  it('are asked of the actor, where one is named, and not of everybody', async () => {
    const [actor, other] = [await newPractitioner(), await newPractitioner()];
    const own = await book(actor, '2031-04-02T10:00:00Z');
    for (const minute of [10, 20, 30]) await book(other, `2031-04-02T10:${minute}:00Z`);
    server.calls.reset();

    const found = await shown(`Appointment?date=2031-04-02&actor=${actor}`);

    expect(found).toEqual([referenceTo(own)]);
    expect(server.calls.readUnits).toBe(1);
  });

  it('follow a change of time, and go with their record', async () => {
    const actor = await newPractitioner();
    const appointment = await book(actor, '2031-05-02T10:00:00Z');
    const moved = { ...appointmentBody(actor, '2031-05-09T10:00:00Z'), id: appointment.id };
    expect((await server.put(pathOf(appointment), moved, { as: system })).status).toBe(200);

    expect(await shown('Appointment?date=2031-05-02')).toEqual([]);
    expect(await shown('Appointment?date=2031-05-09')).toEqual([pathOf(appointment)]);
    expect(await shown(`Appointment?actor=${actor}&date=ge2031-05-09`)).toEqual([pathOf(appointment)]);
    expect((await server.delete(pathOf(appointment), { as: system })).status).toBe(204);
    expect(await shown('Appointment?date=2031-05-09')).toEqual([]);
    expect(await shown(`Appointment?actor=${actor}`)).toEqual([]);
  });

  it('need no second end, nor an order of their bounds', async () => {
    const actor = await newPractitioner();
    const [first, second] = [await book(actor, '2041-05-02T10:00:00Z'), await book(actor, '2041-05-03T10:00:00Z')];

    expect(await shown('Appointment?date=ge2041-01-01')).toEqual([first, second].map(referenceTo));
    expect(await shown('Appointment?date=2041-05-02,2041-05-03')).toEqual([first, second].map(referenceTo));
    expect(await shown('Appointment?date=gt2041-05-03&date=lt2041-05-02')).toEqual([]);
  });
});

describe('a search by time', () => {
  const minute = fc.integer({ min: -3_000, max: 3_000 });
  const zone = fc.constantFrom('Z', '+14:00', '-11:30', '+02:00');
  const around = Date.UTC(2051, 0, 1);
  const hoursOf = (text: string) => (text === 'Z' ? 0 : Number(text.slice(0, 3)) + (text.endsWith('30') ? -0.5 : 0));
  const instant = fc.tuple(minute, zone, fc.constantFrom('', '.5', '.123')).map(([at, of, fraction]) => {
    const local = new Date(around + at * 60_000 + hoursOf(of) * 3_600_000).toISOString().slice(0, 19);
    return `${local}${fraction}${of}`;
  });
  const prefix = fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap');
  const value = fc
    .tuple(prefix, instant, fc.constantFrom(4, 7, 10, 19, 40))
    .map(([before, text, length]) => `${before}${encodeURIComponent(text.slice(0, length))}`);
  const criterion = fc.array(value, { minLength: 1, maxLength: 2 }).map((values) => `date=${values.join(',')}`);
  const query = fc.array(criterion, { minLength: 1, maxLength: 3 }).map((criteria) => criteria.join('&'));

  it('finds what a look at every appointment finds', async () => {
    const actor = await newPractitioner();
    const starts = fc.sample(instant, { numRuns: 60, seed: 7 });
    const ids: string[] = [];
    for (const start of [...starts, undefined]) ids.push((await book(actor, start)).id);

    await fc.assert(
      fc.asyncProperty(query, async (criteria) => {
        const found = (await server.get(`Appointment?actor=${actor}&${criteria}&_count=1000`, { as: system })).body;
        const looked = (await server.get(`Appointment?_id=${ids.join(',')}&${criteria}&_count=1000`, { as: system }))
          .body;

        expect(resourcesIn(found).map(referenceTo).sort()).toEqual(resourcesIn(looked).map(referenceTo).sort());
        const anybodys = (await server.get(`Appointment?${criteria}&_count=1000`, { as: system })).body;
        const names = resourcesIn(anybodys).map(referenceTo);
        expect(
          resourcesIn(looked)
            .map(referenceTo)
            .filter((name) => !names.includes(name)),
        ).toEqual([]);
      }),
      { numRuns: 40, seed: 11 },
    );
  });
});

describe('slots of a schedule', () => {
  it('are read from a time on, in order of time', async () => {
    const actor = await newPractitioner();
    const schedule = referenceTo(
      await create(server, { resourceType: 'Schedule', actor: [{ reference: actor }] } as fhir4.Schedule, {
        role: 'frontdesk',
      }),
    );
    const slot = async (hour: string) =>
      create(
        server,
        {
          resourceType: 'Slot',
          schedule: { reference: schedule },
          status: 'free',
          start: `2031-06-02T${hour}:00:00Z`,
          end: `2031-06-02T${hour}:30:00Z`,
        } as fhir4.Slot,
        { role: 'frontdesk' },
      );
    const [eleven, nine, ten] = [await slot('11'), await slot('09'), await slot('10')];

    expect(await shown(`Slot?schedule=${schedule}`)).toEqual([nine, ten, eleven].map(referenceTo));
    expect(await shown(`Slot?schedule=${schedule}&start=ge2031-06-02T09:45Z&start=lt2031-06-02T11:00Z`)).toEqual([
      referenceTo(ten),
    ]);
  });
});
