// Legal resources of many types, written for these tests: each uses what a careless schema would refuse or let pass.

const code = (system: string, value: string, display?: string) => ({
  coding: [{ system, code: value, ...(display === undefined ? {} : { display }) }],
});

const terminology = (name: string): string => `http://terminology.hl7.org/CodeSystem/${name}`;

export const patient = {
  resourceType: 'Patient',
  id: 'example-1.a',
  meta: { versionId: '3', lastUpdated: '2024-02-29T23:59:60.123+14:00', profile: ['http://example.org/profile|1.0'] },
  implicitRules: 'http://example.org/rules',
  language: 'en-GB',
  text: {
    status: 'generated',
    div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Ada &amp; others &#8364;</p><img src="#photo" alt="portrait"/></div>',
  },
  extension: [
    { url: 'http://example.org/race', extension: [{ url: 'text', valueString: 'mixed' }] },
    { url: 'http://example.org/born-in', valueAddress: { city: 'Leeds' } },
    {
      url: 'http://example.org/unknown',
      _valueDate: { extension: [{ url: 'http://example.org/why', valueCode: 'unknown' }] },
    },
  ],
  identifier: [{ use: 'official', system: 'urn:oid:2.16.840.1.113883.2.1.4.1', value: '9000000009' }],
  active: true,
  name: [
    {
      use: 'official',
      family: 'Lovelace',
      given: ['Ada', null, 'Augusta'],
      _given: [null, { extension: [{ url: 'http://example.org/unreadable', valueBoolean: true }] }, { id: 'third' }],
      period: { start: '1835-07', end: '1852-11-27' },
    },
  ],
  gender: 'female',
  birthDate: '1815-12-10',
  _birthDate: {
    id: 'born',
    extension: [{ url: 'http://example.org/time', valueDateTime: '1815-12-10T14:35:45-05:00' }],
  },
  deceasedDateTime: '1852',
  multipleBirthInteger: 0,
  contact: [{ relationship: [{ text: 'mother' }], organization: { reference: 'Organization/1' } }],
  communication: [{ language: code('urn:ietf:bcp:47', 'en') }],
  generalPractitioner: [{ reference: 'https://example.org/fhir/Practitioner/7/_history/2', type: 'Practitioner' }],
  link: [{ other: { reference: 'urn:uuid:8c7b3a9e-5b0f-4a57-9b5e-0d7a4a1b2c3d' }, type: 'seealso' }],
};

