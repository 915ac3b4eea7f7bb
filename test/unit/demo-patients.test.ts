import { describe, expect, it } from 'vitest';
import { demoPatients } from '../../infra/demo/demo-patients.ts';
import { atPlace, type ClocksAhead, dayOpensAt, ownClocks, shownAt } from '../../infra/demo/local-time.ts';
import { organizations } from '../../infra/local/users.ts';
import { ageIn, ofType, patientOf, resourcesOf } from '../support/chart-reading.ts';

const hourMs = 3_600_000;

/** Places by how far their clocks are ahead, in hours. */
const places = { Honolulu: -10, 'Los Angeles': -8, London: 0, Mumbai: 5.5, Tokyo: 9, Sydney: 11, Auckland: 13 };

/** Early, in the middle and late on a day by the clocks of a place. */
const moments = Object.entries(places).flatMap(([place, ahead]) =>
  ['2026-11-25T00:20:00Z', '2026-11-25T11:45:00Z', '2026-11-25T23:50:00Z'].map(
    (shown): [string, string, number, ClocksAhead] => [
      place,
      shown,
      Date.parse(shown) - ahead * hourMs,
      () => ahead * 60,
    ],
  ),
);

/** The time that stands in a text, as the clocks showed it. */
const shownTime = (time = ''): string => time.slice(0, 19);

describe('the appointments of the demo', () => {
  it.each(moments)(
    'in %s at %s are today’s, found by the date, in working hours, one after the other',
    (_place, shown, now, clocks) => {
      const today = shown.slice(0, 10);
      for (const { id } of organizations) {
        const appointments = demoPatients(id, now, clocks).flatMap(({ chart }) => ofType(chart, 'Appointment'));
        const starts = appointments.map(({ start = '' }) => start).sort();
        const todays = appointments.filter(({ start }) => start?.startsWith(today));

        // A date without a zone means the day in UTC.
        expect(todays.filter(({ start = '' }) => new Date(start).toISOString().slice(0, 10) !== today)).toEqual([]);
        expect(todays.length).toBeGreaterThan(4);
        expect(appointments.length).toBeGreaterThan(todays.length);
        for (const { start = '', end = '' } of appointments) {
          expect(shownTime(start).slice(11) >= '09:00:00').toBe(true);
          expect(shownTime(end).slice(11) <= '18:00:00').toBe(true);
        }
        const gaps = starts.slice(1).map((start, index) => Date.parse(start) - Date.parse(starts[index] ?? ''));
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30 * 60_000);
      }
    },
  );

  it('are over, under way or ahead as the clock says, and those that are over were visits', () => {
    const now = Date.UTC(2026, 10, 25, 10, 10);
    const charts = demoPatients('northside', now, () => 0).map(({ chart }) => chart);

    const said = charts.flatMap((chart) =>
      ofType(chart, 'Appointment').map(({ status, start = '', end = '' }) => ({
        status,
        wanted: Date.parse(end) <= now ? 'fulfilled' : Date.parse(start) <= now ? 'arrived' : 'booked',
        visits: ofType(chart, 'Encounter').filter(({ appointment }) => appointment).length,
      })),
    );

    expect(new Set(said.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'arrived', 'booked']));
    expect(said.filter(({ status, wanted }) => status !== wanted)).toEqual([]);
    expect(said.filter(({ status, visits }) => visits !== (status === 'fulfilled' ? 1 : 0))).toEqual([]);
  });
});

