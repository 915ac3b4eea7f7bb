import { absent, concept, extension, identifier, reference } from './datatypes.ts';

const patient: fhir4.Patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta: {
    lastUpdated: '2024-02-03T04:05:06.789Z',
    profile: ['http://example.org/profile/a', 'http://example.org/profile/b'],
    security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    source: 'http://example.org/source',
    tag: [{ code: 'one' }, { code: 'two' }],
  },
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A sample</div>' },
  extension: [{ url: 'http://example.org/nested', extension: [extension('inner')] }],
  identifier: [identifier('mrn-1'), { system: 'http://example.org/other', value: '2' }],
  active: true,
  name: [
    {
      use: 'official',
      family: 'Sample',
      given: ['Ann', null, 'Bea'] as string[],
      _given: [null, absent, null],
      period: { start: '2001', end: '2020-05' },
    } as fhir4.HumanName,
    { use: 'maiden', _family: absent, given: ['Ann'] },
  ],
  telecom: [
    { system: 'phone', value: '555-1234' },
    { system: 'email', value: 'ann@example.org' },
    { system: 'phone', value: '555-4321', use: 'mobile' },
  ],
  gender: 'female',
  _birthDate: absent,
  deceasedDateTime: '2024-01-01T10:00:00+01:00',
  address: [
    { use: 'home', line: ['1 Road'], city: 'Town', state: 'ST', postalCode: '12345', country: 'XX' },
    { city: 'Old' },
  ],
  contact: [{ name: { family: 'Contact' } }, { organization: reference('Organization/o1') }],
  communication: [{ language: concept('en') }, { language: concept('de') }],
  generalPractitioner: [reference('Practitioner/pr1'), reference('Organization/o1')],
  managingOrganization: reference('Organization/o1'),
  link: [{ other: reference('Patient/p0'), type: 'replaces' }],
};

const containedOrganization: fhir4.Organization = { resourceType: 'Organization', id: 'org', name: 'Inside' };

const livingPatient: fhir4.Patient = {
  resourceType: 'Patient',
  id: 'p2',
  contained: [containedOrganization],
  birthDate: '1980-06',
  deceasedBoolean: false,
  managingOrganization: reference('#org'),
};

const deadPatient: fhir4.Patient = { resourceType: 'Patient', id: 'p3', deceasedBoolean: true };

const relatedPerson: fhir4.RelatedPerson = {
  resourceType: 'RelatedPerson',
  patient: reference('Patient/p1'),
  name: [{ family: 'Kin', given: ['Kim'] }],
  birthDate: '1950',
  telecom: [{ system: 'email', value: 'kim@example.org' }],
  relationship: [concept('MTH')],
};

const person: fhir4.Person = {
  resourceType: 'Person',
  name: [{ text: 'Only text' }],
  link: [
    { target: reference('Patient/p1') },
    { target: reference('https://example.org/fhir/Practitioner/pr1/_history/3') },
    { target: { type: 'RelatedPerson', identifier: identifier('rp') } },
    { target: reference('urn:uuid:3f5a4bb0-0ad4-4f2e-8d07-000000000001') },
  ],
};

const practitioner: fhir4.Practitioner = {
  resourceType: 'Practitioner',
  id: 'pr1',
  identifier: [identifier('npi-1')],
  name: [{ family: 'Doctor', given: ['Dora'], prefix: ['Dr'] }],
  address: [{ city: 'Town' }],
  communication: [concept('en')],
};

const practitionerRole: fhir4.PractitionerRole = {
  resourceType: 'PractitionerRole',
  period: { start: '2020-01-01' },
  practitioner: reference('Practitioner/pr1'),
  organization: reference('Organization/o1'),
  code: [concept('doctor')],
  specialty: [concept('cardiology')],
  telecom: [
    { system: 'phone', value: '1' },
    { system: 'fax', value: '2' },
  ],
};

const organization: fhir4.Organization = {
  resourceType: 'Organization',
  id: 'o1',
  identifier: [identifier('org-1')],
  name: 'Sample Clinic',
  alias: ['The Clinic', 'Clinic'],
  telecom: [{ system: 'phone', value: '555', use: 'work' }],
  address: [{ use: 'work', city: 'Town', country: 'XX' }],
  partOf: reference('Organization/o0'),
};

const location: fhir4.Location = {
  resourceType: 'Location',
  name: 'Ward 1',
  alias: ['W1'],
  status: 'active',
  position: { longitude: 1.5, latitude: -2.5 },
  address: { city: 'Town', postalCode: '12345' },
  managingOrganization: reference('Organization/o1'),
};

const group: fhir4.Group = {
  resourceType: 'Group',
  type: 'person',
  actual: true,
  characteristic: [
    { code: concept('gender'), valueCodeableConcept: concept('female'), exclude: false },
    { code: concept('adult'), valueBoolean: true, exclude: true },
    { code: concept('age'), valueRange: { low: { value: 18 }, high: { value: 65 } }, exclude: false },
  ],
  member: [{ entity: reference('Patient/p1') }, { entity: reference('Patient/p2'), inactive: true }],
};

/** Synthetic people and organisations. */
export const people: readonly fhir4.FhirResource[] = [
  patient,
  livingPatient,
  deadPatient,
  relatedPerson,
  person,
  practitioner,
  practitionerRole,
  organization,
  location,
  group,
];
