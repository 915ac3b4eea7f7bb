import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import {
  isWaiting,
  offered,
  partsAt,
  passedIn,
  waitedFor,
  waitingLists,
  waitingOn,
  withCreated,
} from '../../shared/scheduling/waiting.ts';

const hourMs = 3_600_000;
const day = Date.UTC(2026, 10, 24);
const waiting = (more: Partial<fhir4.Appointment> = {}): Resource =>
  ({
    resourceType: 'Appointment',
    status: 'waitlist',
    created: '2026-11-01',
    participant: [{ actor: { reference: 'Practitioner/p1' }, status: 'accepted' }],
    ...more,
  }) as unknown as Resource;
const partsOf = (resource: Resource) =>
  waitingLists({ resource }).map(({ rank }) => rank.slice(0, rank.lastIndexOf('#')));
const rankOf = (more: Partial<fhir4.Appointment>) => waitingLists({ resource: waiting(more) })[0]?.rank ?? '';
const wish = (start: string, end: string) => waiting({ requestedPeriod: [{ start, end }] });

describe('who waits stands', () => {
  it('in few parts of the calendar, however long the wish, and in those in which time is looked for', () => {
    const sizes = [
      ['2026-11-24', '2026-11-26', 3],
      ['2026-11-24', '2027-01-05', 6],
      ['2026-11-24', '2028-01-05', 8],
      ['2026-11-24', '2036-01-05', 1],
      ['2026-11-24T10:00:00Z', '2026-11-24T12:00:00Z', 1],
    ] as const;
    for (const [start, end, parts] of sizes) {
      const stands = partsOf(wish(start, end));
      expect(stands, end).toHaveLength(parts);
      for (const time of [day + 11 * hourMs, Math.max(Date.parse(end) - 1, day)])
        expect(
          partsAt(time).filter((part) => stands.includes(part)),
          end,
        ).toHaveLength(1);
      if (end < '2030') expect(partsAt(Date.parse('2031-01-01')).some((part) => stands.includes(part))).toBe(false);
    }
    expect(partsOf(waiting())).toEqual(['always']);
    expect(partsOf(waiting({ start: '2026-11-24T10:00:00Z', end: '2026-11-24T11:00:00Z' }))).toHaveLength(1);
  });

  it('in the order of priority, the middle one if none is given, then of how long', () => {
    const ranks = [
      rankOf({ priority: 1 }),
      rankOf({ priority: 4 }),
      rankOf({ created: '2026-10-01' }),
      rankOf({ priority: 5, created: '2026-10-02' }),
      rankOf({ priority: 0 }),
      rankOf({ priority: 6 }),
      rankOf({ priority: 12, created: '2026-10-01' }),
    ];

    expect(ranks.toSorted()).toEqual(ranks);
  });

  it('for actors by name, else for services, and nowhere for neither or in another state', () => {
    const serviceType = [{ coding: [{ system: 'urn:s', code: 'a#b' }] }, { text: 'Other' }];
    const listsOf = (resource: Resource) =>
      waitingLists({ resource }).map(({ list, rank }) => [list, rank.split('#')[0]]);

    expect(listsOf(waiting({ serviceType }))).toEqual([['waiting for Practitioner/p1', 'always']]);
    expect(listsOf(waiting({ serviceType, participant: [] }))).toEqual([
      ['waiting for a service', 'urn%3As%7Ca%23b'],
      ['waiting for a service', '%22other'],
    ]);
    expect(listsOf(waiting({ participant: [] }))).toEqual([]);
    expect(listsOf(waiting({ status: 'booked' }))).toEqual([]);
    expect(listsOf(waiting({ status: 'pending' }))).toEqual([]);
  });

  it('since the server was told of it, if nothing else is said', () => {
    const { created: _created, ...unsaid } = waiting();

    expect(withCreated(unsaid as Resource, day)['created']).toBe('2026-11-24T00:00:00.000Z');
    expect(withCreated(waiting(), day)['created']).toBe('2026-11-01');
  });
});

describe('an offer', () => {
  const time = { from: day + 10 * hourMs, to: day + 11 * hourMs };

  it('is no waiting until it lapses, and remembers what was passed, ten times at most', () => {
    const one = offered(waiting(), time, day + hourMs);
    expect([isWaiting(one, day), isWaiting(one, day + hourMs)]).toEqual([false, true]);
    expect(passedIn(one)).toEqual([time]);

    let last = waiting({ requestedPeriod: [{ start: '2026-11-24', end: '2026-11-30' }] });
    for (let n = 0; n < 12; n++)
      last = waitingOn(offered(last, { from: time.from + n * hourMs, to: time.to + n * hourMs }, day));

    expect(passedIn(last).map(({ from }) => (from - time.from) / hourMs)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([last['status'], last['start']]).toEqual(['waitlist', undefined]);
    expect(partsOf(last)).toHaveLength(7);
  });

  it('adds whose time it is where nobody is named, and takes that away again', () => {
    const one = offered(waiting({ participant: [] }), time, day, 'Practitioner/p2');

    expect(waitedFor(one)).toEqual([]);
    expect((one as unknown as fhir4.Appointment).participant).toHaveLength(1);
    expect((waitingOn(one) as unknown as fhir4.Appointment).participant).toEqual([]);
  });

  it('keeps what somebody wished for, who said it as a time', () => {
    const [start, end] = ['2026-11-24T08:00:00Z', '2026-11-24T12:00:00Z'];

    expect(waitingOn(offered(waiting({ start, end }), time, day))['requestedPeriod']).toEqual([{ start, end }]);
  });
});
