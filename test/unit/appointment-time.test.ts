import { describe, expect, it } from 'vitest';
import { demoPatients } from '../../infra/demo/demo-patients.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { appointmentTime } from '../../shared/record-types/appointment-time.ts';
import type { HeldTime } from '../../shared/record-types/define-record-type.ts';

const timeOf = (over: Partial<fhir4.Appointment>): HeldTime[] =>
  appointmentTime({
    resourceType: 'Appointment',
    status: 'booked',
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T09:30:00Z',
    participant: [{ actor: { reference: 'Practitioner/1' }, status: 'accepted' }],
    ...over,
  } as Resource);
const nine = Date.UTC(2026, 10, 24, 9);

describe('the time that an appointment holds', () => {
  it('is from its start to just before its end, whatever the zones', () => {
    const expected = { actor: 'Practitioner/1', from: nine, to: nine + 1_800_000 };

    expect(timeOf({})).toMatchObject([{ ...expected, expression: 'Appointment.participant[0].actor' }]);
    expect(timeOf({ start: '2026-11-24T10:00:00+01:00', end: '2026-11-24T04:30:00-05:00' })).toMatchObject([expected]);
    expect(timeOf({ end: '2026-11-24T09:30:00.250Z' })).toMatchObject([{ ...expected, to: nine + 1_800_250 }]);
  });

  it('is none where it has no length, or no beginning or end', () => {
    expect(timeOf({ end: '2026-11-24T09:00:00Z' })).toEqual([]);
    expect(timeOf({ end: '2026-11-24T08:00:00Z' })).toEqual([]);
    expect(appointmentTime({ resourceType: 'Appointment', status: 'booked', participant: [] })).toEqual([]);
  });

  it('is a participant’s own period, a day of it to its end, an open one to the appointment’s', () => {
    const participant = (period: fhir4.Period) => [
      { actor: { reference: 'Device/1' }, status: 'accepted' as const, period },
    ];

    expect(timeOf({ participant: participant({ start: '2026-11-24', end: '2026-11-25' }) })).toMatchObject([
      { from: Date.UTC(2026, 10, 24), to: Date.UTC(2026, 10, 26) },
    ]);
    expect(timeOf({ participant: participant({ start: '2026-11-24T09:10:00Z' }) })).toMatchObject([
      { from: nine + 600_000, to: nine + 1_800_000 },
    ]);
    expect(timeOf({ participant: participant({ end: '2026-11-24T09:10:00Z' }) })).toMatchObject([
      { from: nine, to: nine + 600_000 },
    ]);
  });

  it.each(['Patient/1', 'RelatedPerson/1', 'HealthcareService/1', '#contained', 'urn:uuid:x', ''])(
    'is not that of %j',
    (reference) => {
      expect(timeOf({ participant: [{ actor: { reference }, status: 'accepted' }] })).toEqual([]);
    },
  );

  it.each([
    'Practitioner/1',
    'PractitionerRole/1',
    'Location/1',
    'Device/1',
    'https://concord.test/fhir/Location/1/_history/3',
  ])('is that of %s', (reference) => {
    expect(timeOf({ participant: [{ actor: { reference }, status: 'accepted' }] })).toMatchObject([
      { actor: reference },
    ]);
  });

  it('is held for its services, with the Slots that it names, and beyond limits where it says why', () => {
    expect(timeOf({})).toMatchObject([{ services: [], slots: [], beyondLimits: false }]);
    const reason = 'https://concord.example/fhir/StructureDefinition/overbooking-reason';

    expect(
      timeOf({
        serviceType: [{ coding: [{ system: 's', code: 'a' }] }],
        slot: [{ reference: 'Slot/1' }, { display: 'by word' }],
        extension: [{ url: reason, valueString: 'Cannot wait' }],
      }),
    ).toMatchObject([{ services: ['s|a'], slots: ['Slot/1'], beyondLimits: true }]);
  });

  it('never overlaps in the demo, whenever it is filled in', () => {
    for (const hour of [0, 9, 12, 23]) {
      const now = Date.UTC(2026, 10, 24, hour, 10);
      const times = (['northside', 'lakeside'] as const)
        .flatMap((organization) => demoPatients(organization, now))
        .flatMap(({ chart }) => chart.entry ?? [])
        .flatMap(({ resource }) =>
          resource?.resourceType === 'Appointment' ? appointmentTime(resource as unknown as Resource) : [],
        );
      const clashes = times.filter((a, index) =>
        times.slice(index + 1).some((b) => a.actor === b.actor && a.from < b.to && b.from < a.to),
      );

      expect(clashes).toEqual([]);
      expect(times.length).toBeGreaterThan(4);
    }
  });
});
