import { describe, expect, it } from 'vitest';
import type { Role } from '../../../shared/access/caller.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { keptOfAppointment } from '../../../shared/scheduling/kept-of-appointment.ts';

const now = Date.UTC(2026, 2, 1, 12, 0, 0, 7);
const url = 'https://concord.example/fhir/StructureDefinition/status-history';
const came = (status: string, valueInstant = '2026-03-01T12:00:00.007Z'): fhir4.Extension => ({
  url,
  extension: [
    { url: 'status', valueCode: status },
    { url: 'since', valueInstant },
  ],
});
const other: fhir4.Extension = { url: 'urn:other', valueString: 'x' };
const early = '2020-01-01T00:00:00Z';

const appointment = (status: fhir4.Appointment['status'], ...extension: fhir4.Extension[]): Resource =>
  ({
    resourceType: 'Appointment',
    status,
    participant: [],
    ...(extension.length === 0 ? {} : { extension }),
  }) as unknown as Resource;
const kept = (before: Resource | undefined, next: Resource, role: Role = 'frontdesk') =>
  keptOfAppointment(before, next, now, { roles: [role] });

describe('the states that an appointment came into', () => {
  it('are kept behind other extensions, each since the instant of its change', () => {
    expect(kept(appointment('booked'), appointment('arrived'))).toEqual(appointment('arrived', came('arrived')));
    expect(kept(appointment('arrived', came('arrived', early)), appointment('checked-in', other))).toEqual(
      appointment('checked-in', other, came('arrived', early), came('checked-in')),
    );
  });

  it('stay as they are with a change of something else, whatever a client makes of them', () => {
    const was = appointment('arrived', came('arrived', early));

    expect(kept(was, was)).toBe(was);
    expect(kept(was, appointment('arrived'))).toEqual(was);
    expect(kept(was, appointment('arrived', came('noshow', early)))).toEqual(was);
    expect(kept(appointment('booked'), appointment('booked', came('noshow', early)))).toEqual(appointment('booked'));
  });

  it('are those that a first version, or the own system, comes with', () => {
    const told = appointment('fulfilled', came('arrived', early), came('fulfilled', early));

    expect(kept(undefined, told)).toBe(told);
    expect(kept(appointment('booked'), told, 'system')).toEqual(told);
    expect(kept(appointment('booked'), appointment('arrived'), 'system')).toEqual(
      appointment('arrived', came('arrived')),
    );
    expect(kept(appointment('arrived', came('arrived', early)), appointment('arrived'), 'system')).toEqual(
      appointment('arrived', came('arrived', early)),
    );
  });
});
