import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { filingOf, fillerNumber, type Sent, told } from '../support/filings.ts';
import { create, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// What becomes of results once they are filed: what they bear, what they call for, and where they stand.

const lab: TestCaller = { role: 'lab' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: fhir4.Reference;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  subject = { reference: referenceTo(patient) };
});

const tasksOf = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`)).body) as unknown as fhir4.Task[];
const codeOf = ({ code }: fhir4.Task) => code?.coding?.[0]?.code;
/** Of the patient of the test, unless it says otherwise. */
const filing = (sent: Sent) => filingOf({ about: { subject }, ...sent });
const post = (body: fhir4.Parameters) => server.post('DiagnosticReport/$file', body, { as: lab });
const file = async (sent: Sent) => {
  const { status, body, text } = await post(filing(sent));
  expect([200, 201, 202], text).toContain(status);
  return told(body);
};
const read = async <T>(name: string): Promise<T> => {
  const { status, body, text } = await server.get(name, { as: lab });
  expect(status, text).toBe(200);
  return body as unknown as T;
};
const resultsOf = async (name: string) => {
  const { result = [] } = await read<fhir4.DiagnosticReport>(name);
  return Promise.all(result.map(({ reference = '' }) => read<Stored<fhir4.Observation>>(reference)));
};
const corrected = { issued: '2026-11-20T12:00:00Z', status: 'corrected', resultStatus: 'corrected' } as const;
const called = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code }] },
];

describe('labels of what was filed', () => {
  const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
  const label = async (name: string) => {
    const { status, text } = await server.post(`${name}/$meta-add`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { security: [restricted] } }],
    });
    expect(status, text).toBe(200);
  };
  const labelsOf = async (report: string) => {
    const all = [await read<fhir4.DiagnosticReport>(report), ...(await resultsOf(report))];
    return all.map(({ meta }) => meta?.security);
  };

  it('stay whatever the laboratory sends next, and are borne by what that adds', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const [result] = await resultsOf(report);
    await label(report);
    await label(referenceTo(result as Stored<fhir4.Observation>));

    await file({ filler, ...corrected, values: { '2823-3': 4.2, '2951-2': 139 } });

    expect(await labelsOf(report)).toEqual([[restricted], [restricted], [restricted]]);

    await file({ filler, issued: '2026-11-20T09:00:00Z', values: { '2823-3': 4, '2075-0': 101 } });

    expect(await labelsOf(report)).toEqual([[restricted], [restricted], [restricted], [restricted]]);
  });

  it('of a signed report are borne by its addendum', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const practitioner = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const pathologist = { role: 'lab', claims: { fhirUser: referenceTo(practitioner) } };
    await label(report);
    const signed = await server.post(`${report}/$sign`, { resourceType: 'Parameters' }, { as: pathologist });
    expect(signed.status, signed.text).toBe(200);

    const addendum = await file({ filler, ...corrected });

    expect(addendum.report).not.toBe(report);
    expect((await read<fhir4.DiagnosticReport>(addendum.report)).meta?.security).toEqual([restricted]);
  });
});

describe('a critical result that is filed', () => {
  it('is news by the time of its report, however long ago its specimen was taken', async () => {
    const taken = { effectiveDateTime: new Date(Date.now() - 45 * 86_400_000).toISOString() };
    const culture = { elements: taken, result: { ...taken, interpretation: called('AA') } };
    await file({ filler: fillerNumber(), ...culture, issued: new Date(Date.now() - 40 * 86_400_000).toISOString() });
    expect(await tasksOf()).toEqual([]);

    await file({ filler: fillerNumber(), ...culture, issued: new Date().toISOString() });

    expect((await tasksOf()).map(codeOf).sort()).toEqual(['critical-result', 'read-report']);
  });

  it.each<[string, Sent['result']]>([
    ['its flag in words', { interpretation: [{ text: 'Critically high' }] }],
    ['a component', { component: [{ code: { text: 'Potassium' }, interpretation: called('HH') }] }],
    ['its value', { valueQuantity: { value: 7.9, system: 'http://unitsofmeasure.org', code: 'mmol/L' } }],
  ])('and waits for its patient is resolved first of all: by %s', async (_, result = {}) => {
    const waiting = await file({ filler: fillerNumber(), about: {}, result });

    const inbox = resourcesIn(await read('Task/$inbox?_count=100')) as unknown as fhir4.Task[];
    expect(inbox.find(({ focus }) => focus?.reference === waiting.report)?.priority).toBe('stat');
  });
});

describe('specimens of one accession', () => {
  const tube = (id: string, elements: Partial<fhir4.Specimen> = {}) => ({
    name: 'specimen',
    resource: {
      resourceType: 'Specimen' as const,
      id,
      accessionIdentifier: { system: 'http://concord.test/accession', value: 'A-1' },
      ...elements,
    },
  });
  const named = (value: string) => ({ identifier: [{ system: 'http://concord.test/tube', value }] });

  it.each([
    ['with identifiers of their own', [tube('s1', named('T-1')), tube('s2', named('T-2'))]],
    ['without', [tube('s1'), tube('s2')]],
  ])('are filed each for itself, %s, and found again', async (_, tubes) => {
    const filler = fillerNumber();
    const filed = async (sent: Partial<Sent>) => {
      const body = filing({ filler, ...sent });
      const { status, body: answer, text } = await post({ ...body, parameter: [...(body.parameter ?? []), ...tubes] });
      expect([200, 201], text).toContain(status);
      return (await read<fhir4.DiagnosticReport>(told(answer).report)).specimen;
    };

    const first = await filed({});

    expect(new Set(first?.map(({ reference }) => reference)).size).toBe(2);
    expect(await filed(corrected)).toEqual(first);
  });
});
