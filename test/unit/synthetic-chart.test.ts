import { describe, expect, it } from 'vitest';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { invariants } from '../../shared/fhir/generated/invariants/all.ts';
import { schemas } from '../../shared/fhir/generated/schemas/all.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { statusesOf } from '../support/bundles.ts';
import { byReference, codeOf, ofType, patientOf, resourcesOf } from '../support/chart-reading.ts';
import { fhirServer } from '../support/fhir-server.ts';
import { system } from '../support/records.ts';
import { chartDistribution, syntheticChart } from '../support/synthetic-chart.ts';

type Json = { readonly [element: string]: unknown };

const now = Date.UTC(2025, 0, 15, 12);
const seeds = Array.from({ length: 50 }, (_, index) => index + 1);
const charts = seeds.map((seed) => syntheticChart(seed, { now }));

/** Every text in a resource with the name of its element. */
const textsIn = (value: unknown, name = ''): [name: string, text: string][] => {
  if (typeof value === 'string') return [[name, value]];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((member: unknown) => textsIn(member, name));
  return Object.entries(value).flatMap(([key, member]) => textsIn(member, key));
};

const referencesIn = (resource: unknown): string[] =>
  textsIn(resource).flatMap(([name, text]) => (name === 'reference' ? [text] : []));

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

describe('a synthetic chart', () => {
  it('is the same, byte by byte, whenever it is made from the same seed and options', () => {
    const again = seeds.map((seed) => JSON.stringify(syntheticChart(seed, { now })));

    expect(again).toEqual(charts.map((chart) => JSON.stringify(chart)));
  });

  it('differs from seed to seed, also where only the high bits of the seed differ', () => {
    const many = [...charts, syntheticChart(2 ** 32 + 1, { now }), syntheticChart(2 ** 52, { now })];

    const urls = many.flatMap(({ entry = [] }) => entry.map(({ fullUrl }) => fullUrl));
    const numbers = many.map((chart) => patientOf(chart).identifier?.[0]?.value);

    expect(new Set(urls).size).toBe(urls.length);
    expect(new Set(numbers).size).toBe(many.length);
  });

  it('is a transaction of creates that refer to each other', () => {
    for (const chart of charts) {
      const known = byReference(chart);
      const references = resourcesOf(chart).flatMap(referencesIn);

      expect(chart.type).toBe('transaction');
      expect(
        chart.entry?.every(
          ({ request, resource }) => request?.method === 'POST' && request.url === resource?.resourceType,
        ),
      ).toBe(true);
      expect(references.filter((reference) => !known.has(reference))).toEqual([]);
      const alone = [...known.keys()].filter(
        (url) => !references.includes(url) && referencesIn(known.get(url)).length === 0,
      );
      expect(alone).toEqual([]);
    }
  });

  it('has the structure and keeps the rules of R4, without so much as a warning', () => {
    const issues = charts.flatMap(resourcesOf).flatMap((resource) => {
      const rules = invariants[resource.resourceType];
      if (!rules) throw new Error(`no invariants of ${resource.resourceType}`);
      const schema = schemas[resource.resourceType];
      return [...validateStructure(schema, resource), ...checkInvariants(schema, rules, resource)];
    });

    expect(issues).toEqual([]);
  });

  it('is accepted as a whole by the server', async () => {
    const server = await fhirServer();

    for (const chart of charts.slice(0, 5)) {
      const { status, body } = await server.post('', chart, { as: system });

      expect(status, JSON.stringify(body)).toBe(200);
      expect(statusesOf(body)).toEqual(chart.entry?.map(() => '201'));
    }
  });

  it('holds all types of a primary care record', () => {
    const types = new Set(charts.flatMap(resourcesOf).map(({ resourceType }) => resourceType));

    expect([...types].sort()).toEqual([
      'AllergyIntolerance',
      'Appointment',
      'CarePlan',
      'CareTeam',
      'Claim',
      'Communication',
      'Composition',
      'Condition',
      'Coverage',
      'DiagnosticReport',
      'DocumentReference',
      'Encounter',
      'ExplanationOfBenefit',
      'Goal',
      'Immunization',
      'MedicationRequest',
      'Observation',
      'Organization',
      'Patient',
      'Practitioner',
      'Procedure',
      'ServiceRequest',
      'Task',
    ]);
  });
});

