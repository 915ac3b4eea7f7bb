import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { type BookingRules, limitsOf, ruleFor } from '../../../shared/scheduling/limits.ts';
import { readSchedule } from '../../../shared/scheduling/schedule.ts';
import { servicesOf } from '../../../shared/scheduling/services.ts';
import { capacity, dayHours, hours, schedule, service, zone } from '../../support/actor-schedules.ts';

const read = (...parts: (readonly fhir4.Extension[])[]) => readSchedule(schedule(...parts) as unknown as Resource);
const base = 'https://concord.example/fhir/StructureDefinition';

const longVisit: fhir4.Extension = {
  url: 'serviceType',
  valueCodeableConcept: { coding: [{ system: 'urn:x', code: 'long' }] },
};
const number = (url: string, valueUnsignedInt: number): fhir4.Extension => ({ url, valueUnsignedInt });
const positive = (url: string, valuePositiveInt: number): fhir4.Extension => ({ url, valuePositiveInt });

describe('a Schedule', () => {
  it('says nothing more than that its actors can be booked, without extensions', () => {
    expect(read()).toEqual({
      active: true,
      hours: { zone: 'UTC', weekly: undefined, extra: [], closed: [], within: { from: undefined, to: undefined } },
      services: [],
      rules: [],
      allowance: undefined,
    });
    expect(readSchedule({ ...schedule(), active: false } as unknown as Resource).active).toBe(false);
  });

  it('says how long a service takes, how often it begins and what is held with it', () => {
    const rules = read(
      service([longVisit, positive('minutes', 40), positive('grain', 20), number('bufferAfter', 10)]),
      service([number('bufferBefore', 5)]),
    ).rules;

    expect(rules).toEqual([
      { services: ['urn:x|long'], minutes: 40, grain: 20, before: 0, after: 10 },
      { services: [], minutes: undefined, grain: undefined, before: 5, after: 0 },
    ]);
    expect(ruleFor(rules, ['urn:x|long'])?.after).toBe(10);
    expect(ruleFor(rules, ['urn:x|other'])?.before).toBe(5);
    expect(ruleFor(rules, [])?.before).toBe(5);
    expect(ruleFor([], [])).toBeUndefined();
  });

  it('says how many may have its actors at once', () => {
    expect(read(capacity(4)).allowance).toEqual({ capacity: 4, overbook: 0 });
    expect(read(capacity(1, 2)).allowance).toEqual({ capacity: 1, overbook: 2 });
    const off = [{ url: `${base}/schedule-capacity`, extension: [positive('number', 2)] }];
    expect(read(off).allowance).toEqual({ capacity: 1, overbook: 0 });
  });

  const complex = (name: string, ...extension: fhir4.Extension[]): fhir4.Extension[] => [
    { url: `${base}/${name}`, extension },
  ];
  it.each<[string, fhir4.Extension[], string?]>([
    ['a zone that there is not', zone('Mars/Olympus')],
    ['an offset for a zone', zone('+01:00')],
    ['two zones', [...zone('UTC'), ...zone('UTC')], 'Schedule.extension[1]'],
    ['hours without an end', hours('09:00', undefined)],
    [
      'hours of a day and all day',
      [
        {
          ...hours('09:00', '10:00')[0],
          extension: [...(hours('09:00', '10:00')[0]?.extension ?? []), { url: 'allDay', valueBoolean: true }],
        } as fhir4.Extension,
      ],
    ],
    [
      'hours with seconds',
      complex(
        'schedule-hours',
        { url: 'availableStartTime', valueTime: '09:00:30' },
        { url: 'availableEndTime', valueTime: '10:00:00' },
      ),
    ],
    ['a day that there is not', hours('09:00', '10:00', ['monday'])],
    ['weeks that are counted from nowhere', hours('09:00', '10:00', [], { everyWeeks: 2 })],
    ['more than a year of weeks', hours('09:00', '10:00', [], { everyWeeks: 53, period: { start: '2026-01-01' } })],
    [
      'weekly hours that hold from a moment',
      hours('09:00', '10:00', [], { period: { start: '2026-01-01T00:00:00Z' } }),
    ],
    ['weekly hours that hold from a month', hours('09:00', '10:00', [], { period: { start: '2026-01' } })],
    ['an exception without an end', dayHours('schedule-not-available', { start: '2026-01-01' })],
    ['an exception without a beginning', dayHours('schedule-extra-hours', { end: '2026-01-01' })],
    [
      'a part that is not known',
      complex('schedule-hours', { url: 'allday', valueBoolean: true }),
      'Schedule.extension[0].extension[0]',
    ],
    [
      'a part of another type',
      complex('schedule-capacity', { url: 'capacity', valueString: '4' }),
      'Schedule.extension[0].extension[0]',
    ],
    [
      'a part twice',
      complex('schedule-capacity', positive('capacity', 1), positive('capacity', 2)),
      'Schedule.extension[0].extension[1]',
    ],
    ['two capacities', [...capacity(1), ...capacity(2)], 'Schedule.extension[1]'],
    ['a capacity of thousands', capacity(1_001)],
    ['an allowance without a number', complex('schedule-capacity', { url: 'overbook', valueBoolean: true })],
    ['a grain that does not divide the day', service([positive('grain', 50)])],
    ['a buffer of three hours', service([number('bufferAfter', 180)])],
    ['a service without a name', service([{ url: 'serviceType', valueCodeableConcept: {} }])],
  ])('is refused with %s', (_name, extensions, expression = 'Schedule.extension[0]') => {
    expect(() => read(extensions)).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        reason: 'schedule-extension',
        details: [expect.objectContaining({ expression })],
      }),
    );
  });
});

