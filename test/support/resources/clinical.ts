import { absent, concept, extension, identifier, quantity, reference, ucum } from './datatypes.ts';

const bloodPressure: fhir4.Observation = {
  resourceType: 'Observation',
  id: 'bp',
  status: 'final',
  identifier: [identifier('obs-1')],
  basedOn: [reference('ServiceRequest/sr1')],
  category: [concept('vital-signs'), concept('other')],
  code: concept('85354-9', 'http://loinc.org'),
  subject: reference('Patient/p1'),
  encounter: reference('Encounter/e1'),
  effectivePeriod: { start: '2024-01-01T10:00:00Z', end: '2024-01-01T10:05:00Z' },
  performer: [reference('Practitioner/pr1'), reference('Organization/o1')],
  component: [
    { code: concept('8480-6'), valueQuantity: quantity(120, 'mm[Hg]') },
    { code: concept('8462-4'), valueQuantity: quantity(80, 'mm[Hg]'), interpretation: [concept('N')] },
    { code: concept('position'), valueCodeableConcept: concept('sitting') },
    { code: concept('cuff'), dataAbsentReason: concept('unknown') },
  ],
  referenceRange: [
    {
      low: quantity(90, 'mm[Hg]'),
      high: quantity(140, 'mm[Hg]'),
      age: { low: quantity(18, 'a'), high: quantity(64, 'a') },
    },
    { text: 'see the laboratory' },
    { _text: absent },
  ],
};

const observationOf = (value: Partial<fhir4.Observation>): fhir4.Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: concept('x'),
  subject: { reference: 'Patient/p1', type: 'Patient' },
  ...value,
});

const procedure: fhir4.Procedure = {
  resourceType: 'Procedure',
  status: 'completed',
  code: concept('appendectomy'),
  subject: reference('Patient/p1'),
  performedDateTime: '2023-05',
  performer: [{ actor: reference('Practitioner/pr1'), onBehalfOf: reference('Organization/o1') }],
  reasonReference: [reference('Condition/c1')],
};

const condition: fhir4.Condition = {
  resourceType: 'Condition',
  id: 'c1',
  clinicalStatus: concept('resolved', 'http://terminology.hl7.org/CodeSystem/condition-clinical'),
  verificationStatus: concept('confirmed', 'http://terminology.hl7.org/CodeSystem/condition-ver-status'),
  category: [concept('problem-list-item', 'http://terminology.hl7.org/CodeSystem/condition-category')],
  code: concept('38341003', 'http://snomed.info/sct'),
  subject: reference('Patient/p1'),
  onsetAge: { value: 40, unit: 'years', system: ucum, code: 'a' },
  abatementRange: { low: quantity(41, 'a'), high: quantity(42, 'a') },
  stage: [{ summary: concept('II') }],
  evidence: [{ code: [concept('pain')], detail: [reference('Observation/bp')] }],
};

const olderCondition: fhir4.Condition = {
  resourceType: 'Condition',
  code: concept('old'),
  subject: reference('Group/g1'),
  onsetString: 'in childhood',
  recordedDate: '2020-02-02',
};

const allergy: fhir4.AllergyIntolerance = {
  resourceType: 'AllergyIntolerance',
  clinicalStatus: concept('active', 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical'),
  verificationStatus: concept('confirmed', 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification'),
  category: ['food', 'environment'],
  criticality: 'high',
  code: concept('peanut'),
  patient: reference('Patient/p1'),
  onsetPeriod: { start: '2010' },
  lastOccurrence: '2023-03-03',
  reaction: [
    {
      substance: concept('peanut oil'),
      manifestation: [concept('hives'), concept('itch')],
      severity: 'severe',
      onset: '2011-01-01',
    },
    { manifestation: [concept('cough')] },
  ],
};

const familyHistory: fhir4.FamilyMemberHistory = {
  resourceType: 'FamilyMemberHistory',
  status: 'completed',
  patient: reference('Patient/p1'),
  relationship: concept('FTH'),
  ageAge: { value: 70, system: ucum, code: 'a' },
  estimatedAge: true,
  condition: [{ code: concept('stroke') }, { code: concept('gout'), onsetAge: { value: 50, system: ucum, code: 'a' } }],
};

const encounter: fhir4.Encounter = {
  resourceType: 'Encounter',
  id: 'e1',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  type: [concept('check-up')],
  subject: reference('Patient/p1'),
  participant: [
    { type: [concept('ATND')], individual: reference('Practitioner/pr1') },
    { individual: reference('RelatedPerson/r1') },
    { individual: reference('PractitionerRole/x1') },
  ],
  appointment: [reference('Appointment/a1')],
  period: { start: '2024-01-01T09:00:00Z', end: '2024-01-01T11:00:00Z' },
  length: { value: 2, unit: 'hours', system: ucum, code: 'h' },
  diagnosis: [{ condition: reference('Condition/c1') }, { condition: reference('Procedure/x1') }],
  location: [{ location: reference('Location/l1'), period: { start: '2024-01-01' } }],
};

const diagnosticReport: fhir4.DiagnosticReport = {
  resourceType: 'DiagnosticReport',
  status: 'final',
  category: [concept('LAB')],
  code: concept('panel'),
  subject: reference('https://example.org/fhir/Patient/p1'),
  effectiveDateTime: '2024-01-01',
  issued: '2024-01-01T12:00:00.5Z',
  result: [reference('Observation/bp')],
  media: [{ link: reference('Media/m1') }],
  conclusionCode: [concept('fine')],
};

const specimen: fhir4.Specimen = {
  resourceType: 'Specimen',
  accessionIdentifier: identifier('acc'),
  subject: reference('Device/d1'),
  type: concept('blood'),
  collection: {
    collectedPeriod: { start: '2024-01-01' },
    bodySite: concept('arm'),
    collector: reference('Practitioner/pr1'),
  },
  container: [{ identifier: [identifier('tube')], type: concept('tube') }],
};

const carePlan: fhir4.CarePlan = {
  resourceType: 'CarePlan',
  status: 'active',
  intent: 'plan',
  subject: reference('Patient/p1'),
  period: { start: '2024-01-01' },
  activity: [
    { reference: reference('ServiceRequest/sr1') },
    {
      detail: {
        status: 'scheduled',
        code: concept('walk'),
        scheduledTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'd', when: ['MORN'], offset: 30 } },
        performer: [reference('Patient/p1')],
      },
    },
    { detail: { status: 'not-started', scheduledString: 'now and then' } },
  ],
};

