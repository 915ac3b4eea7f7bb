import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/access/caller.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { requireSchedule, scheduleRows } from '../../../shared/record-types/schedule-rules.ts';
import type { StoredRecord } from '../../../shared/store/rows.ts';
import { capacity, schedule, zone } from '../../support/actor-schedules.ts';

const baseUrl = 'https://concord.test/fhir';
const writer = { baseUrl, byPatient: false, byProxy: false, administrator: undefined };
const record = (over: Partial<fhir4.Schedule>, ...extensions: fhir4.Extension[][]): StoredRecord => ({
  type: 'Schedule',
  chart: 's1',
  place: '',
  id: 's1',
  version: 1,
  updated: 0,
  custodian: 'northside',
  labels: [],
  resource: { ...schedule(...extensions), ...over } as unknown as Resource,
});
const rulesIn = (next: StoredRecord) =>
  scheduleRows({ next }, writer).puts.map(({ pk, sk, rules }) => [pk, sk, JSON.parse(String(rules))]);

describe('rows of a Schedule', () => {
  it('stand beside the calendar of each actor of this server, once', () => {
    const actor = [
      { reference: 'Practitioner/p1' },
      { reference: `${baseUrl}/Practitioner/p1` },
      { reference: 'Location/l1/_history/2' },
      { reference: 'https://elsewhere.test/fhir/Practitioner/p2' },
      { display: 'by word' },
    ];
    const rules = { services: [], rules: [], allowance: { capacity: 3, overbook: 0 } };

    expect(rulesIn(record({ actor }, capacity(3)))).toEqual([
      ['S#Practitioner/p1', 's1', rules],
      ['S#Location/l1', 's1', rules],
    ]);
  });

  it('say of which time it tells, in instants', () => {
    const of = (planningHorizon: fhir4.Period, name: string) =>
      rulesIn(record({ planningHorizon }, zone(name))).map(([, , rules]) => [rules.from, rules.to])[0];

    expect(of({ start: '2026-03-01', end: '2026-03-31' }, 'America/New_York')).toEqual([
      Date.parse('2026-03-01T05:00:00Z'),
      Date.parse('2026-04-01T04:00:00Z'),
    ]);
    // Clocks were put forward at midnight there: the day began at one.
    expect(of({ start: '2026-04-24' }, 'Africa/Cairo')).toEqual([Date.parse('2026-04-23T22:00:00Z'), undefined]);
    expect(of({ end: '2026-03-31T12:00:00+02:00' }, 'UTC')).toEqual([undefined, Date.parse('2026-03-31T10:00:00Z')]);
  });

  it('go with it, or when it is out of use', () => {
    const previous = record({});
    const gone = { puts: [], removes: [{ pk: 'S#Practitioner/p1', sk: 's1' }] };

    expect(scheduleRows({ next: { ...previous, resource: undefined }, previous }, writer)).toEqual(gone);
    expect(scheduleRows({ next: record({ active: false }), previous }, writer)).toEqual(gone);
    expect(scheduleRows({ next: previous, previous }, writer).removes).toEqual([]);
  });
});

describe('a Schedule', () => {
  it('keeps its actors, in whatever order and form they are written', () => {
    const caller: Caller = {
      subject: 's',
      name: 'n',
      client: 'c',
      organization: 'northside',
      roles: ['frontdesk'],
      scopes: [],
      fhirUser: 'Practitioner/p',
      patient: undefined,
    };
    const of = (...references: string[]) =>
      ({ ...schedule(), actor: references.map((reference) => ({ reference })) }) as unknown as Resource;

    requireSchedule(of('Location/1', 'Practitioner/2'), of(`${baseUrl}/Practitioner/2`, 'Location/1'), caller);
    requireSchedule(of('Location/1'), undefined, caller);
    requireSchedule(undefined, of('Location/1'), caller);
    expect(() => requireSchedule(of('Location/1'), of('Location/1', 'Location/2'), caller)).toThrow(
      expect.objectContaining({ kind: 'business-rule', reason: 'schedule-actors' }),
    );
  });
});
