// A legal resource for each profile of US Core, with the optional elements that its profile says something about. Written for these tests.

type Json = Record<string, unknown>;

const usCore = 'http://hl7.org/fhir/us/core';
const hl7 = (name: string): string => `http://terminology.hl7.org/CodeSystem/${name}`;
const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
const ucum = 'http://unitsofmeasure.org';
const raceSystem = 'urn:oid:2.16.840.1.113883.6.238';

const concept = (system: string, code: string, text?: string) => ({
  coding: [{ system, code }],
  ...(text === undefined ? {} : { text }),
});
const quantity = (value: number, code: string) => ({ value, unit: code, system: ucum, code });
const to = (reference: string) => ({ reference });
const extension = (name: string, value: Json) => ({ url: `${usCore}/StructureDefinition/${name}`, ...value });

const subject = to('Patient/1');
const effectiveDateTime = '2024-05-06T07:08:09Z';
const identifier = [{ system: 'http://concord.test/number', value: '1' }];
const telecom = [{ system: 'phone', value: '555 0100', use: 'home' }];
const address = [{ line: ['1 Main Street'], city: 'Albany', state: 'NY', postalCode: '12207', country: 'US' }];
const category = (code: string) => [concept(hl7('observation-category'), code)];

/** An Observation of a kind of vital signs. */
const vitalSign = (code: string, elements: Json): Json => ({
  resourceType: 'Observation',
  status: 'final',
  category: category('vital-signs'),
  code: concept(loinc, code),
  subject,
  effectiveDateTime,
  ...elements,
});

const measured = (code: string, value: number, unit: string): Json =>
  vitalSign(code, { valueQuantity: quantity(value, unit) });

const observation = (code: string, elements: Json): Json => ({
  resourceType: 'Observation',
  status: 'final',
  code: concept(loinc, code),
  subject,
  effectiveDateTime,
  ...elements,
});

const component = (code: string, value: number, unit: string) => ({
  code: concept(loinc, code),
  valueQuantity: quantity(value, unit),
});