describe('the patients of the demo', () => {
  const now = Date.UTC(2026, 10, 25, 12);
  const patients = organizations.flatMap(({ id }) => demoPatients(id, now, () => -480));

  it('are twenty people of all ages, two of whom have died', () => {
    const ages = patients.map(({ chart }) =>
      ageIn(chart, patientOf(chart).deceasedDateTime ?? new Date(now).toISOString()),
    );
    const between = (from: number, to: number) => ages.filter((age) => age >= from && age < to).length;
    const names = patients
      .map(({ chart }) => patientOf(chart).name?.[0])
      .map((name) => `${name?.given?.[0]} ${name?.family}`);

    expect(new Set(names).size).toBe(20);
    expect(between(0, 6)).toBeGreaterThanOrEqual(2);
    expect(between(6, 18)).toBeGreaterThanOrEqual(2);
    expect(between(18, 65)).toBeGreaterThanOrEqual(8);
    expect(between(65, 120)).toBeGreaterThanOrEqual(4);
    expect(patients.filter(({ isAlive }) => !isAlive)).toHaveLength(2);
  });

  it('have each a history of visits up to a time that is not to come, with conditions, orders, results and notes among them', () => {
    for (const { chart } of patients) {
      const later = resourcesOf(chart)
        .filter(({ resourceType }) => resourceType !== 'Appointment')
        .filter((resource) =>
          [...JSON.stringify(resource).matchAll(/"(\d{4}-\d\d-\d\dT[\d:]+-08:00)"/g)].some(
            ([, time = '']) => Date.parse(time) > now,
          ),
        );
      expect(later).toEqual([]);
      expect(ofType(chart, 'Encounter').length).toBeGreaterThan(2);
      expect(ofType(chart, 'Condition').length).toBeGreaterThan(0);
    }
    const types = new Set(patients.flatMap(({ chart }) => resourcesOf(chart)).map(({ resourceType }) => resourceType));
    expect([...types]).toEqual(
      expect.arrayContaining([
        'AllergyIntolerance',
        'ServiceRequest',
        'DiagnosticReport',
        'DocumentReference',
        'Composition',
      ]),
    );
  });

  it('have all times in the hours of the place', () => {
    const times = patients.flatMap(({ chart }) => [
      ...JSON.stringify(chart).matchAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([^"]*)"/g),
    ]);

    expect(times.length).toBeGreaterThan(5_000);
    expect(new Set(times.map(([, offset]) => offset))).toEqual(new Set(['-08:00']));
  });
});

describe('local time', () => {
  /** Clocks that are put forward from +1 to +2 hours at 1:00 UTC on 29 March 2026. */
  const central: ClocksAhead = (shown) => (shown < Date.UTC(2026, 2, 29, 2) ? 60 : 120);

  it.each([
    ['2026-03-29T00:59:00Z', '2026-03-29T01:59:00Z'],
    ['2026-03-29T01:00:00Z', '2026-03-29T03:00:00Z'],
    ['2026-07-01T12:00:00Z', '2026-07-01T14:00:00Z'],
  ])('shows %s as %s where clocks were put forward', (instant, shown) => {
    expect(new Date(shownAt(Date.parse(instant), central)).toISOString()).toBe(shown.replace('Z', '.000Z'));
  });

  it('writes each time with what the clocks were ahead then, and leaves dates alone', () => {
    const chart = (winter: string, summer: string): fhir4.Bundle => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: {
            resourceType: 'Encounter',
            status: 'finished',
            class: {},
            period: { start: winter, end: summer },
          } as fhir4.Encounter,
        },
      ],
    });

    expect(atPlace(chart('2026-01-05T08:30:00Z', '2026-07-01T08:30:00Z'), central)).toEqual(
      chart('2026-01-05T08:30:00+01:00', '2026-07-01T08:30:00+02:00'),
    );
    expect(atPlace(chart('2026-01-05', '2026-07-01T08:30:00Z'), () => -570)).toEqual(
      chart('2026-01-05', '2026-07-01T08:30:00-09:30'),
    );
  });

  it('knows the clocks of this machine', () => {
    const instant = Date.UTC(2026, 6, 1, 12);
    const local = new Date(instant);

    const shown = new Date(shownAt(instant, ownClocks));

    expect([shown.getUTCDate(), shown.getUTCHours(), shown.getUTCMinutes()]).toEqual([
      local.getDate(),
      local.getHours(),
      local.getMinutes(),
    ]);
  });

  it('opens at nine where it can', () => {
    expect(dayOpensAt(0, () => 0, 240)).toBe(9 * 60);
    expect(dayOpensAt(0, () => 11 * 60, 240)).toBe(11 * 60);
    expect(dayOpensAt(0, () => -11 * 60, 300)).toBe(8 * 60);
  });
});