describe('the history in a synthetic chart', () => {
  const isDate = /^\d{4}-\d{2}-\d{2}(T|$)/;

  it('lies between birth and death, or the present; only appointments lie ahead', () => {
    for (const chart of charts) {
      const { birthDate = '', deceasedDateTime } = patientOf(chart);
      const end = deceasedDateTime ?? new Date(now).toISOString();
      const outside = resourcesOf(chart)
        .filter(({ resourceType }) => resourceType !== 'Appointment' && resourceType !== 'Patient')
        .flatMap((resource) => textsIn(resource))
        .filter(([, text]) => isDate.test(text) && (text < birthDate || text > end));

      expect(outside).toEqual([]);
      const starts = ofType(chart, 'Appointment').map(({ start = '' }) => start);
      expect(starts).toHaveLength(deceasedDateTime === undefined ? 1 : 0);
      expect(starts.every((start) => start > end)).toBe(true);
    }
    expect(charts.some((chart) => patientOf(chart).deceasedDateTime !== undefined)).toBe(true);
  });

  it('happens at visits, which follow one another', () => {
    for (const chart of charts) {
      const known = byReference(chart);
      const periods = ofType(chart, 'Encounter').map(({ period }) => [period?.start ?? '', period?.end ?? ''] as const);
      const happened = resourcesOf(chart).flatMap((resource) => {
        const elements = resource as unknown as Json;
        const visit = known.get(
          (elements.encounter as fhir4.Reference | undefined)?.reference ?? '',
        ) as fhir4.Encounter;
        const times = ['effectiveDateTime', 'authoredOn', 'occurrenceDateTime', 'onsetDateTime', 'sent']
          .map((element) => elements[element])
          .filter((time) => typeof time === 'string');
        return times.map((time) => ({ time, from: visit.period?.start ?? '', to: visit.period?.end ?? '' }));
      });

      expect(happened.length).toBeGreaterThan(20);
      expect(happened.filter(({ time, from, to }) => time < from || time > to)).toEqual([]);
      periods.forEach(([start, end], index) => {
        expect(start < end).toBe(true);
        expect(end <= (periods[index + 1]?.[0] ?? '9')).toBe(true);
      });
    }
  });

  it('prescribes for conditions that were there, and nothing that the patient is allergic to', () => {
    const penicillins = ['308182', '834102', '834061'];
    const allergic = charts.filter((chart) =>
      ofType(chart, 'AllergyIntolerance').some(({ code }) => codeOf(code) === '91936005'),
    );
    const prescriptions = (chart: fhir4.Bundle) => ofType(chart, 'MedicationRequest');

    for (const chart of charts) {
      const known = byReference(chart);
      for (const { reasonReference, authoredOn = '' } of prescriptions(chart)) {
        const reason = known.get(reasonReference?.[0]?.reference ?? '') as fhir4.Condition;
        expect((reason.onsetDateTime ?? '9') <= authoredOn).toBe(true);
      }
    }
    const codes = (some: readonly fhir4.Bundle[]) =>
      some.flatMap(prescriptions).map(({ medicationCodeableConcept }) => codeOf(medicationCodeableConcept) ?? '');
    expect(allergic.length).toBeGreaterThan(0);
    expect(codes(allergic).filter((code) => penicillins.includes(code))).toEqual([]);
    expect(codes(charts)).toEqual(expect.arrayContaining(penicillins));
  });

  it('has one current prescription at most of each medicine, and none for the dead', () => {
    for (const chart of charts) {
      const active = ofType(chart, 'MedicationRequest')
        .filter(({ status }) => status === 'active')
        .map(({ medicationCodeableConcept }) => codeOf(medicationCodeableConcept));

      expect(new Set(active).size).toBe(active.length);
      if (patientOf(chart).deceasedDateTime !== undefined) expect(active).toEqual([]);
    }
    expect(
      charts.flatMap((chart) => ofType(chart, 'MedicationRequest')).some(({ status }) => status === 'active'),
    ).toBe(true);
  });

  it('shows an illness in the results by which it is found, and less of it once it is treated', () => {
    const [found, later] = [[] as number[], [] as number[]];
    for (const chart of charts) {
      const condition = ofType(chart, 'Condition').find(({ code }) => codeOf(code) === '55822004');
      if (!condition) continue;
      for (const { code, encounter, effectiveDateTime = '', valueQuantity } of ofType(chart, 'Observation')) {
        if (codeOf(code) !== '18262-6' || valueQuantity?.value === undefined) continue;
        if (encounter?.reference === condition.encounter?.reference) found.push(valueQuantity.value);
        else if (effectiveDateTime > `${Number(condition.onsetDateTime?.slice(0, 4)) + 2}`)
          later.push(valueQuantity.value);
      }
    }

    expect(found.length).toBeGreaterThan(5);
    expect(later.length).toBeGreaterThan(5);
    expect(Math.min(...found)).toBeGreaterThan(110);
    expect(median(found)).toBeGreaterThan(129);
    expect(median(later)).toBeLessThan(median(found) - 25);
  });

  it('vaccinates at sensible ages', () => {
    const yearsOf: Readonly<Record<string, readonly [from: number, to: number]>> = {
      '03': [1, 12],
      '20': [0.15, 7],
      '115': [11, 18],
      '121': [60, 80],
      '33': [65, 100],
      '140': [0.5, 120],
    };
    const ages = charts.flatMap((chart) => {
      const birth = Date.parse(patientOf(chart).birthDate ?? '');
      return ofType(chart, 'Immunization').map(({ vaccineCode, occurrenceDateTime = '' }) => ({
        vaccine: codeOf(vaccineCode) ?? '',
        years: (Date.parse(occurrenceDateTime) - birth) / (365.25 * 86_400_000),
      }));
    });

    for (const [vaccine, [from, to]] of Object.entries(yearsOf)) {
      const given = ages.filter((age) => age.vaccine === vaccine).map(({ years }) => years);
      expect(given.length, vaccine).toBeGreaterThan(0);
      expect(Math.min(...given), vaccine).toBeGreaterThanOrEqual(from);
      expect(Math.max(...given), vaccine).toBeLessThan(to);
    }
  });

  it('measures what a body can be, drifting slowly', () => {
    for (const chart of charts) {
      const of = (code: string) =>
        ofType(chart, 'Observation')
          .filter((observation) => codeOf(observation.code) === code)
          .map(({ effectiveDateTime = '', valueQuantity }) => ({
            at: Date.parse(effectiveDateTime),
            value: valueQuantity?.value ?? Number.NaN,
          }));
      const [heights, weights, indexes] = [of('8302-2'), of('29463-7'), of('39156-5')];

      for (const { at, value } of indexes) {
        const height = heights.find((one) => one.at === at)?.value ?? Number.NaN;
        const weight = weights.find((one) => one.at === at)?.value ?? Number.NaN;
        expect(value).toBeCloseTo(weight / (height / 100) ** 2, 0);
        expect(value).toBeGreaterThan(11);
        expect(value).toBeLessThan(42);
      }
      heights.forEach(({ value }, index) => {
        expect(value).toBeGreaterThanOrEqual(heights[index - 1]?.value ?? 40);
        expect(value).toBeLessThan(205);
      });
      for (const { value } of of('2947-0')) expect(Math.abs(value - 140)).toBeLessThan(12);
      for (const { component = [] } of ofType(chart, 'Observation')) {
        const [systolic, diastolic] = component.map(({ valueQuantity }) => valueQuantity?.value ?? Number.NaN);
        if (systolic === undefined || diastolic === undefined) continue;
        expect(systolic).toBeGreaterThan(diastolic + 8);
        expect(systolic).toBeLessThan(190);
        expect(diastolic).toBeGreaterThan(40);
      }
    }
  });

  it('names nobody and nothing that exists', () => {
    const systems = charts
      .flatMap(resourcesOf)
      .flatMap((resource) => (resource as { identifier?: fhir4.Identifier[] }).identifier ?? [])
      .map(({ system: of = '' }) => of);
    const telecoms = charts.flatMap((chart) => patientOf(chart).telecom ?? []).map(({ value = '' }) => value);

    expect(new Set(systems).size).toBeGreaterThan(3);
    expect(systems.filter((of) => !/^(https:\/\/[a-z]+\.example\/|urn:oid:2\.999\.)/.test(of))).toEqual([]);
    expect(telecoms.filter((value) => !/^555-01\d\d$|@home\.example$/.test(value))).toEqual([]);
  });
});

