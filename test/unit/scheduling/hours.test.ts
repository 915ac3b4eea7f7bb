import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { freeTimes, mostDaysSearched } from '../../../shared/scheduling/free-times.ts';
import { timeWithin } from '../../../shared/scheduling/hours.ts';
import { openTimes } from '../../../shared/scheduling/open-times.ts';
import { openingHours } from '../../../shared/scheduling/opening-hours.ts';
import { readSchedule } from '../../../shared/scheduling/schedule.ts';
import type { Span } from '../../../shared/scheduling/span.ts';
import { aheadAt, isZone } from '../../../shared/scheduling/wall-clock.ts';
import { dayHours, hours, schedule, zone } from '../../support/actor-schedules.ts';
import { isThere, naiveStarts } from '../../support/naive-hours/naive-hours.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const zones = [
  'Europe/London',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/St_Johns',
  'UTC',
];
/** Around noon of days on which one of these zones changes its clock, and of a day on which none does. */
const middays = [
  Date.UTC(2026, 2, 8, 12),
  Date.UTC(2026, 2, 29, 12),
  Date.UTC(2026, 3, 4, 12),
  Date.UTC(2026, 9, 3, 12),
  Date.UTC(2026, 9, 25, 12),
  Date.UTC(2026, 10, 1, 12),
  Date.UTC(2026, 5, 17, 12),
];

const opened = (of: fhir4.Schedule, range: Span): Span[] =>
  timeWithin(readSchedule(of as unknown as Resource).hours, range);
const texts = (spans: readonly Span[]) => spans.map(({ from, to }) => [from, to].map((at) => new Date(at).toJSON()));
const dayOf = (text: string): Span => ({ from: Date.parse(text), to: Date.parse(text) + day });

describe('the clock of a zone', () => {
  it('is as far from UTC as the dates of a process in that zone say, whenever it is', () => {
    const instants = middays.flatMap((midday) =>
      Array.from({ length: 120 }, (_, n) => midday + (n - 60) * 29 * minute),
    );
    const script = `
      const { zones, instants } = JSON.parse(process.argv[1]);
      const offsets = zones.map((zone) => {
        process.env.TZ = zone;
        return instants.map((instant) => -new Date(instant).getTimezoneOffset());
      });
      console.log(JSON.stringify(offsets));`;
    const answer = execFileSync(process.execPath, ['-e', script, JSON.stringify({ zones, instants })], {
      encoding: 'utf8',
    });

    expect(zones.map((each) => instants.map((instant) => aheadAt(each, instant) / minute))).toEqual(JSON.parse(answer));
  });

  it.each([
    ['Europe/London', true],
    ['UTC', true],
    ['Etc/GMT+5', true],
    ['+01:00', false],
    ['Mars/Olympus', false],
    ['', false],
  ])('of %j is known: %s', (name, known) => {
    expect(isZone(name)).toBe(known);
  });
});

