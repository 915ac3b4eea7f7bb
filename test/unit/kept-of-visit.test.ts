import { describe, expect, it } from 'vitest';
import type { Role } from '../../shared/access/caller.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { keptOfVisit } from '../../shared/visits/kept-of-visit.ts';
import { encounterBody } from '../support/records.ts';

const now = Date.UTC(2026, 2, 1, 12, 0, 0, 7);
const at = '2026-03-01T12:00:00.007Z';
const began = '2026-03-01T09:00:00Z';

const visit = (elements: Partial<fhir4.Encounter> = {}): fhir4.Encounter => {
  const { period: _over, ...body } = encounterBody('Patient/1');
  return { ...body, status: 'in-progress', ...elements };
};
const kept = (before: fhir4.Encounter | undefined, next: fhir4.Encounter, role: Role = 'nurse'): fhir4.Encounter =>
  keptOfVisit(before as Resource | undefined, next as unknown as Resource, now, {
    roles: [role],
  }) as unknown as fhir4.Encounter;

const ward = (elements: Partial<fhir4.EncounterLocation> = {}): fhir4.EncounterLocation => ({
  location: { reference: 'Location/ward' },
  ...elements,
});
const bed = (elements: Partial<fhir4.EncounterLocation> = {}): fhir4.EncounterLocation => ({
  location: { reference: 'Location/bed' },
  ...elements,
});

describe('the states that a visit has had', () => {
  it('are kept, each from the end of the one before to the instant of its change', () => {
    const arrived = kept(
      visit({ status: 'planned', period: { start: '2026-03-02' } }),
      visit({ status: 'arrived', period: { start: began } }),
    );
    const seen = kept(arrived, visit({ status: 'in-progress', period: { start: began } }));

    expect(arrived.statusHistory).toEqual([{ status: 'planned', period: { end: at } }]);
    expect(seen.statusHistory).toEqual([
      { status: 'planned', period: { end: at } },
      { status: 'arrived', period: { start: at, end: at } },
    ]);
  });

  it('began with the visit, if nothing came before', () => {
    const away = kept(visit({ period: { start: began } }), visit({ status: 'onleave', period: { start: began } }));

    expect(away.statusHistory).toEqual([{ status: 'in-progress', period: { start: began, end: at } }]);
  });

  it('have no period that ends before it starts', () => {
    const start = '2026-03-01T13:00:00Z';
    const away = kept(visit({ period: { start } }), visit({ status: 'onleave', period: { start } }));

    expect(away.statusHistory).toEqual([{ status: 'in-progress', period: { end: at } }]);
  });

  it('stay as they are with a change of something else', () => {
    const history = [{ status: 'arrived', period: { end: began } }] as const;
    const { statusHistory } = kept(visit({ statusHistory: [...history] }), visit({ priority: { text: 'high' } }));

    expect(statusHistory).toEqual(history);
  });

  it('are not what a client says they were', () => {
    const invented: fhir4.EncounterStatusHistory[] = [{ status: 'planned', period: { start: '2020', end: '2021' } }];

    expect(kept(visit(), visit({ statusHistory: invented })).statusHistory).toBeUndefined();
    expect(kept(visit(), visit({ status: 'onleave', statusHistory: invented })).statusHistory).toEqual([
      { status: 'in-progress', period: { end: at } },
    ]);
  });

  it('are what a first version says, or what the own system imports', () => {
    const told: fhir4.EncounterStatusHistory[] = [{ status: 'planned', period: { start: '2020', end: '2021' } }];

    expect(kept(undefined, visit({ statusHistory: told })).statusHistory).toEqual(told);
    expect(kept(visit(), visit({ status: 'finished', statusHistory: told }), 'system').statusHistory).toEqual(told);
    expect(
      kept(visit({ statusHistory: told }), visit({ status: 'onleave', statusHistory: told }), 'system').statusHistory,
    ).toEqual([...told, { status: 'in-progress', period: { start: '2021', end: at } }]);
  });
});