describe('options of a synthetic chart', () => {
  const organization = {
    reference: 'Organization/lakeside',
    display: 'Lakeside Hospital',
    domain: 'lakeside.example',
    location: { reference: 'Location/lakeside-main', display: 'Main building' },
  };
  const practitioners = {
    physician: { reference: 'Practitioner/a', display: 'A' },
    nurse: { reference: 'Practitioner/b', display: 'B' },
    laboratory: { reference: 'Practitioner/c', display: 'C' },
  };

  it('lets an organisation and its people keep the chart, which then brings none', () => {
    const chart = syntheticChart(7, { now, organization, practitioners });

    const outside = resourcesOf(chart)
      .flatMap(referencesIn)
      .filter((reference) => !reference.startsWith('urn:uuid:'));
    expect(new Set(outside)).toEqual(
      new Set([
        'Organization/lakeside',
        'Location/lakeside-main',
        'Practitioner/a',
        'Practitioner/b',
        'Practitioner/c',
      ]),
    );
    expect([...ofType(chart, 'Practitioner'), ...ofType(chart, 'Organization')]).toEqual([]);
    expect(patientOf(chart).identifier?.[0]?.system).toBe('https://lakeside.example/patient-number');
  });

  it('makes charts shorter or longer', () => {
    const sizes = [0.3, 1, 4].map((scale) => syntheticChart(7, { now, scale }).entry?.length ?? 0);

    expect((sizes[0] ?? 0) / (sizes[1] ?? 0)).toBeCloseTo(0.3, 0);
    expect((sizes[2] ?? 0) / (sizes[1] ?? 0)).toBeGreaterThan(2.5);
  });

  it('books at the times that are asked for; one that is over has been kept', () => {
    const hour = 3_600_000;
    const appointments = [now - hour, now + hour];
    const alive = seeds.find((seed) => patientOf(syntheticChart(seed)).deceasedDateTime === undefined) ?? 0;

    const booked = ofType(syntheticChart(alive, { now, appointments }), 'Appointment');

    expect(booked.map(({ status, start }) => [status, start])).toEqual([
      ['fulfilled', '2025-01-15T11:00:00Z'],
      ['booked', '2025-01-15T13:00:00Z'],
    ]);
  });
});

