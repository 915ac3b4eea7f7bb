import { expect } from 'vitest';
import { roleSystem } from '../../shared/access/roles.ts';
import type { TestCaller } from './callers.ts';
import { type FhirServer, physician, type TestBody } from './fhir-server.ts';

// Valid resources for requests, and what tests ask of them again and again.

export const admin: TestCaller = { role: 'admin' };
export const system: TestCaller = { role: 'system' };
/** The same role at another organisation. */
export const elsewhere: TestCaller = { role: 'physician', organization: 'lakeside' };

export const identifierSystem = 'http://concord.test/number';

export const patientBody = (elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
  resourceType: 'Patient',
  name: [{ family: 'Sample', given: ['Ann'] }],
  gender: 'female',
  birthDate: '1980-02-03',
  ...elements,
});

/** A patient who bears an identifier. */
export const numberedPatient = (value: string, elements: Partial<fhir4.Patient> = {}): fhir4.Patient =>
  patientBody({ identifier: [{ system: identifierSystem, value }], ...elements });

/** @param subject - reference to the patient, such as `Patient/1`. */
export const observationBody = (subject: string, elements: Partial<fhir4.Observation> = {}): fhir4.Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: subject },
  effectiveDateTime: '2024-05-06T07:08:09Z',
  valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  ...elements,
});

/** @param subject - reference to the patient. */
export const encounterBody = (subject: string, elements: Partial<fhir4.Encounter> = {}): fhir4.Encounter => ({
  resourceType: 'Encounter',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: subject },
  period: { start: '2024-05-06T07:00:00Z', end: '2024-05-06T07:30:00Z' },
  ...elements,
});

export const organizationBody = (elements: Partial<fhir4.Organization> = {}): fhir4.Organization => ({
  resourceType: 'Organization',
  name: 'Sample Clinic',
  ...elements,
});

/** A professional of the directory who is licensed. */
export const licensedBody = (elements: Partial<fhir4.Practitioner> = {}): fhir4.Practitioner => ({
  resourceType: 'Practitioner',
  active: true,
  qualification: [
    {
      identifier: [{ system: 'http://concord.test/licence', value: 'L-1' }],
      code: { text: 'Doctor of Medicine' },
      period: { start: '2015-01-01' },
    },
  ],
  ...elements,
});

/** A physician who may sign orders, new in the directory. */
export const prescriberOf = async (server: FhirServer, elements?: Partial<fhir4.Practitioner>): Promise<TestCaller> => {
  const person = await create(server, licensedBody(elements), admin);
  return { role: 'physician', claims: { fhirUser: referenceTo(person) } };
};

/** A position of a physician in the directory of an organisation. */
export const positionOf = (
  server: FhirServer,
  { claims }: TestCaller,
  elements: Partial<fhir4.PractitionerRole> = {},
  as = admin,
): Promise<Stored<fhir4.PractitionerRole>> =>
  create<fhir4.PractitionerRole>(
    server,
    {
      resourceType: 'PractitionerRole',
      practitioner: { reference: String(claims?.['fhirUser']) },
      code: [{ coding: [{ system: roleSystem, code: 'physician' }] }],
      ...elements,
    },
    as,
  );

/** A resource as the server shows it. */
export type Stored<T extends fhir4.Resource> = T & { readonly id: string; readonly meta: fhir4.Meta };

/** Creates a record, and fails the test if that is refused. */
export const create = async <T extends fhir4.Resource>(
  server: FhirServer,
  resource: T,
  as: TestCaller = physician,
): Promise<Stored<T>> => {
  const { status, body } = await server.post(resource.resourceType, resource, { as });
  expect(status, JSON.stringify(body)).toBe(201);
  return stored<T>(body);
};

/** An answer's body as the resource that it is. */
export const stored = <T extends fhir4.Resource>(body: TestBody): Stored<T> => body as unknown as Stored<T>;

type Named = TestBody | { readonly resourceType: string; readonly id?: string | undefined };

/** `Type/id`, as references are written. */
export const referenceTo = ({ resourceType, id }: Named): string => `${resourceType}/${id}`;

/** The address of a record in a request. */
export const pathOf = referenceTo;

/** The resources of a bundle's entries. */
export const resourcesIn = (bundle: TestBody): TestBody[] =>
  entriesOf(bundle).map(({ resource }) => resource as TestBody);

/** The resources of a bundle's entries that are there for themselves, and not because others refer to them. */
export const matchesIn = (bundle: TestBody): TestBody[] =>
  entriesOf(bundle)
    .filter((entry) => (entry as unknown as fhir4.BundleEntry).search?.mode === 'match')
    .map(({ resource }) => resource as TestBody);

export const entriesOf = ({ entry }: TestBody): TestBody[] => [...(entry ?? [])];

/** The link of a bundle to itself or to its next page; undefined if there is none. */
export const linkOf = (bundle: TestBody, relation: 'self' | 'next' | 'poll'): string | undefined =>
  (bundle as unknown as fhir4.Bundle).link?.find((link) => link.relation === relation)?.url;

export const nextLinkOf = (bundle: TestBody): string | undefined => linkOf(bundle, 'next');

/** All pages from the first one to the last. */
export const allPages = async (server: FhirServer, path: string, as: TestCaller = physician): Promise<TestBody[]> => {
  const pages: TestBody[] = [];
  for (let url: string | undefined = path; url !== undefined; ) {
    const { status, body } = await server.get(url, { as });
    expect(status, JSON.stringify(body)).toBe(200);
    pages.push(body);
    url = nextLinkOf(body);
  }
  return pages;
};

/** What an OperationOutcome says, without what differs from request to request. */
export const issuesOf = ({ issue }: TestBody) =>
  [...(issue ?? [])].map(({ code, details, expression }) => ({
    code,
    reason: details?.coding?.[0]?.code,
    text: details?.text,
    expression: expression?.[0],
  }));

/** Elements that a refusal names. */
export const expressionsIn = (outcome: TestBody): (string | undefined)[] =>
  issuesOf(outcome).map(({ expression }) => expression);

/** Runs `work` this many times at once, and waits for all of it. */
export const atOnce = <T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => work(index)));

/** How often each status was answered. */
export const tally = (responses: readonly { status: number }[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
