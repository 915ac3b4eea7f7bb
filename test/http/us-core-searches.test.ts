import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, transactionOf, urn, writtenIn } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import { matchesIn, organizationBody, patientBody, referenceTo, resourcesIn, system } from '../support/records.ts';
import { dayOf, provenanceOf, usCoreChart } from '../support/us-core-chart.ts';

// The combinations of parameters that US Core 6.1.0 wants of a server: what each finds, and that it takes one reading.
// https://hl7.org/fhir/us/core/STU6.1/CapabilityStatement-us-core-server.html

type Found = fhir4.FhirResource & { readonly id: string };

let server: FhirServer;
/** The patient's id, and all that is in the chart, as it was written, under its ids. */
let id: string;
/** Another patient, whose records say where they are from without naming the patient. */
let otherId: string;
let chart: readonly Found[];

const family = 'Uscoresample';
const number = { system: 'http://concord.test/number', value: 'us-core-1' };

beforeAll(async () => {
  server = await fhirServer();
  const write = async (resources: readonly fhir4.FhirResource[]): Promise<string[]> => {
    const urns = resources.map(() => urn());
    const { status, body } = await server.post(
      '',
      transactionOf(...resources.map((resource, n) => postEntry(resource, urns[n]))),
      { as: system },
    );
    expect(status, JSON.stringify(body)).toBe(200);
    return writtenIn(body);
  };
  const medication = (code: string): fhir4.Medication => ({
    resourceType: 'Medication',
    code: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }] },
  });
  const [patient = '', other = '', organization = '', ...medications] = await write([
    patientBody({ name: [{ family }], identifier: [number], birthDate: '1971-03-04', gender: 'female' }),
    patientBody({ name: [{ family: 'Another' }], birthDate: '1972-03-04', gender: 'male' }),
    organizationBody(),
    medication('1049502'),
    medication('313782'),
  ]);
  id = patient.slice('Patient/'.length);
  otherId = other.slice('Patient/'.length);
  const resources = usCoreChart(patient, medications);
  const names = await write(resources);
  const source = provenanceOf([...names.filter((_, n) => n % 5 === 0), patient], organization);
  const written = await write([source]);
  chart = [...resources, source].map((resource, n) => ({
    ...resource,
    id: [...names, ...written][n]?.split('/')[1] ?? '',
  }));
  const others = await write(usCoreChart(other, medications).slice(0, 200));
  await write([provenanceOf(others, organization)]);
});

interface Cost {
  readonly reads: readonly string[];
  readonly writes: number;
  readonly sequential: number;
}

const costing = async (send: () => Promise<TestResponse>): Promise<TestResponse & Cost> => {
  server.calls.reset();
  const { status, body, headers, text, bytes } = await send();
  const { names } = server.calls;
  const isRead = (name: string) => /^(?:Get|BatchGet|Query|Scan)/.test(name);
  return {
    status,
    body,
    headers,
    text,
    bytes,
    reads: names.filter(isRead),
    writes: names.filter((name) => !isRead(name)).length,
    sequential: server.calls.sequential(),
  };
};