describe('200 synthetic charts', () => {
  const population = Array.from({ length: 200 }, (_, index) => syntheticChart(1_000 + index, { now }));
  const all = population.flatMap(resourcesOf);
  const sizes = population.map(({ entry = [] }) => entry.length);

  it('are as long as the sample charts', () => {
    const { min, median: middle, max } = chartDistribution.resources;

    expect(median(sizes)).toBeGreaterThan(middle * 0.87);
    expect(median(sizes)).toBeLessThan(middle * 1.13);
    expect(Math.min(...sizes)).toBeGreaterThan(min * 0.85);
    expect(Math.min(...sizes)).toBeLessThan(min * 1.5);
    expect(Math.max(...sizes)).toBeGreaterThan(max * 0.7);
    expect(Math.max(...sizes)).toBeLessThan(max * 1.15);
  });

  it('have resources as large as theirs', () => {
    const bytes = all.reduce((sum, resource) => sum + JSON.stringify(resource).length, 0);

    expect(bytes / all.length).toBeGreaterThan(chartDistribution.bytesAResource * 0.9);
    expect(bytes / all.length).toBeLessThan(chartDistribution.bytesAResource * 1.1);
  });

  it.each(Object.entries(chartDistribution.shares))('have their share of %s', (type, { percent, within }) => {
    const share = (100 * all.filter(({ resourceType }) => resourceType === type).length) / all.length;

    expect(share).toBeGreaterThan(percent * (1 - within / 100));
    expect(share).toBeLessThan(percent * (1 + within / 100));
  });
});