export const observation = {
  resourceType: 'Observation',
  status: 'final',
  category: [code(terminology('observation-category'), 'vital-signs')],
  code: code('http://loinc.org', '85354-9', 'Blood pressure'),
  subject: { reference: 'Patient/1', display: 'the patient' },
  encounter: { reference: 'Encounter?identifier=http://example.org|7' },
  effectiveDateTime: '2024-05-01T08:00:00Z',
  issued: '2024-05-01T08:00:01.5+02:00',
  performer: [{ identifier: { system: 'http://example.org', value: '5' } }, { reference: '#nurse' }],
  contained: [
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Seacole', given: [null], _given: [{ id: 'a' }] }] },
  ],
  component: [
    {
      code: code('http://loinc.org', '8480-6'),
      valueQuantity: { value: 120, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
      referenceRange: [{ high: { value: 1.3e2 } }],
    },
    {
      code: code('http://loinc.org', '8462-4'),
      _valueString: { extension: [{ url: 'http://example.org/no', valueCode: 'x' }] },
    },
  ],
};

/** By a name for the test's title. */
export const validResources: Readonly<Record<string, { resourceType: string } & Record<string, unknown>>> = {
  'Patient with extended primitives': patient,
  'Patient without elements': { resourceType: 'Patient' },
  'Observation with components and a contained resource': observation,
  'Observation whose status has only an extension': {
    resourceType: 'Observation',
    _status: {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
    },
    code: { text: 'weight' },
    valueInteger: -2147483648,
  },
  'Condition with statuses from their value sets': {
    resourceType: 'Condition',
    clinicalStatus: code(terminology('condition-clinical'), 'recurrence'),
    verificationStatus: {
      coding: [
        { system: 'http://example.org/local', code: 'sure' },
        { system: terminology('condition-ver-status'), code: 'confirmed' },
      ],
    },
    subject: { reference: 'Patient/1' },
    onsetAge: { value: 44, system: 'http://unitsofmeasure.org', code: 'a' },
  },
  'MedicationRequest with a dosage': {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationReference: { reference: '#m' },
    contained: [{ resourceType: 'Medication', id: 'm', code: { text: 'amoxicillin' } }],
    subject: { reference: 'Patient/1' },
    dosageInstruction: [
      {
        sequence: 1,
        asNeededBoolean: false,
        timing: { repeat: { frequency: 3, period: 1, periodUnit: 'd', when: ['MORN', 'HS'], offset: 0 } },
        doseAndRate: [{ doseQuantity: { value: 0.5, unit: 'g' } }],
      },
    ],
  },
  'Encounter with a class': {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: terminology('v3-ActCode'), code: 'AMB' },
    participant: [{ individual: { reference: 'Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9' } }],
    hospitalization: { origin: { reference: 'Location/3' } },
  },
  'Binary of base64 over several lines': {
    resourceType: 'Binary',
    contentType: 'text/plain; charset=utf-8',
    data: 'SGVsbG8s\nIHdvcmxk\r\nIQ==',
  },
  'Bundle with an entry of another type': {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9',
        resource: {
          resourceType: 'Group',
          contained: [{ resourceType: 'Patient', id: 'p' }],
          type: 'person',
          actual: true,
        },
        request: { method: 'POST', url: 'Group' },
      },
    ],
  },
  'Parameters with values of many types': {
    resourceType: 'Parameters',
    parameter: [
      { name: 'a', valueTime: '23:59:60' },
      { name: 'b', valueOid: 'urn:oid:1.2.0' },
      { name: 'c', valueUuid: 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520' },
      { name: 'd', valueInstant: '2000-02-29T00:00:00Z' },
      { name: 'e', part: [{ name: 'f', resource: { resourceType: 'Patient' } }] },
      { name: 'g', valueMoney: { value: 1, currency: 'EUR' } },
    ],
  },
  'Questionnaire with nested items': {
    resourceType: 'Questionnaire',
    status: 'draft',
    item: [
      {
        linkId: '1',
        type: 'group',
        item: [
          { linkId: '1.1', type: 'choice', answerOption: [{ valueCoding: { code: 'y' }, initialSelected: true }] },
        ],
      },
    ],
  },
  'Appointment without a patient': {
    resourceType: 'Appointment',
    status: 'booked',
    start: '2030-01-01T09:00:00+01:00',
    end: '2030-01-01T09:30:00+01:00',
    minutesDuration: 30,
    participant: [{ actor: { reference: 'Location/1' }, status: 'accepted' }],
  },
  'Consent with nested provisions': {
    resourceType: 'Consent',
    status: 'active',
    scope: code(terminology('consentscope'), 'patient-privacy'),
    category: [code('http://loinc.org', '59284-0')],
    policyRule: code(terminology('v3-ActCode'), 'OPTIN'),
    provision: { provision: [{ type: 'deny', provision: [{ type: 'permit' }] }] },
  },
  'Device, Task and others by status alone': { resourceType: 'Device', status: 'active' },
  Task: {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    focus: { reference: 'Basic/1' },
    input: [{ type: { text: 'x' }, valueReference: { reference: 'Basic/1' } }],
  },
  Claim: {
    resourceType: 'Claim',
    status: 'active',
    type: code(terminology('claim-type'), 'oral'),
    use: 'claim',
    patient: { reference: 'Patient/1' },
    created: '2014-08-16',
    provider: { reference: 'Organization/1' },
    priority: { text: 'normal' },
    insurance: [{ sequence: 1, focal: true, coverage: { reference: 'Coverage/1' } }],
    total: { value: 135.57, currency: 'USD' },
  },
  Group: { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/1' } }] },
  Composition: {
    resourceType: 'Composition',
    status: 'preliminary',
    type: { text: 'note' },
    date: '2024-01',
    author: [{ reference: 'Practitioner/1' }],
    title: 'Note',
    confidentiality: 'N',
    section: [{ title: 'Plan', section: [{ title: 'Next', entry: [{ reference: 'CarePlan/1' }] }] }],
  },
  Provenance: {
    resourceType: 'Provenance',
    target: [{ reference: 'Observation/1/_history/2' }],
    recorded: '2024-01-01T00:00:00Z',
    agent: [{ who: { type: 'Patient', identifier: { value: '1' } } }],
  },
  DocumentReference: {
    resourceType: 'DocumentReference',
    status: 'current',
    content: [{ attachment: { contentType: 'application/pdf', url: 'Binary/1', size: 0 } }],
  },
  StructureDefinition: {
    resourceType: 'StructureDefinition',
    url: 'http://example.org/StructureDefinition/x',
    name: 'X',
    status: 'draft',
    kind: 'resource',
    abstract: false,
    type: 'Patient',
    differential: { element: [{ id: 'Patient', path: 'Patient', min: 0, max: '*', fixedString: 'x' }] },
  },
};