const get = (type: string, query: string) => costing(() => server.get(`${type}?${query}`));
const post = (type: string, query: string) =>
  costing(() =>
    server.post(`${type}/_search`, query, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  );

type Values = { readonly [element: string]: unknown };
const codesIn = (value: unknown): string[] =>
  [value].flat().flatMap((each) => ((each as fhir4.CodeableConcept).coding ?? []).map(({ code = '' }) => code));
const has =
  (element: string, ...codes: readonly string[]) =>
  (resource: Values): boolean =>
    codesIn(resource[element] ?? []).some((code) => codes.includes(code));
const is =
  (element: string, ...values: readonly unknown[]) =>
  (resource: Values): boolean =>
    values.includes(resource[element]);
const from =
  (element: string, first: string, last = '9999') =>
  (resource: Values): boolean => {
    const value = resource[element];
    const day = typeof value === 'string' ? value : String((value as fhir4.Period).start);
    return day >= first && day.slice(0, last.length) <= last;
  };
const all = () => true;
const both =
  (...tests: readonly ((resource: Values) => boolean)[]) =>
  (resource: Values): boolean =>
    tests.every((test) => test(resource));

const early = dayOf(3);
const late = dayOf(8);
const range = `date=ge${early}&date=le${late}`;

/** The type, what is asked beside the patient, and which records that is. */
const searches: readonly (readonly [type: string, query: string, which: (resource: Values) => boolean])[] = [
  ...['AllergyIntolerance', 'Coverage', 'Device', 'Goal', 'Immunization', 'MedicationDispense'].map(
    (type) => [type, '', all] as const,
  ),
  ['CarePlan', 'category=assess-plan', has('category', 'assess-plan')],
  ['CareTeam', 'status=active', is('status', 'active')],
  ['Condition', 'category=problem-list-item', has('category', 'problem-list-item')],
  ['DiagnosticReport', 'category=LAB', has('category', 'LAB')],
  ['DiagnosticReport', `category=LAB&${range}`, both(has('category', 'LAB'), from('effectiveDateTime', early, late))],
  ['DiagnosticReport', 'code=58410-2', has('code', '58410-2')],
  ['DiagnosticReport', `code=58410-2&date=ge${late}`, both(has('code', '58410-2'), from('effectiveDateTime', late))],
  ['DocumentReference', 'category=clinical-note', has('category', 'clinical-note')],
  [
    'DocumentReference',
    `category=clinical-note&${range}`,
    both(has('category', 'clinical-note'), from('date', early, late)),
  ],
  ['DocumentReference', 'type=34133-9', has('type', '34133-9')],
  ['Encounter', `date=ge${late}`, from('period', late)],
  ['Encounter', range, from('period', early, late)],
  ['MedicationRequest', 'intent=order', is('intent', 'order')],
  ['MedicationRequest', 'intent=order&status=completed', both(is('intent', 'order'), is('status', 'completed'))],
  ['Observation', 'category=laboratory', has('category', 'laboratory')],
  [
    'Observation',
    `category=laboratory&date=ge${late}`,
    both(has('category', 'laboratory'), from('effectiveDateTime', late)),
  ],
  [
    'Observation',
    `category=laboratory&${range}`,
    both(has('category', 'laboratory'), from('effectiveDateTime', early, late)),
  ],
  [
    'Observation',
    `category=laboratory&date=${early}`,
    both(has('category', 'laboratory'), from('effectiveDateTime', early, early)),
  ],
  [
    'Observation',
    `category=laboratory&date=lt${early}`,
    both(has('category', 'laboratory'), (each) => !from('effectiveDateTime', early)(each)),
  ],
  ['Observation', 'code=8867-4,2339-0', has('code', '8867-4', '2339-0')],
  ['Observation', `code=8867-4&date=ge${late}`, both(has('code', '8867-4'), from('effectiveDateTime', late))],
  ['Procedure', `date=ge${late}`, from('performedDateTime', late)],
  ['Procedure', range, from('performedDateTime', early, late)],
  ['ServiceRequest', 'category=108252007', has('category', '108252007')],
  [
    'ServiceRequest',
    `category=108252007&authored=ge${late}`,
    both(has('category', '108252007'), from('authoredOn', late)),
  ],
  ['ServiceRequest', 'code=24357-6', has('code', '24357-6')],
];

const namesOf = (resources: readonly Parameters<typeof referenceTo>[0][]): string[] =>
  resources.map(referenceTo).sort();
const expected = (type: string, which: (resource: Values) => boolean): string[] =>
  namesOf(chart.filter((each) => each.resourceType === type && which(each as unknown as Values)));

describe.each(searches)('%s by patient&%s', (type, query, which) => {
  it.each(['id', 'Patient/id'])('takes one reading, and its trace beside it: patient=%s', async (form) => {
    const named = `patient=${form.replace('id', id)}&${query}&_count=200`;
    for (const ask of [get, post]) {
      const { status, body, reads, writes, sequential } = await ask(type, named);

      expect(status, JSON.stringify(body)).toBe(200);
      expect(namesOf(matchesIn(body))).toEqual(expected(type, which));
      expect({ reads, writes, sequential }).toEqual({ reads: ['Query'], writes: 1, sequential: 1 });
    }
  });

  it('comes with where it is from by another reading at the same time', async () => {
    for (const ask of [get, post]) {
      const named = `patient=${id}&${query}&_count=200&_revinclude=Provenance:target`;
      const { body, reads, writes, sequential } = await ask(type, named);
      const names = namesOf(matchesIn(body));
      const sources = chart.filter(
        (each) =>
          each.resourceType === 'Provenance' && each.target.some(({ reference }) => names.includes(String(reference))),
      );

      expect(names).toEqual(expected(type, which));
      expect(namesOf(resourcesIn(body))).toEqual([...names, ...namesOf(sources)].sort());
      expect({ reads, writes, sequential }).toEqual({ reads: ['Query', 'Query'], writes: 1, sequential: 1 });
    }
  });
});

const medications = (body: TestResponse['body']) =>
  resourcesIn(body).filter(({ resourceType }) => resourceType === 'Medication');

describe('MedicationRequest by patient&intent', () => {
  const query = 'intent=order&_include=MedicationRequest:medication';

  it.each(['', '&status=completed'])('comes with its Medications by one reading more: %s', async (more) => {
    for (const ask of [get, post]) {
      const { body, reads, writes, sequential } = await ask('MedicationRequest', `patient=${id}&${query}${more}`);

      expect(matchesIn(body).length).toBeGreaterThan(2);
      expect(medications(body)).toHaveLength(2);
      expect({ reads, writes, sequential }).toEqual({ reads: ['Query', 'BatchGetItem'], writes: 1, sequential: 2 });
    }
  });

  it('takes no more turns with where it is from', async () => {
    const named = `patient=${id}&${query}&_revinclude=Provenance:target`;
    for (const ask of [get, post]) {
      const { body, reads, writes, sequential } = await ask('MedicationRequest', named);

      expect(new Set(resourcesIn(body).map(({ resourceType }) => String(resourceType)))).toEqual(
        new Set(['MedicationRequest', 'Medication', 'Provenance']),
      );
      expect({ reads: reads.toSorted(), writes, sequential }).toEqual({
        reads: ['BatchGetItem', 'Query', 'Query'],
        writes: 1,
        sequential: 2,
      });
    }
  });
});

describe('Patient', () => {
  it('by _id takes one reading, and its trace beside it', async () => {
    for (const ask of [get, post]) {
      const { body, reads, writes, sequential } = await ask('Patient', `_id=${id}`);

      expect(namesOf(matchesIn(body))).toEqual([`Patient/${id}`]);
      expect({ reads, writes, sequential }).toEqual({ reads: ['GetItem'], writes: 1, sequential: 1 });
      const more = await ask('Patient', `_id=${id}&_revinclude=Provenance:target`);
      expect(resourcesIn(more.body)).toHaveLength(2);
      expect([more.reads.toSorted(), more.sequential]).toEqual([['GetItem', 'Query'], 1]);
    }
  });

  it.each([
    ['identifier', `identifier=${number.system}|${number.value}`],
    ['identifier without its system', `identifier=${number.value}`],
    ['name', `name=${family}`],
    ['birthdate and name', `birthdate=1971-03-04&name=${family}`],
    ['gender and name', `gender=female&name=${family}`],
  ])('by %s takes one reading, then the trace in the chart that it has led to', async (_, query) => {
    for (const ask of [get, post]) {
      const { body, reads, writes, sequential } = await ask('Patient', query);

      expect(namesOf(matchesIn(body))).toEqual([`Patient/${id}`]);
      expect({ reads, writes, sequential }).toEqual({ reads: ['Query'], writes: 1, sequential: 2 });
      const more = await ask('Patient', `${query}&_revinclude=Provenance:target`);
      expect(resourcesIn(more.body)).toHaveLength(2);
      expect([more.reads, more.sequential]).toEqual([['Query', 'Query'], 3]);
    }
  });
});

describe('a Provenance that names records of a patient and not the patient', () => {
  it('stands where they are, and takes no more readings than one that does', async () => {
    const { body, reads, writes, sequential } = await get('Goal', `patient=${otherId}&_revinclude=Provenance:target`);

    expect(resourcesIn(body)).toHaveLength(matchesIn(body).length + 1);
    expect({ reads, writes, sequential }).toEqual({ reads: ['Query', 'Query'], writes: 1, sequential: 1 });
  });
});
