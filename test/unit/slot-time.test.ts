import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { slotTime } from '../../shared/record-types/slot-time.ts';

const timeOf = (over: Partial<fhir4.Slot>) =>
  slotTime({
    resourceType: 'Slot',
    status: 'busy',
    schedule: { reference: 'Schedule/1' },
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T10:30:00+01:00',
    ...over,
  } as Resource);

describe('the time that a Slot holds', () => {
  const from = Date.UTC(2026, 10, 24, 9);

  it.each([
    ['busy', 'slot'],
    ['busy-tentative', 'slot'],
    ['busy-unavailable', 'closed'],
  ] as const)('is that of its Schedule while it is %s, as %s', (status, as) => {
    expect(timeOf({ status, serviceType: [{ coding: [{ code: 'a' }] }] })).toEqual([
      { actor: 'Schedule/1', from, to: from + 1_800_000, expression: 'Slot.schedule', services: ['|a'], as },
    ]);
  });

  it.each(['free', 'entered-in-error'] as const)('is none while it is %s', (status) => {
    expect(timeOf({ status })).toEqual([]);
  });

  it('is none where it has no length, or no Schedule', () => {
    expect(timeOf({ end: '2026-11-24T09:00:00Z' })).toEqual([]);
    expect(timeOf({ schedule: { display: 'by word' } })).toEqual([]);
  });
});
