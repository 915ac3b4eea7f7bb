import type { Resource } from '../../shared/fhir/resource.ts';
import type { TerminologyFacts } from '../../shared/search/facts.ts';
import type { HeldRecord } from './resolve-lookups.ts';

const reference = (to: string) => ({ reference: to });

/** The records beside the one that a case is about, which is `r1` of its type. */
const others: readonly Resource[] = [
  {
    resourceType: 'Patient',
    id: 'peter',
    identifier: [{ system: 'http://acme.org/mrn', value: '1' }],
    name: [{ family: 'Chalmers', given: ['Peter'] }],
    gender: 'male',
    generalPractitioner: [reference('Practitioner/joe')],
  },
  { resourceType: 'Patient', id: 'eve', name: [{ family: 'Everywoman', given: ['Eve'] }], gender: 'female' },
  { resourceType: 'Practitioner', id: 'joe', name: [{ family: 'Doe', given: ['Joe'] }] },
  {
    resourceType: 'Group',
    id: 'study',
    actual: true,
    member: [{ entity: reference('Patient/r1') }, { entity: reference('Patient/eve') }],
  },
  { resourceType: 'Location', id: '42', name: 'Building' },
  { resourceType: 'Location', id: 'floor', name: 'Floor', partOf: reference('Location/42') },
  { resourceType: 'Location', id: 'room', name: 'Room', partOf: reference('http://example.org/fhir/Location/floor') },
  { resourceType: 'Encounter', id: '20', status: 'finished' },
  { resourceType: 'Encounter', id: '21', partOf: reference('Encounter/20') },
  { resourceType: 'Questionnaire', id: 'q', url: 'http://acme.org/q', version: '1.0', title: 'Intake' },
  {
    resourceType: 'Observation',
    id: 'o1',
    code: { coding: [{ system: 'http://loinc.org', code: '1234-5' }] },
    subject: reference('Patient/r1'),
    valueQuantity: { value: 7 },
  },
  {
    resourceType: 'Observation',
    id: 'o2',
    code: { coding: [{ system: 'http://loinc.org', code: '999-9' }] },
    subject: reference('Patient/r1'),
    performer: [reference('Practitioner/joe')],
  },
  {
    resourceType: 'AuditEvent',
    id: 'a1',
    agent: [{ requestor: true, who: reference('Practitioner/joe'), altId: 'MyUserId' }],
    entity: [{ what: reference('Observation/o1') }],
  },
  {
    resourceType: 'List',
    id: '42',
    entry: [
      { item: reference('Patient/r1') },
      { item: reference('Observation/r1'), deleted: true },
      { item: { display: 'something' } },
    ],
  },
];

/** Those records as a store would hold them. */
export const otherRecords: readonly HeldRecord[] = others.map((resource) => ({
  resource,
  lastUpdated: Date.parse('2024-01-01T00:00:00Z'),
}));

const valueSets: Readonly<Record<string, readonly string[]>> = {
  'http://acme.org/fhir/ValueSet/cardiac-conditions': ['http://acme.org|ha125', 'http://acme.org|ha126'],
  'ValueSet/genders': ['http://hl7.org/fhir/administrative-gender|male'],
};

/** What is above each code. */
const hierarchy: Readonly<Record<string, readonly string[]>> = {
  hepatoma: ['126851005', 'neoplasm'],
  126851005: ['neoplasm'],
};

/** The terminology that the cases know. */
export const terminology: TerminologyFacts = {
  members: (valueSet) => {
    const codes = valueSets[valueSet];
    return (
      codes && {
        has: (system, code) =>
          system === undefined ? codes.some((each) => each.endsWith(`|${code}`)) : codes.includes(`${system}|${code}`),
      }
    );
  },
  ancestors: (system, code) => ({
    has: (other) => system !== 'http://flat.org' && (hierarchy[code]?.includes(other) ?? false),
  }),
  systemsOf: () => [],
};
