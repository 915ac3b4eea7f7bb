import { describe, expect, it } from 'vitest';
import { type Refusal, tenuresOf, type Version } from '../support/booking-rush/diary.ts';
import { judgeRefusal, lostTime, lostVersions, overlaps } from '../support/booking-rush/judge.ts';

// What judges the booking of 64 clients has to find a fault where there is one.

const minute = 60_000;
/** Minutes of a day, on which hours last from 0 to 60. */
const time = (from: number, to: number, actors = ['Practitioner/1']) => ({
  actors,
  from: from * minute,
  to: to * minute,
});
const version = (name: string, number: number, at: number, holds?: Version['holds']): Version => ({
  name,
  version: number,
  sent: at,
  answered: at + 10,
  ...(holds ? { holds } : {}),
});
const hours = { opens: 0, closes: 60 * minute, grain: 15 * minute };

describe('the judge of bookings', () => {
  it('finds two that overlap in the end, and neither neighbours nor a hold that has lapsed', () => {
    const stored = [
      version('a', 1, 0, time(0, 30)),
      version('b', 1, 0, time(20, 40)),
      version('c', 1, 0, time(30, 60, ['Location/1'])),
      version('d', 1, 0, { ...time(40, 60), until: 100 }),
    ];

    expect(overlaps(stored, 99)).toEqual(['a and b overlap']);
    expect(overlaps([...stored.slice(1), version('e', 1, 0, time(50, 60))], 99)).toEqual(['d and e overlap']);
    expect(overlaps([...stored.slice(1), version('e', 1, 0, time(50, 60))], 100)).toEqual([]);
  });

  it('finds time that was taken from a booking or a live hold for a while only', () => {
    const taken = [version('b', 1, 200, time(20, 40)), version('b', 2, 300)];

    expect(lostTime(tenuresOf([version('a', 1, 0, time(0, 30)), version('a', 2, 400), ...taken]))).toHaveLength(1);
    expect(lostTime(tenuresOf([version('a', 1, 0, time(0, 30)), version('a', 2, 180), ...taken]))).toEqual([]);
    expect(lostTime(tenuresOf([version('a', 1, 0, { ...time(0, 30), until: 260 }), ...taken]))).toHaveLength(1);
    expect(lostTime(tenuresOf([version('a', 1, 0, { ...time(0, 30), until: 205 }), ...taken]))).toEqual([]);
    const confirmed = [version('a', 1, 0, { ...time(0, 30), until: 900 }), version('a', 2, 150, time(0, 30))];
    expect(lostTime(tenuresOf([...confirmed, ...taken]))).toHaveLength(1);
  });

  it('finds a version that nobody or somebody else was told of', () => {
    const told = [version('a', 1, 0, time(0, 30)), version('a', 2, 100, time(30, 60))];

    expect(lostVersions(told, [version('a', 2, 500, time(30, 60))])).toEqual([]);
    expect(lostVersions(told, [version('a', 1, 500, time(0, 30))])).toHaveLength(1);
    expect(lostVersions(told, [version('a', 2, 500)])).toHaveLength(1);
    expect(lostVersions(told, [])).toHaveLength(1);
    expect(lostVersions([...told, version('a', 2, 120, time(0, 10))], [version('a', 2, 500, time(30, 60))])).toEqual([
      'a has the versions 1,2,2',
    ]);
    expect(lostVersions(told, [version('a', 2, 500, time(30, 60)), version('b', 1, 500)])).toHaveLength(1);
  });

  it('finds a refusal without reason, an offer of what is taken, and that nothing is offered though something is free', () => {
    const versions = [version('a', 1, 0, time(0, 30)), version('a', 2, 400)];
    const wrong = (over: Partial<Refusal>) =>
      judgeRefusal(
        { sent: 100, answered: 110, wanted: time(15, 45), offers: [], ...over },
        versions,
        tenuresOf(versions),
        hours,
      );
    const offer = (from: number, to: number) => ({ offers: [{ from: from * minute, to: to * minute }] });

    expect(wrong(offer(30, 60))).toEqual([]);
    expect(wrong({ offers: undefined })).toEqual([]);
    expect(wrong({})).toHaveLength(1);
    expect(wrong({ wanted: time(15, 55) })).toEqual([]); // what is free is shorter
    expect(wrong(offer(20, 50))).toHaveLength(1);
    expect(wrong(offer(45, 75))).toHaveLength(1);
    expect(wrong(offer(30, 45))).toHaveLength(1);
    expect(wrong({ own: 'a', ...offer(30, 60) })).toHaveLength(1);
    expect(wrong({ sent: 411, answered: 420, ...offer(30, 60) })).toHaveLength(1);
    expect(wrong({ sent: 405, answered: 420, ...offer(30, 60) })).toEqual([]);
    expect(wrong({ own: 'b', wanted: undefined })).toHaveLength(1);
  });
});