describe('hours', () => {
  it('are by the clock on the wall, in summer and in winter', () => {
    const london = schedule(zone('Europe/London'), hours('09:00', '12:30', ['mon']));

    expect(texts(opened(london, dayOf('2026-03-23T00:00:00Z')))).toEqual([
      ['2026-03-23T09:00:00.000Z', '2026-03-23T12:30:00.000Z'],
    ]);
    expect(texts(opened(london, dayOf('2026-03-30T00:00:00Z')))).toEqual([
      ['2026-03-30T08:00:00.000Z', '2026-03-30T11:30:00.000Z'],
    ]);
  });

  it('leave out what the clock does not show, and have twice what it shows twice', () => {
    const night = schedule(zone('Europe/London'), hours('00:30', '02:30'));

    expect(texts(opened(night, { from: Date.UTC(2026, 2, 29), to: Date.UTC(2026, 2, 29, 12) }))).toEqual([
      ['2026-03-29T00:30:00.000Z', '2026-03-29T01:30:00.000Z'],
    ]);
    expect(texts(opened(night, { from: Date.UTC(2026, 9, 24, 23), to: Date.UTC(2026, 9, 25, 12) }))).toEqual([
      ['2026-10-24T23:30:00.000Z', '2026-10-25T02:30:00.000Z'],
    ]);
  });

  it('go over midnight where they end no later than they begin', () => {
    const nights = schedule(hours('22:00', '06:00', ['fri']));

    expect(texts(opened(nights, { from: Date.UTC(2026, 5, 19), to: Date.UTC(2026, 5, 22) }))).toEqual([
      ['2026-06-19T22:00:00.000Z', '2026-06-20T06:00:00.000Z'],
    ]);
    expect(texts(opened(nights, dayOf('2026-06-20T00:00:00Z')))).toEqual([
      ['2026-06-20T00:00:00.000Z', '2026-06-20T06:00:00.000Z'],
    ]);
  });

  it('come back each second week from that in which they begin, until they end', () => {
    const every = schedule(
      hours('09:00', '10:00', ['tue'], { everyWeeks: 2, period: { start: '2026-06-03', end: '2026-06-30' } }),
    );

    // The first Tuesday is in the second week, so the third has the first one.
    expect(texts(opened(every, { from: Date.UTC(2026, 5, 1), to: Date.UTC(2026, 7, 1) }))).toEqual([
      ['2026-06-16T09:00:00.000Z', '2026-06-16T10:00:00.000Z'],
      ['2026-06-30T09:00:00.000Z', '2026-06-30T10:00:00.000Z'],
    ]);
  });

  it('are as each minute for itself would have them, whatever the zone and the day', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.constantFrom(...middays), anySchedule, (inZone, midday, of) => {
        const inThatZone = { ...of, extension: [...zone(inZone), ...(of.extension ?? [])] };
        const range = { from: midday - 20 * hour, to: midday + 20 * hour };
        const open = opened(inThatZone, range);
        const minutes = Array.from({ length: 40 * 60 }, (_, n) => range.from + n * minute);

        expect(minutes.filter((at) => open.some(({ from, to }) => from <= at && at < to))).toEqual(
          minutes.filter((at) => isThere(inThatZone, at)),
        );
        expect(open.every(({ from, to }) => from % minute === 0 && to % minute === 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

const time = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
const near = fc
  .tuple(fc.constantFrom(...middays), fc.integer({ min: -25 * 60, max: 25 * 60 }), fc.boolean())
  .map(([midday, minutes, isTime]) => {
    const text = new Date(midday + minutes * minute).toJSON();
    return isTime ? text : text.slice(0, 10);
  });
const during = fc.record({ start: near, end: near });
const weekdays = fc.subarray(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const);
const anyHours = fc.oneof(
  fc.tuple(time, time, weekdays).map(([from, to, days]) => hours(from, to, days)),
  weekdays.map((days) => hours(undefined, undefined, days)),
  fc
    .tuple(time, time, fc.integer({ min: 1, max: 3 }), fc.constantFrom('2026-02-25', '2026-03-01', '2026-05-31'))
    .map(([from, to, everyWeeks, start]) => hours(from, to, [], { everyWeeks, period: { start, end: '2026-10-31' } })),
);
const anySchedule = fc
  .record({
    weekly: fc.array(anyHours, { maxLength: 3 }),
    extra: fc.array(during, { maxLength: 2 }),
    closed: fc.array(during, { maxLength: 2 }),
    horizon: fc.option(during, { nil: undefined, freq: 4 }),
  })
  .map(
    ({ weekly, extra, closed, horizon }): fhir4.Schedule => ({
      ...schedule(
        weekly.flat(),
        extra.flatMap((each) => dayHours('schedule-extra-hours', each)),
        closed.flatMap((each) => dayHours('schedule-not-available', each)),
      ),
      ...(horizon ? { planningHorizon: horizon } : {}),
    }),
  );

const anyActor = fc.record({
  schedule: anySchedule,
  taken: fc.array(fc.tuple(fc.integer({ min: -18 * 60, max: 18 * 60 }), fc.integer({ min: 1, max: 300 })), {
    maxLength: 6,
  }),
  most: fc.integer({ min: 1, max: 3 }),
  before: fc.nat(30),
  after: fc.nat(30),
});

describe('free times', () => {
  it('are those in which every minute is free for all, whatever the zones', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...middays),
        fc.array(fc.tuple(fc.constantFrom(...zones), anyActor), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(5, 10, 15, 20, 30, 60, 90),
        fc.integer({ min: 1, max: 90 }),
        (inZone, midday, zoned, grain, minutes) => {
          const range = { from: midday - 16 * hour, to: midday + 16 * hour };
          const actors = zoned.map(([itsZone, actor]) => ({
            ...actor,
            schedule: { ...actor.schedule, extension: [...zone(itsZone), ...(actor.schedule.extension ?? [])] },
            taken: actor.taken.map(([from, length]): [number, number] => {
              const start = midday / minute + from;
              return [start, start + length];
            }),
          }));
          const naive = naiveStarts(actors, {
            from: range.from / minute,
            to: range.to / minute,
            minutes,
            grain,
            zone: inZone,
          });
          found += naive.length;
          const { times, more } = freeTimes({
            ...range,
            actors: actors.map(({ schedule: of, taken, most, before, after }) => ({
              open: opened(of, range),
              taken: taken.map(([from, to]) => ({ from: from * minute, to: to * minute })),
              limits: { most, before: before * minute, after: after * minute },
            })),
            minutes,
            grain,
            zone: inZone,
            count: 10_000,
          });

          expect(times).toEqual(naive.map((from) => ({ from, to: from + minutes * minute, missed: 0 })));
          expect(more).toBe(false);
        },
      ),
      { numRuns: 100, seed: 26 },
    );
    expect(found).toBeGreaterThan(100); // else it would say nothing
  });

  const week = {
    from: Date.UTC(2026, 5, 15),
    to: Date.UTC(2026, 5, 20),
    actors: [
      {
        open: opened(schedule(hours('09:00', '11:00')), { from: Date.UTC(2026, 5, 15), to: Date.UTC(2026, 5, 20) }),
        taken: [],
        limits: { most: 1, before: 0, after: 0 },
      },
    ],
    minutes: 60,
    grain: 60,
    zone: 'UTC',
    count: 3,
  };
  const startsOf = (search: Parameters<typeof freeTimes>[0]) =>
    freeTimes(search).times.map(({ from }) => new Date(from).toJSON().slice(8, 13));

  it('come page by page, the earliest first', () => {
    expect(startsOf(week)).toEqual(['15T09', '15T10', '16T09']);
    expect(freeTimes(week).more).toBe(true);
    const behind = (day: number, hour: number, missed = 0) => ({
      ...week,
      behind: { missed, from: Date.UTC(2026, 5, day, hour) },
    });
    expect(startsOf(behind(16, 9))).toEqual(['16T10', '17T09', '17T10']);
    expect(startsOf(behind(19, 9))).toEqual(['19T10']);
    expect(freeTimes(behind(19, 9)).more).toBe(false);
    const preferred = { days: ['wed'] as const, parts: [] };
    expect(startsOf({ ...behind(17, 9), preferred })).toEqual(['17T10', '15T09', '15T10']);
    expect(startsOf({ ...behind(19, 9, 1), preferred })).toEqual(['19T10']);
  });

  it('come in the order of what is preferred, and leave nothing out', () => {
    const preferred = { days: ['wed', 'thu'] as const, parts: [] };

    expect(startsOf({ ...week, preferred, count: 10 })).toEqual([
      '17T09',
      '17T10',
      '18T09',
      '18T10',
      '15T09',
      '15T10',
      '16T09',
      '16T10',
      '19T09',
      '19T10',
    ]);
    // Nine in the morning in UTC is the afternoon in Kolkata.
    const afternoons = { ...week, zone: 'Asia/Kolkata', grain: 30, minutes: 30, count: 2 };
    expect(startsOf({ ...afternoons, preferred: { days: ['tue'], parts: ['afternoon'] } })).toEqual(['16T09', '16T09']);
    expect(startsOf({ ...afternoons, preferred: { days: [], parts: ['morning'] } })).toEqual(['15T09', '15T09']);
  });

  it('are ordered by the clock through its changes, without asking the clock for each', () => {
    const format = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    const [from, to] = [Date.UTC(2026, 9, 24), Date.UTC(2026, 9, 27)];
    const always = { open: [{ from, to }], taken: [], limits: { most: 1, before: 0, after: 0 } };
    const preferred = { days: [], parts: ['afternoon' as const] };
    const search = { from, to, actors: [always], minutes: 1, grain: 1, zone: 'Europe/London', preferred, count: 5_000 };

    const { times } = freeTimes(search);

    const calls = format.mock.calls.length;
    format.mockRestore();
    expect(calls).toBeLessThan(200);
    const suiting = times.filter(({ missed }) => missed === 0).map((time) => new Date(time.from).toJSON().slice(8, 16));
    // The clock goes back on the 25th: noon is 11:00 in UTC before.
    expect([suiting[0], suiting[359], suiting[360], suiting[719], suiting.length]).toEqual([
      '24T11:00',
      '24T16:59',
      '25T12:00',
      '25T17:59',
      1_080,
    ]);
  });

  it('are looked for in two months at once and no more', () => {
    const to = week.from + mostDaysSearched * day;

    expect(freeTimes({ ...week, to }).more).toBe(true);
    expect(() => freeTimes({ ...week, to: to + 1 })).toThrow(
      expect.objectContaining({ kind: 'too-costly', reason: 'too-many-days' }),
    );
  });

  it('are none where nobody may have the actor, and stop before a full time by what is held behind', () => {
    const [actor] = week.actors;
    if (!actor) throw new Error('nobody');

    expect(startsOf({ ...week, actors: [{ ...actor, limits: { most: 0, before: 0, after: 0 } }] })).toEqual([]);
    const until = Date.UTC(2026, 5, 15, 10, 30);
    const taken = [{ from: until, to: until + hour }];
    expect(
      startsOf({
        ...week,
        count: 1,
        actors: [{ ...actor, taken, limits: { most: 1, before: 0, after: 30 * minute } }],
      }),
    ).toEqual(['15T09']);
    expect(
      startsOf({
        ...week,
        count: 1,
        actors: [{ ...actor, taken, limits: { most: 1, before: 0, after: 31 * minute } }],
      }),
    ).toEqual(['16T09']);
  });
});

describe('when an actor is there', () => {
  const range = dayOf('2026-06-15T00:00:00Z'); // a Monday
  const read = (...parts: fhir4.Extension[][]) => readSchedule(schedule(...parts) as unknown as Resource);
  const service = (code: string): Partial<fhir4.Schedule> => ({ serviceType: [{ coding: [{ system: 's', code }] }] });
  const location = (over: Partial<fhir4.Location>) =>
    openingHours({ resourceType: 'Location', ...over } as Resource, 'UTC');

  it('is told by all Schedules in use that are for the service', () => {
    const morning = { ...read(hours('08:00', '10:00')), services: ['s|a'] };
    const noon = { ...read(hours('10:00', '12:00')), services: ['s|b'] };
    const all = [morning, noon, { ...read(hours('20:00', '21:00')), active: false }];

    expect(texts(openTimes(all, undefined, [], range))).toEqual([
      ['2026-06-15T08:00:00.000Z', '2026-06-15T12:00:00.000Z'],
    ]);
    expect(texts(openTimes(all, undefined, ['s|b'], range))).toEqual([
      ['2026-06-15T10:00:00.000Z', '2026-06-15T12:00:00.000Z'],
    ]);
    expect(openTimes(all, undefined, ['s|c'], range)).toEqual([]);
    expect(readSchedule({ ...schedule(), ...service('a') } as unknown as Resource).services).toEqual(['s|a']);
  });

  it('is at any time without a Schedule and own hours, and at the own hours without a Schedule', () => {
    const own = location({
      hoursOfOperation: [{ daysOfWeek: ['mon'], openingTime: '08:00:00', closingTime: '23:59:59' }],
    });

    expect(openTimes([], undefined, ['s|a'], range)).toEqual([range]);
    expect(texts(openTimes([], own, [], range))).toEqual([['2026-06-15T08:00:00.000Z', '2026-06-16T00:00:00.000Z']]);
    // A Schedule without hours is for the own ones, and for those that it adds.
    const closed = dayHours('schedule-not-available', { start: '2026-06-15T09:00:00Z', end: '2026-06-15T10:00:00Z' });
    const extra = dayHours('schedule-extra-hours', { start: '2026-06-15T07:00:00Z', end: '2026-06-15T07:30:00Z' });
    expect(texts(openTimes([read(closed, extra)], own, [], range))).toEqual([
      ['2026-06-15T07:00:00.000Z', '2026-06-15T07:30:00.000Z'],
      ['2026-06-15T08:00:00.000Z', '2026-06-15T09:00:00.000Z'],
      ['2026-06-15T10:00:00.000Z', '2026-06-16T00:00:00.000Z'],
    ]);
  });

  it('is told by a role’s times and absences within its period, in the zone that it names', () => {
    const role = openingHours(
      {
        resourceType: 'PractitionerRole',
        extension: zone('America/New_York'),
        period: { end: '2026-06-16' },
        availableTime: [
          { daysOfWeek: ['mon', 'tue', 'wed'], availableStartTime: '09:00:00', availableEndTime: '17:00:00' },
        ],
        notAvailable: [{ description: 'away', during: { start: '2026-06-15', end: '2026-06-15' } }],
      } as unknown as Resource,
      'UTC',
    );

    expect(texts(openTimes([], role, [], { from: range.from, to: range.from + 4 * day }))).toEqual([
      ['2026-06-16T13:00:00.000Z', '2026-06-16T21:00:00.000Z'],
    ]);
    expect(openingHours({ resourceType: 'PractitionerRole' } as Resource, 'UTC')).toBeUndefined();
    expect(location({})).toBeUndefined();
    expect(openingHours({ resourceType: 'Device', availableTime: [] } as unknown as Resource, 'UTC')).toBeUndefined();
  });
});
