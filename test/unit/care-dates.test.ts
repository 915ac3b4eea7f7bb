import { describe, expect, it } from 'vitest';
import { resourceDefinitions } from '../../infra/generate/structure-definitions.ts';
import { careElements, careTimeOf } from '../../shared/record-types/care-dates.ts';

/** Datatypes of the elements of every type, by path. */
const definitions = (): Map<string, string[]> =>
  new Map(
    resourceDefinitions().flatMap(({ snapshot }) =>
      snapshot.element.map(({ path, type = [] }) => [path, type.map(({ code }) => code)] as const),
    ),
  );

describe('times of care', () => {
  it('are elements that R4 defines, with a datatype of time', () => {
    const known = definitions();
    const named = Object.entries(careElements).flatMap(([type, paths]) =>
      paths.split(/[ ,]/).map((path) => `${type}.${path}`),
    );

    const without = named.filter(
      (path) =>
        !(known.get(path) ?? known.get(`${path}[x]`) ?? []).some((code) =>
          /^(?:date|dateTime|instant|Period|Timing)$/.test(code),
        ),
    );

    expect(named.length).toBeGreaterThan(30);
    expect(without).toEqual([]);
  });

  it.each([
    [
      'a point in time',
      { resourceType: 'Observation', effectiveInstant: '2024-01-01T10:00:00Z' },
      [1704103200000, 1704103201000],
    ],
    ['an open stay', { resourceType: 'Encounter', period: { start: '2024-01-01' } }, [1704067200000, Infinity]],
    [
      'an order to be carried out until a day',
      { resourceType: 'ServiceRequest', authoredOn: '2024-01-01', occurrencePeriod: { end: '2024-01-02' } },
      [-Infinity, 1704240000000],
    ],
    [
      'an order written down after it was carried out',
      { resourceType: 'ServiceRequest', authoredOn: '2024-01-02', occurrenceDateTime: '2024-01-01' },
      [1704067200000, 1704240000000],
    ],
    [
      'a prescription written down after it was valid',
      {
        resourceType: 'MedicationRequest',
        authoredOn: '2024-01-03',
        dispenseRequest: { validityPeriod: { start: '2024-01-01', end: '2024-01-02' } },
      },
      [1704067200000, 1704326400000],
    ],
    [
      'a diagnosis that began some time and is over',
      { resourceType: 'Condition', onsetPeriod: { start: '2024-01-01' }, abatementDateTime: '2024-01-02' },
      [1704067200000, 1704240000000],
    ],
    [
      'what was prepared and handed over',
      { resourceType: 'MedicationDispense', whenPrepared: '2024-01-01', whenHandedOver: '2024-01-02' },
      [1704067200000, 1704240000000],
    ],
    [
      'what was handed over',
      { resourceType: 'MedicationDispense', whenHandedOver: '2024-01-02' },
      [1704153600000, 1704240000000],
    ],
    ['what is prepared', { resourceType: 'MedicationDispense', whenPrepared: '2024-01-02' }, [1704153600000, Infinity]],
    [
      'a document about earlier care',
      {
        resourceType: 'Composition',
        date: '2024-01-03',
        event: [
          { period: { start: '2024-01-02', end: '2024-01-02' } },
          {},
          { period: { start: '2024-01-01', end: '2024-01-01' } },
        ],
      },
      [1704067200000, 1704326400000],
    ],
    [
      'events',
      { resourceType: 'Observation', effectiveTiming: { event: ['2024-01-02', '2024-01-01'] } },
      [1704067200000, 1704240000000],
    ],
    [
      'a schedule within limits',
      {
        resourceType: 'Observation',
        effectiveTiming: { repeat: { boundsPeriod: { start: '2024-01-01', end: '2024-01-02' }, frequency: 1 } },
      },
      [1704067200000, 1704240000000],
    ],
    [
      'a schedule of so many days from an event',
      {
        resourceType: 'Observation',
        effectiveTiming: { event: ['2024-01-01'], repeat: { boundsDuration: { value: 9 } } },
      },
      [1704067200000, Number.MAX_VALUE],
    ],
    [
      'an event that takes its time, within limits',
      {
        resourceType: 'Observation',
        effectiveTiming: { repeat: { boundsPeriod: { start: '2024-01-01', end: '2024-01-02' }, duration: 3 } },
      },
      [1704067200000, Number.MAX_VALUE],
    ],
    [
      'a prescription without a last day',
      { resourceType: 'MedicationRequest', authoredOn: '2024-01-01' },
      [1704067200000, Infinity],
    ],
    [
      'a schedule',
      { resourceType: 'RiskAssessment', occurrencePeriod: { start: '2024-01-01', end: '2024-01-01' } },
      [1704067200000, 1704153600000],
    ],
    ['nothing', { resourceType: 'Observation' }, undefined],
    ['an allergy', { resourceType: 'AllergyIntolerance', recordedDate: '2024' }, undefined],
  ])('of %s', (_, resource, expected) => {
    const time = careTimeOf(resource);

    expect(time && [time.start, time.end]).toEqual(expected);
  });
});