describe('the classes that a visit has had', () => {
  const ambulatory = visit().class;
  const inpatient = { ...ambulatory, code: 'IMP' };

  it('are kept until the instant of their change', () => {
    const admitted = kept(
      visit({ period: { start: began } }),
      visit({ class: inpatient, classHistory: [], period: { start: began } }),
    );

    expect(admitted.classHistory).toEqual([{ class: ambulatory, period: { start: began, end: at } }]);
    expect(kept(admitted, visit({ class: inpatient })).classHistory).toEqual(admitted.classHistory);
  });

  it('do not change with how a class is called', () => {
    expect(kept(visit(), visit({ class: { ...ambulatory, display: 'Ambulatory' } }))).not.toHaveProperty(
      'classHistory',
    );
  });
});

describe('the places of a visit', () => {
  it('are left when they are named no more', () => {
    const moved = kept(
      visit({ location: [ward({ status: 'active', period: { start: began } })] }),
      visit({ location: [bed()] }),
    );

    expect(moved.location).toEqual([
      ward({ status: 'completed', period: { start: began, end: at } }),
      bed({ period: { start: at } }),
    ]);
  });

  it('stay once they were left, and are entered a second time by who comes back', () => {
    const before = visit({
      location: [
        ward({ status: 'completed', period: { start: '2026-02-01', end: '2026-02-02' } }),
        bed({ status: 'active', period: { start: '2026-02-02' } }),
      ],
    });

    expect(kept(before, visit({ location: [ward({ status: 'active' })] })).location).toEqual([
      ward({ status: 'completed', period: { start: '2026-02-01', end: '2026-02-02' } }),
      bed({ status: 'completed', period: { start: '2026-02-02', end: at } }),
      ward({ status: 'active', period: { start: at } }),
    ]);
  });

  it('are those that a client has read and sends back', () => {
    const location = [
      ward({ status: 'completed', period: { start: '2026-02-01', end: '2026-02-02' } }),
      bed({ status: 'active', period: { start: '2026-02-02' } }),
    ];

    expect(kept(visit({ location }), visit({ location })).location).toEqual(location);
  });

  it('are corrected by who was there, and dropped if they were only planned', () => {
    const before = visit({
      location: [ward({ status: 'active', period: { start: '2026-02-01' } }), bed({ status: 'planned' })],
    });
    const corrected = ward({ status: 'active', period: { start: '2026-02-02' } });

    expect(kept(before, visit({ location: [corrected] })).location).toEqual([corrected]);
  });

  it('are left with the visit', () => {
    const before = visit({ location: [ward({ period: { start: began } })] });
    const after = kept(
      before,
      visit({ ...before, status: 'finished', location: [ward({ period: { start: began } })] }),
    );

    expect(after.location).toEqual([ward({ status: 'completed', period: { start: began, end: at } })]);
  });

  it('are what the own system says they were', () => {
    const location = [bed({ status: 'completed', period: { end: '2020' } })];

    expect(kept(visit({ location: [ward()] }), visit({ location }), 'system').location).toEqual(location);
  });
});

describe('the period of a visit', () => {
  it('begins and ends with its states, if nobody has said when', () => {
    const begun = kept(visit({ status: 'planned' }), visit());
    const over = kept(begun, { ...begun, status: 'finished' });

    expect(begun.period).toEqual({ start: at });
    expect(over.period).toEqual({ start: at, end: at });
  });

  it('is what was said of it', () => {
    const period = { start: '2026-02-01', end: '2026-02-02' };

    expect(kept(visit(), visit({ status: 'finished', period })).period).toEqual(period);
    expect(kept(visit({ status: 'planned' }), visit({ period })).period).toEqual(period);
    expect(kept(visit(), visit({ priority: { text: 'high' } }))).not.toHaveProperty('period');
  });

  it('does not end before it starts', () => {
    const period = { start: '2026-03-02' };

    expect(kept(visit({ period }), visit({ status: 'finished', period })).period).toEqual(period);
  });

  it('has not ended of a visit that is opened again, unless another end is given', () => {
    const period = { start: began, end: '2026-03-01T10:00:00Z' };
    const over = visit({ status: 'finished', period });

    expect(kept(over, visit({ period })).period).toEqual({ start: began });
    expect(kept(over, visit({ period: { start: began, end: '2026-03-09' } })).period).toEqual({
      start: began,
      end: '2026-03-09',
    });
  });
});
