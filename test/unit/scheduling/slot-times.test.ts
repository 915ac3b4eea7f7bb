import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { freeTimes } from '../../../shared/scheduling/free-times.ts';
import { type OfferedSchedule, openTimes, startsBySlots } from '../../../shared/scheduling/open-times.ts';
import { readSchedule } from '../../../shared/scheduling/schedule.ts';
import { isOpenBySlots, openSlots } from '../../../shared/scheduling/slot-times.ts';
import { dayHours, hours, schedule } from '../../support/actor-schedules.ts';

const at = (clock: string) => Date.parse(`2026-06-15T${clock}:00Z`);
const range = { from: at('00:00'), to: at('23:59') };
const surgery: fhir4.CodeableConcept[] = [{ coding: [{ system: 'urn:x', code: 'surgery' }] }];

const slot = (id: string, from: string, to: string, more: Partial<fhir4.Slot> = {}) => ({
  id,
  resource: {
    resourceType: 'Slot',
    status: 'free',
    schedule: { reference: 'Schedule/1' },
    start: `2026-06-15T${from}:00Z`,
    end: `2026-06-15T${to}:00Z`,
    ...more,
  } as unknown as Resource,
});
const offered = (slots: OfferedSchedule['slots'], ...extensions: readonly fhir4.Extension[][]): OfferedSchedule => ({
  ...readSchedule(schedule(...extensions) as unknown as Resource),
  slots,
});
const span = (from: string, to: string) => ({ from: at(from), to: at(to) });

describe('a Schedule is open by Slots', () => {
  it.each([
    ['free', true],
    ['busy', true],
    ['busy-tentative', true],
    ['busy-unavailable', false],
    ['entered-in-error', false],
  ] as const)('that are %s: %s', (status, is) => {
    expect(isOpenBySlots([slot('1', '09:00', '09:30', { status })])).toBe(is);
  });

  it('of which none is there: no', () => {
    expect(isOpenBySlots([])).toBe(false);
    expect(isOpenBySlots([{ id: '1', resource: undefined }])).toBe(false);
  });
});

describe('Slots leave open', () => {
  it('what is free, not overbooked, and for the service', () => {
    const slots = [
      slot('free', '09:00', '09:30'),
      slot('ours', '09:30', '10:00', { serviceType: surgery }),
      slot('busy', '10:00', '10:30', { status: 'busy' }),
      slot('wrong', '10:30', '11:00', { status: 'entered-in-error' }),
      slot('full', '11:00', '11:30', { overbooked: true }),
      slot('empty', '12:00', '12:00'),
      slot('backwards', '12:30', '12:00'),
    ];

    expect(openSlots(slots, ['urn:x|surgery']).map(({ reference }) => reference)).toEqual(['Slot/free', 'Slot/ours']);
    expect(openSlots(slots, ['urn:x|other'])).toEqual([{ reference: 'Slot/free', ...span('09:00', '09:30') }]);
  });

  it('the time of a Schedule without hours, but for its exceptions, and nothing of one with hours', () => {
    const slots = [span('09:00', '09:30'), span('09:30', '10:00'), span('11:00', '11:30')];
    const away = dayHours('schedule-not-available', { start: '2026-06-15T09:45:00Z', end: '2026-06-15T12:00:00Z' });

    expect(openTimes([offered(slots)], undefined, [], range)).toEqual([span('09:00', '10:00'), span('11:00', '11:30')]);
    expect(openTimes([offered(slots, away)], undefined, [], range)).toEqual([span('09:00', '09:45')]);
    expect(openTimes([offered([])], undefined, [], range)).toEqual([]);
    expect(openTimes([offered(slots, hours('14:00', '15:00'))], undefined, [], range)).toEqual([
      span('14:00', '15:00'),
    ]);
    expect(openTimes([offered(undefined)], undefined, [], range)).toEqual([range]);
  });

  it('the beginnings of what is had by Slots alone', () => {
    const slots = [span('09:00', '09:25'), span('09:25', '09:50')];
    const extra = dayHours('schedule-extra-hours', { start: '2026-06-15T12:00:00Z', end: '2026-06-15T13:00:00Z' });

    expect(startsBySlots([offered(slots)], [])).toEqual(new Set([at('09:00'), at('09:25')]));
    expect(startsBySlots([offered(slots), offered(undefined, hours('14:00', '15:00'))], [])).toBeUndefined();
    expect(startsBySlots([offered(slots, extra)], [])).toBeUndefined();
    expect(startsBySlots([], [])).toBeUndefined();
  });

  it('times that begin where they do, for all who have any', () => {
    const actor = (...clocks: string[]) => ({
      open: [span('09:00', '10:00')],
      taken: [],
      limits: { most: 1, before: 0, after: 0 },
      ...(clocks.length === 0 ? {} : { starts: new Set(clocks.map(at)) }),
    });
    const search = { ...range, minutes: 25, grain: 15, zone: 'UTC', count: 9 };
    const found = (...actors: ReturnType<typeof actor>[]) =>
      freeTimes({ ...search, actors }).times.map(({ from }) => from);

    expect(found(actor('09:25', '09:00', '09:50'), actor())).toEqual([at('09:00'), at('09:25')]);
    expect(found(actor('09:00', '09:25'), actor('09:25', '09:30'))).toEqual([at('09:25')]);
  });
});