/** By the last part of the profile's address. */
export const usCoreResources: Readonly<Record<string, Json>> = {
  'head-occipital-frontal-circumference-percentile': measured('8289-1', 40, '%'),
  'pediatric-bmi-for-age': measured('59576-9', 55, '%'),
  'pediatric-weight-for-height': measured('77606-2', 60, '%'),
  'us-core-blood-pressure': vitalSign('85354-9', {
    component: [component('8480-6', 120, 'mm[Hg]'), component('8462-4', 80, 'mm[Hg]')],
  }),
  'us-core-bmi': measured('39156-5', 24, 'kg/m2'),
  'us-core-body-height': measured('8302-2', 170, 'cm'),
  'us-core-body-temperature': measured('8310-5', 37, 'Cel'),
  'us-core-body-weight': measured('29463-7', 70, 'kg'),
  'us-core-head-circumference': measured('9843-4', 40, 'cm'),
  'us-core-heart-rate': measured('8867-4', 72, '/min'),
  'us-core-respiratory-rate': measured('9279-1', 16, '/min'),
  'us-core-pulse-oximetry': vitalSign('59408-5', {
    code: {
      coding: [
        { system: loinc, code: '59408-5' },
        { system: loinc, code: '2708-6' },
      ],
    },
    valueQuantity: quantity(97, '%'),
    component: [component('3151-8', 2, 'L/min'), component('3150-0', 28, '%')],
  }),
  'us-core-vital-signs': vitalSign('85353-1', {
    hasMember: [to('Observation/2')],
    component: [component('8867-4', 72, '/min')],
  }),
  'us-core-allergyintolerance': {
    resourceType: 'AllergyIntolerance',
    clinicalStatus: concept(hl7('allergyintolerance-clinical'), 'active'),
    verificationStatus: concept(hl7('allergyintolerance-verification'), 'confirmed'),
    code: concept(snomed, '91936005'),
    patient: subject,
    reaction: [{ manifestation: [concept(snomed, '271807003')] }],
  },
  'us-core-careplan': {
    resourceType: 'CarePlan',
    text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml">Rest</div>' },
    status: 'active',
    intent: 'plan',
    category: [concept(`${usCore}/CodeSystem/careplan-category`, 'assess-plan')],
    subject,
  },
  'us-core-careteam': {
    resourceType: 'CareTeam',
    status: 'active',
    subject,
    participant: [{ role: [concept(snomed, '17561000')], member: to('Practitioner/1') }],
  },
  'us-core-condition-encounter-diagnosis': {
    resourceType: 'Condition',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: '2024-05-06' }],
    clinicalStatus: concept(hl7('condition-clinical'), 'active'),
    verificationStatus: concept(hl7('condition-ver-status'), 'confirmed'),
    category: [concept(hl7('condition-category'), 'encounter-diagnosis')],
    code: concept(snomed, '195662009'),
    subject,
    encounter: to('Encounter/1'),
  },
  'us-core-condition-problems-health-concerns': {
    resourceType: 'Condition',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: '2024-05-06' }],
    clinicalStatus: concept(hl7('condition-clinical'), 'active'),
    category: [
      concept(hl7('condition-category'), 'problem-list-item'),
      concept(`${usCore}/CodeSystem/us-core-category`, 'sdoh'),
      concept('http://concord.test/category', 'own'),
    ],
    code: concept(snomed, '38341003'),
    subject,
  },
  'us-core-coverage': {
    resourceType: 'Coverage',
    identifier: [{ type: concept(hl7('v2-0203'), 'MB'), system: 'http://concord.test/member', value: '7' }],
    status: 'active',
    type: concept('https://nahdo.org/sopt', '349'),
    beneficiary: subject,
    relationship: concept(hl7('subscriber-relationship'), 'self'),
    payor: [to('Organization/1')],
    class: [
      { type: concept(hl7('coverage-class'), 'group'), value: 'G' },
      { type: concept(hl7('coverage-class'), 'plan'), value: 'P' },
    ],
  },
  'us-core-diagnosticreport-lab': {
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [concept(hl7('v2-0074'), 'LAB')],
    code: concept(loinc, '58410-2'),
    subject,
    effectiveDateTime,
    issued: '2024-05-06T08:00:00Z',
  },
  'us-core-diagnosticreport-note': {
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [concept(loinc, 'LP29684-5')],
    code: concept(loinc, '18748-4'),
    subject,
    effectiveDateTime,
  },
  'us-core-documentreference': {
    resourceType: 'DocumentReference',
    status: 'current',
    type: concept(loinc, '34117-2'),
    category: [concept(`${usCore}/CodeSystem/us-core-documentreference-category`, 'clinical-note')],
    subject,
    content: [
      {
        attachment: { contentType: 'text/plain', data: 'Tm90ZQ==' },
        format: {
          system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
          code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient',
        },
      },
    ],
    context: { encounter: [to('Encounter/1')] },
  },
  'us-core-encounter': {
    resourceType: 'Encounter',
    identifier,
    status: 'finished',
    class: { system: hl7('v3-ActCode'), code: 'AMB' },
    type: [concept('http://www.ama-assn.org/go/cpt', '99213')],
    subject,
  },
  'us-core-goal': {
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    description: { text: 'Walks daily' },
    subject,
  },
  'us-core-immunization': {
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140'),
    patient: subject,
    occurrenceDateTime: '2024-05-06',
  },
  'us-core-implantable-device': {
    resourceType: 'Device',
    udiCarrier: [{ deviceIdentifier: '09504000059118' }],
    type: concept(snomed, '14106009'),
    patient: subject,
  },
  'us-core-location': { resourceType: 'Location', name: 'Ward 1', address: address[0] },
  'us-core-medication': {
    resourceType: 'Medication',
    code: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '314076'),
  },
  'us-core-medicationdispense': {
    resourceType: 'MedicationDispense',
    status: 'completed',
    medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '314076'),
    subject,
    type: concept(hl7('v3-ActCode'), 'FF'),
    quantity: quantity(30, '1'),
    whenHandedOver: '2024-05-06T09:00:00Z',
    dosageInstruction: [{ doseAndRate: [{ doseQuantity: quantity(1, '1') }] }],
  },
  'us-core-medicationrequest': {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    category: [concept(hl7('medicationrequest-category'), 'community')],
    medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '314076'),
    subject,
    requester: to('Practitioner/1'),
    reasonCode: [concept(snomed, '38341003')],
    dosageInstruction: [{ doseAndRate: [{ doseQuantity: quantity(1, '1') }] }],
  },
  'us-core-observation-clinical-result': observation('24604-1', {
    category: category('imaging'),
    valueQuantity: quantity(3, 'mm'),
  }),
  'us-core-observation-lab': observation('718-7', {
    category: category('laboratory'),
    valueQuantity: quantity(14, 'g/dL'),
  }),
  'us-core-observation-occupation': observation('11341-5', {
    category: category('social-history'),
    valueCodeableConcept: concept('urn:oid:2.16.840.1.114222.4.5.327', '11-1011.00.026659'),
    component: [
      {
        code: concept(loinc, '86188-0'),
        valueCodeableConcept: concept('urn:oid:2.16.840.1.114222.4.5.315', '9370'),
      },
    ],
  }),
  'us-core-observation-pregnancyintent': observation('86645-9', {
    category: category('social-history'),
    valueCodeableConcept: concept(hl7('v3-NullFlavor'), 'UNK'),
  }),
  'us-core-observation-pregnancystatus': observation('82810-3', {
    category: category('social-history'),
    valueCodeableConcept: concept(snomed, '60001007'),
  }),
  'us-core-observation-screening-assessment': observation('93025-5', {
    category: [...category('survey'), concept(`${usCore}/CodeSystem/us-core-category`, 'sdoh')],
    valueQuantity: quantity(3, '{score}'),
  }),
  'us-core-observation-sexual-orientation': observation('76690-7', {
    valueCodeableConcept: concept(snomed, '20430005'),
  }),
  'us-core-simple-observation': observation('85354-9', { category: category('exam') }),
  'us-core-smokingstatus': observation('72166-2', {
    category: category('social-history'),
    valueCodeableConcept: concept(snomed, '266919005'),
  }),
  'us-core-organization': {
    resourceType: 'Organization',
    identifier: [
      { system: 'http://hl7.org/fhir/sid/us-npi', value: '1245319599' },
      { system: 'urn:oid:2.16.840.1.113883.4.7', value: '12D4567890' },
      { system: 'urn:oid:2.16.840.1.113883.6.300', value: '12345' },
    ],
    active: true,
    name: 'Sample Clinic',
    address,
  },
  'us-core-patient': {
    resourceType: 'Patient',
    extension: [
      extension('us-core-race', {
        extension: [
          { url: 'ombCategory', valueCoding: { system: raceSystem, code: '2106-3' } },
          { url: 'detailed', valueCoding: { system: raceSystem, code: '2108-9' } },
          { url: 'text', valueString: 'White' },
        ],
      }),
      extension('us-core-ethnicity', {
        extension: [
          { url: 'ombCategory', valueCoding: { system: raceSystem, code: '2186-5' } },
          { url: 'detailed', valueCoding: { system: hl7('v3-NullFlavor'), code: 'UNK' } },
          { url: 'text', valueString: 'Not Hispanic or Latino' },
        ],
      }),
      extension('us-core-tribal-affiliation', {
        extension: [
          { url: 'tribalAffiliation', valueCodeableConcept: concept(hl7('v3-TribalEntityUS'), '338') },
          { url: 'isEnrolled', valueBoolean: true },
        ],
      }),
      extension('us-core-birthsex', { valueCode: 'F' }),
      extension('us-core-sex', { valueCode: '248152002' }),
      extension('us-core-genderIdentity', { valueCodeableConcept: concept(snomed, '446141000124107') }),
    ],
    identifier,
    name: [{ family: 'Sample', given: ['Ann'] }],
    telecom,
    gender: 'female',
    address,
    communication: [{ language: concept('urn:ietf:bcp:47', 'en') }],
  },
  'us-core-practitioner': {
    resourceType: 'Practitioner',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1245319599' }],
    name: [{ family: 'Sample' }],
    address,
  },
  'us-core-practitionerrole': {
    resourceType: 'PractitionerRole',
    practitioner: to('Practitioner/1'),
    code: [concept('http://nucc.org/provider-taxonomy', '207R00000X')],
    specialty: [concept('http://nucc.org/provider-taxonomy', '207R00000X')],
    telecom,
  },
  'us-core-procedure': {
    resourceType: 'Procedure',
    status: 'completed',
    code: concept(snomed, '80146002'),
    subject,
    performedDateTime: '2024-05-06',
  },
  'us-core-provenance': {
    resourceType: 'Provenance',
    target: [to('Observation/1')],
    recorded: '2024-05-06T07:08:09Z',
    agent: [
      {
        type: concept(hl7('provenance-participant-type'), 'author'),
        who: to('Practitioner/1'),
        onBehalfOf: to('Organization/1'),
      },
      {
        type: concept(`${usCore}/CodeSystem/us-core-provenance-participant-type`, 'transmitter'),
        who: to('Organization/1'),
      },
    ],
  },
  'us-core-questionnaireresponse': {
    resourceType: 'QuestionnaireResponse',
    questionnaire: 'http://concord.test/Questionnaire/1',
    _questionnaire: {
      extension: [extension('us-core-extension-questionnaire-uri', { valueUri: 'http://concord.test' })],
    },
    status: 'completed',
    subject,
    authored: '2024-05-06T07:08:09Z',
  },
  'us-core-relatedperson': {
    resourceType: 'RelatedPerson',
    active: true,
    patient: subject,
    name: [{ text: 'Bo Sample' }],
  },
  'us-core-servicerequest': {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    category: [concept(snomed, '108252007')],
    code: concept(snomed, '104177005'),
    subject,
    reasonCode: [concept(snomed, '38341003')],
  },
  'us-core-specimen': { resourceType: 'Specimen', type: concept(snomed, '119297000'), subject },
};