describe('the name of a service', () => {
  it('is its codes, or its words where it has none', () => {
    expect(
      servicesOf([{ coding: [{ system: 's', code: 'a' }, { code: 'b' }], text: 'A' }, { text: ' Long Visit' }]),
    ).toEqual(['s|a', '|b', '"long visit']);
    expect(servicesOf()).toEqual([]);
  });
});

describe('what a booking of an actor has to keep to', () => {
  const minute = 60_000;
  const noon = Date.UTC(2026, 5, 15, 12);
  const wanted = { from: noon, to: noon + 30 * minute, services: ['s|a'] };
  const rules = (over: Partial<BookingRules>): BookingRules => ({ services: [], rules: [], ...over });

  it('is that nobody else has the actor, where no Schedule says otherwise', () => {
    const alone = { most: 1, before: 0, after: 0 };

    expect(limitsOf([], wanted)).toEqual(alone);
    expect(limitsOf([rules({})], wanted)).toEqual(alone);
    const many = { allowance: { capacity: 5, overbook: 1 } };
    expect(limitsOf([rules({ ...many, from: wanted.to })], wanted)).toEqual(alone);
    expect(limitsOf([rules({ ...many, to: wanted.from })], wanted)).toEqual(alone);
    expect(limitsOf([rules({ ...many, to: wanted.from + 1 })], wanted).most).toBe(6);
  });

  it('is the smallest number that a Schedule names, whatever it is for', () => {
    const schedules = [
      rules({ services: ['s|b'], allowance: { capacity: 2, overbook: 1 } }),
      rules({ allowance: { capacity: 5, overbook: 0 } }),
      rules({}),
    ];

    expect(limitsOf(schedules, wanted).most).toBe(3);
  });

  it('is the longest buffers of Schedules for its service', () => {
    const buffer = (before: number, after: number, services: string[] = []) => ({ services, before, after });
    const schedules = [
      rules({ rules: [buffer(5, 0), buffer(0, 10, ['s|a'])] }),
      rules({ rules: [buffer(3, 0)] }),
      rules({ services: ['s|b'], rules: [buffer(60, 60)] }),
    ];

    expect(limitsOf(schedules, wanted)).toEqual({ most: 1, before: 3 * minute, after: 10 * minute });
  });
});
