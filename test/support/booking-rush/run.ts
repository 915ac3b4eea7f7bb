import { Random } from '../naive-search/random.ts';
import { type Ask, act, holdAndForget, type Rush } from './client.ts';
import { tenuresOf, versionOf } from './diary.ts';
import { judgeRefusal, lostTime, lostVersions, overlaps } from './judge.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const dayMs = 24 * hourMs;

/** Who books: how many, and for how long. */
export interface BookingRush {
  readonly seed: number;
  readonly clients: number;
  readonly people: number;
  readonly rooms: number;
  readonly patients: number;
  /** Whether a client that has sent so many calls sends another. */
  readonly goesOn: (calls: number) => boolean;
  /** The server's clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** How long a hold is asked for, from one to the other. Milliseconds. */
  readonly holdMs: readonly [shortest: number, longest: number];
}

/** What came of it. */
export interface BookingRushRun {
  /** Answers by what was asked and what came of it. */
  readonly counts: ReadonlyMap<string, number>;
  /** Times that somebody had, for a while or to the end. */
  readonly tenures: number;
  /** Those of them that lapsed: at least one of each person. */
  readonly lapsed: number;
  /** Refusals because of taken time that were judged. */
  readonly refusals: number;
  /** Empty if all is as it should be. */
  readonly faults: readonly string[];
}

/**
 * Lets clients book, hold, confirm, move and cancel times of the same few people and rooms at once, all on one day, whoever made them. Then judges what is there and each answer,
 * by what was acknowledged alone. Nothing here waits for time.
 *
 * @param ask - as somebody who may write schedules, bookings and the directory.
 */
export const runBookingRush = async (ask: Ask, given: BookingRush): Promise<BookingRushRun> => {
  const { seed, clients, now, goesOn, holdMs } = given;
  const day = (Math.floor(now() / dayMs) + 2) * dayMs;
  const hours = { opens: day + 9 * hourMs, closes: day + 17 * hourMs, grain: 15 * minuteMs };
  const made = async (resource: { resourceType: string }) => referenceOf(await created(ask, resource));
  const many = (count: number, resource: () => { resourceType: string }) =>
    Promise.all(Array.from({ length: count }, () => made(resource())));
  const people = await many(given.people, () => ({ resourceType: 'Practitioner' }));
  const rooms = await many(given.rooms, () => ({ resourceType: 'Location' }));
  const patients = await many(given.patients, () => ({ resourceType: 'Patient', gender: 'female' }));
  // Only on that day, so that now and then nothing is free.
  for (const actor of [...people, ...rooms]) await created(ask, scheduleOf(actor, new Date(day).toISOString()));
  const rush: Rush = {
    ask,
    now,
    hours,
    people,
    rooms,
    patients,
    holdMs,
    versions: [],
    refusals: [],
    counts: new Map(),
    faults: [],
    open: new Map(),
  };
  for (const person of people) await holdAndForget(rush, person);
  const client = async (number: number) => {
    const random = new Random(seed + number);
    for (let calls = 0; goesOn(calls); calls++) await act(rush, random);
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return judged(rush, await storedOf(rush));
};

/** All Appointments of the actors, as a search finds them in the end. */
const storedOf = async ({ ask, people, rooms }: Rush): Promise<fhir4.Appointment[]> => {
  const found = new Map<string, fhir4.Appointment>();
  for (const actor of [...people, ...rooms]) {
    for (let next: string | undefined = `Appointment?actor=${actor}&_count=200`; next !== undefined; ) {
      const { status, body } = await ask('GET', next);
      if (status !== 200) throw new Error(`${next}: ${status}`);
      const { entry = [], link = [] } = body as fhir4.Bundle<fhir4.Appointment>;
      for (const { resource } of entry)
        if (resource?.resourceType === 'Appointment') found.set(resource.id ?? '', resource);
      next = link.find(({ relation }) => relation === 'next')?.url;
    }
  }
  return [...found.values()];
};

const judged = (
  { versions, refusals, counts, faults, hours, now }: Rush,
  found: fhir4.Appointment[],
): BookingRushRun => {
  const at = now();
  const stored = found.map((resource) => versionOf(resource, { sent: at, answered: at }));
  const tenures = tenuresOf(versions);
  return {
    counts,
    tenures: tenures.length,
    lapsed: tenures.filter(({ lapsed, surely: [, ends] }) => lapsed && ends <= at).length,
    refusals: refusals.length,
    faults: [
      ...faults,
      ...lostVersions(versions, stored),
      ...overlaps(stored, at),
      ...lostTime(tenures),
      ...refusals.flatMap((refusal) => judgeRefusal(refusal, versions, tenures, hours)),
    ],
  };
};

const scheduleOf = (actor: string, day: string): fhir4.Schedule => ({
  resourceType: 'Schedule',
  actor: [{ reference: actor }],
  planningHorizon: { start: day.slice(0, 10), end: day.slice(0, 10) },
  extension: [
    {
      url: 'https://concord.example/fhir/StructureDefinition/schedule-hours',
      extension: [
        { url: 'availableStartTime', valueTime: '09:00:00' },
        { url: 'availableEndTime', valueTime: '17:00:00' },
      ],
    },
  ],
});

const created = async (ask: Ask, resource: { resourceType: string }) => {
  const { status, body } = await ask('POST', resource.resourceType, resource);
  if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body as { resourceType: string; id: string };
};

const referenceOf = ({ resourceType, id }: { resourceType: string; id: string }) => `${resourceType}/${id}`;