const careTeam: fhir4.CareTeam = {
  resourceType: 'CareTeam',
  subject: reference('Patient/p1'),
  participant: [
    { member: reference('Practitioner/pr1'), onBehalfOf: reference('Organization/o1') },
    { member: reference('urn:uuid:3f5a4bb0-0ad4-4f2e-8d07-000000000001'), onBehalfOf: reference('Organization/o1') },
    { member: reference('Patient/p1') },
  ],
};

const goal: fhir4.Goal = {
  resourceType: 'Goal',
  lifecycleStatus: 'active',
  description: concept('less weight'),
  subject: reference('Patient/p1'),
  startDate: '2024-01-01',
  target: [
    { measure: concept('weight'), detailQuantity: quantity(80, 'kg'), dueDate: '2024-06-01' },
    { dueDuration: { value: 3, system: ucum, code: 'mo' } },
  ],
};

const riskAssessment: fhir4.RiskAssessment = {
  resourceType: 'RiskAssessment',
  status: 'final',
  subject: reference('Patient/p1'),
  occurrenceDateTime: '2024-01-01',
  prediction: [
    { outcome: concept('stroke'), probabilityDecimal: 12.5 },
    { probabilityRange: { low: quantity(10, '%'), high: quantity(20, '%') } },
  ],
};

const immunization: fhir4.Immunization = {
  resourceType: 'Immunization',
  status: 'completed',
  vaccineCode: concept('140'),
  patient: reference('Patient/p1'),
  occurrenceString: 'as a child',
  lotNumber: 'L1',
  performer: [{ actor: reference('Practitioner/pr1') }],
  reasonCode: [concept('429060002')],
  education: [{ documentType: 'leaflet' }],
  reaction: [{ date: '2020-01-01', detail: reference('Observation/bp') }],
  protocolApplied: [{ series: 'one', doseNumberPositiveInt: 1, targetDisease: [concept('flu')] }],
};

const sequence: fhir4.MolecularSequence = {
  resourceType: 'MolecularSequence',
  coordinateSystem: 1,
  patient: reference('Patient/p1'),
  referenceSeq: {
    chromosome: concept('17'),
    genomeBuild: 'GRCh38',
    windowStart: 10,
    windowEnd: 20,
  },
  variant: [{ start: 11, end: 12 }, { start: 15 }],
};

/** Synthetic clinical records. */
export const clinical: readonly fhir4.FhirResource[] = [
  bloodPressure,
  observationOf({ valueQuantity: { value: 5, comparator: '<', unit: 'mg' }, effectiveInstant: '2024-01-01T10:00:00Z' }),
  observationOf({ valueString: 'text', extension: [extension('more')], effectiveDateTime: '2024' }),
  observationOf({ valueCodeableConcept: concept('positive'), effectiveTiming: { event: ['2024-01-01'] } }),
  observationOf({ valueSampledData: { origin: { value: 0 }, period: 10, dimensions: 1, data: '1 2 3' } }),
  observationOf({ valueDateTime: '2024-01-01', subject: reference('Location/l1') }),
  observationOf({ valuePeriod: { start: '2024-01', end: '2024-01-15' } }),
  observationOf({ valueBoolean: false }),
  observationOf({ valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }),
  observationOf({ dataAbsentReason: concept('unknown'), hasMember: [reference('Observation/bp')] }),
  procedure,
  condition,
  olderCondition,
  allergy,
  familyHistory,
  encounter,
  diagnosticReport,
  specimen,
  carePlan,
  careTeam,
  goal,
  riskAssessment,
  immunization,
  sequence,
];
