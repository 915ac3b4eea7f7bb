import { concept, identifier, quantity, reference, ucum } from './datatypes.ts';

const medicationRequest: fhir4.MedicationRequest = {
  resourceType: 'MedicationRequest',
  status: 'active',
  intent: 'order',
  medicationCodeableConcept: concept('aspirin'),
  subject: reference('Patient/p1'),
  authoredOn: '2024-01-01',
  requester: reference('Practitioner/pr1'),
  dosageInstruction: [
    {
      timing: {
        event: ['2024-01-02', '2024-01-03T08:00:00Z'],
        repeat: {
          boundsPeriod: { start: '2024-01-01', end: '2024-02-01' },
          duration: 1,
          durationUnit: 'h',
          count: 1,
          countMax: 2,
        },
      },
      doseAndRate: [{ doseRange: { low: quantity(1, 'mg'), high: quantity(2, 'mg') } }],
      maxDosePerPeriod: { numerator: quantity(4, 'mg'), denominator: quantity(1, 'd') },
    },
    { timing: { code: concept('BID') } },
  ],
  dispenseRequest: {
    performer: reference('Organization/o1'),
    expectedSupplyDuration: { value: 30, system: ucum, code: 'd' },
  },
};

const containedMedication: fhir4.Medication = { resourceType: 'Medication', id: 'med', code: concept('ibuprofen') };

const medicationRequestByReference: fhir4.MedicationRequest = {
  resourceType: 'MedicationRequest',
  status: 'completed',
  intent: 'plan',
  contained: [containedMedication],
  medicationReference: reference('#med'),
  subject: reference('Group/g1'),
};

const medicationDispense: fhir4.MedicationDispense = {
  resourceType: 'MedicationDispense',
  status: 'completed',
  medicationReference: reference('Medication/m1'),
  subject: reference('Patient/p1'),
  performer: [{ actor: reference('Practitioner/pr1') }, { actor: reference('Organization/o1') }],
  whenPrepared: '2024-01-01',
  whenHandedOver: '2024-01-01T15:00:00Z',
  substitution: { wasSubstituted: false, responsibleParty: [reference('Practitioner/pr1')] },
};

const medicationAdministration: fhir4.MedicationAdministration = {
  resourceType: 'MedicationAdministration',
  status: 'completed',
  medicationCodeableConcept: concept('aspirin'),
  subject: reference('Patient/p1'),
  effectivePeriod: { start: '2024-01-01T08:00:00Z' },
  performer: [{ actor: reference('Device/d1') }],
  dosage: { dose: quantity(1, 'mg') },
};

const medication: fhir4.Medication = {
  resourceType: 'Medication',
  id: 'm1',
  code: concept('aspirin'),
  ingredient: [{ itemCodeableConcept: concept('acid') }, { itemReference: reference('Substance/s1') }],
  batch: { lotNumber: 'L1', expirationDate: '2025-01' },
};

const appointment: fhir4.Appointment = {
  resourceType: 'Appointment',
  status: 'booked',
  start: '2024-05-01T09:00:00Z',
  end: '2024-05-01T09:30:00Z',
  participant: [
    { actor: reference('Patient/p1'), status: 'accepted' },
    { actor: reference('Practitioner/pr1'), status: 'needs-action' },
    { actor: reference('Location/l1'), status: 'accepted' },
    { type: [concept('translator')], status: 'tentative' },
  ],
};

const schedule: fhir4.Schedule = {
  resourceType: 'Schedule',
  actor: [reference('Practitioner/pr1'), reference('Location/l1')],
  serviceType: [concept('check-up')],
  planningHorizon: { start: '2024-01-01', end: '2024-12-31' },
};

const claim: fhir4.Claim = {
  resourceType: 'Claim',
  status: 'active',
  type: concept('professional'),
  use: 'claim',
  patient: reference('Patient/p1'),
  created: '2024-01-01',
  provider: reference('Organization/o1'),
  priority: concept('normal'),
  payee: { type: concept('provider'), party: reference('Practitioner/pr1') },
  careTeam: [{ sequence: 1, provider: reference('Practitioner/pr1') }],
  procedure: [{ sequence: 1, procedureReference: reference('Procedure/x1'), udi: [reference('Device/d1')] }],
  insurance: [{ sequence: 1, focal: true, coverage: reference('Coverage/cov') }],
  item: [
    {
      sequence: 1,
      productOrService: concept('visit'),
      encounter: [reference('Encounter/e1')],
      detail: [
        {
          sequence: 1,
          productOrService: concept('x'),
          subDetail: [{ sequence: 1, productOrService: concept('y'), udi: [reference('Device/d2')] }],
        },
      ],
    },
  ],
};

const coverage: fhir4.Coverage = {
  resourceType: 'Coverage',
  status: 'active',
  beneficiary: reference('Patient/p1'),
  payor: [reference('Organization/o1')],
  class: [
    { type: concept('group'), value: 'g1' },
    { type: concept('plan'), value: 'p1' },
  ],
};

const composition: fhir4.Composition = {
  resourceType: 'Composition',
  status: 'final',
  type: concept('note'),
  subject: reference('Patient/p1'),
  date: '2024-01-01T10:00:00Z',
  author: [reference('Practitioner/pr1')],
  title: 'Note',
  attester: [{ mode: 'legal', party: reference('Practitioner/pr1') }],
  relatesTo: [
    { code: 'replaces', targetIdentifier: identifier('doc-0') },
    { code: 'appends', targetReference: reference('Composition/x0') },
  ],
  event: [{ code: [concept('visit')], period: { start: '2024-01-01' } }],
  section: [
    { code: concept('history'), entry: [reference('Condition/c1')] },
    {
      section: [
        {
          text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">None</div>' },
          emptyReason: concept('nilknown'),
        },
      ],
    },
  ],
};

const documentReference: fhir4.DocumentReference = {
  resourceType: 'DocumentReference',
  status: 'current',
  masterIdentifier: identifier('master'),
  identifier: [identifier('doc-1')],
  subject: reference('Patient/p1'),
  relatesTo: [{ code: 'replaces', target: reference('DocumentReference/x0') }],
  content: [
    { attachment: { contentType: 'text/plain', data: 'SGVsbG8=', creation: '2024-01-01' }, format: { code: 'f' } },
    { attachment: { url: 'https://example.org/doc', language: 'en' } },
  ],
  context: {
    encounter: [reference('Encounter/e1')],
    period: { start: '2024-01-01' },
    related: [reference('Observation/bp')],
  },
};

const questionnaire: fhir4.Questionnaire = {
  resourceType: 'Questionnaire',
  status: 'active',
  name: 'Intake',
  url: 'http://example.org/questionnaire',
  useContext: [
    { code: { code: 'focus' }, valueCodeableConcept: concept('asthma') },
    { code: { code: 'age' }, valueRange: { low: quantity(18, 'a') } },
    { code: { code: 'count' }, valueQuantity: { value: 3 } },
  ],
  item: [
    {
      linkId: '1',
      type: 'group',
      item: [
        { linkId: '1.1', type: 'choice', answerOption: [{ valueString: 'a' }], code: [{ code: 'q' }] },
        {
          linkId: '1.2',
          type: 'string',
          maxLength: 10,
          enableWhen: [{ question: '1.1', operator: 'exists', answerBoolean: true }],
        },
      ],
    },
    { linkId: '2', type: 'display', text: 'Thank you' },
  ],
};

const questionnaireResponse: fhir4.QuestionnaireResponse = {
  resourceType: 'QuestionnaireResponse',
  status: 'completed',
  questionnaire: 'http://example.org/questionnaire',
  subject: reference('Patient/p1'),
  item: [{ linkId: '1', item: [{ linkId: '1.1', answer: [{ valueString: 'a', item: [{ linkId: '1.1.1' }] }] }] }],
};

const task: fhir4.Task = {
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  for: reference('Patient/p1'),
  authoredOn: '2024-01-01T10:00:00Z',
  lastModified: '2024-01-01T11:00:00Z',
  executionPeriod: { start: '2024-01-02' },
  owner: reference('Practitioner/pr1'),
};

const provenance: fhir4.Provenance = {
  resourceType: 'Provenance',
  target: [reference('Patient/p1'), reference('Observation/bp/_history/1')],
  recorded: '2024-01-01T10:00:00Z',
  occurredDateTime: '2024-01-01',
  agent: [{ who: reference('Practitioner/pr1') }],
  signature: [
    { type: [{ code: '1.2.840.10065.1.12.1.1' }], when: '2024-01-01T10:00:00Z', who: reference('Practitioner/pr1') },
  ],
};

const auditEvent: fhir4.AuditEvent = {
  resourceType: 'AuditEvent',
  type: { code: 'rest' },
  recorded: '2024-01-01T10:00:00Z',
  agent: [
    { who: reference('Practitioner/pr1'), requestor: true, policy: ['http://example.org/policy'] },
    { who: reference('Patient/p1'), requestor: false },
  ],
  source: { observer: reference('Device/d1') },
  entity: [{ what: reference('Patient/p1'), name: 'the patient' }, { query: 'bmFtZT14' }],
};

const consent: fhir4.Consent = {
  resourceType: 'Consent',
  status: 'active',
  scope: concept('patient-privacy'),
  category: [concept('59284-0')],
  patient: reference('Patient/p1'),
  sourceReference: reference('DocumentReference/x1'),
  policyRule: concept('OPTIN'),
  provision: {
    period: { start: '2024-01-01', end: '2025-01-01' },
    actor: [{ role: concept('PRCP'), reference: reference('Organization/o1') }],
    provision: [{ type: 'deny', period: { start: '2024-02-01' } }],
    data: [{ meaning: 'instance', reference: reference('Observation/bp') }],
  },
};

const list: fhir4.List = {
  resourceType: 'List',
  status: 'current',
  mode: 'working',
  entry: [{ item: reference('Condition/c1'), date: '2024-01-01' }],
  note: [{ text: 'a note', authorReference: reference('Practitioner/pr1') }],
};

const valueSet: fhir4.ValueSet = {
  resourceType: 'ValueSet',
  status: 'active',
  url: 'http://example.org/vs',
  compose: {
    include: [
      { system: 'http://example.org/codes', concept: [{ code: 'a' }] },
      { valueSet: ['http://example.org/vs2'] },
    ],
  },
  expansion: { timestamp: '2024-01-01', contains: [{ system: 'http://example.org/codes', code: 'a' }] },
};

const codeSystem: fhir4.CodeSystem = {
  resourceType: 'CodeSystem',
  status: 'active',
  content: 'complete',
  concept: [{ code: 'a', concept: [{ code: 'a1' }] }, { code: 'b' }],
};

const bundle: fhir4.Bundle = {
  resourceType: 'Bundle',
  type: 'document',
  identifier: identifier('bundle'),
  timestamp: '2024-01-01T10:00:00Z',
  entry: [{ fullUrl: 'urn:uuid:3f5a4bb0-0ad4-4f2e-8d07-000000000002', resource: composition }],
};

const structureDefinition: fhir4.StructureDefinition = {
  resourceType: 'StructureDefinition',
  url: 'http://example.org/StructureDefinition/sample',
  name: 'Sample',
  status: 'draft',
  kind: 'resource',
  abstract: false,
  type: 'Patient',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  derivation: 'constraint',
  differential: {
    element: [
      { id: 'Patient', path: 'Patient' },
      { id: 'Patient.name', path: 'Patient.name', min: 1, max: '*' },
    ],
  },
};

/** Synthetic records of orders, bookings, documents, claims and definitions. */
export const administration: readonly fhir4.FhirResource[] = [
  medicationRequest,
  medicationRequestByReference,
  medicationDispense,
  medicationAdministration,
  medication,
  appointment,
  schedule,
  claim,
  coverage,
  composition,
  documentReference,
  questionnaire,
  questionnaireResponse,
  task,
  provenance,
  auditEvent,
  consent,
  list,
  valueSet,
  codeSystem,
  bundle,
  structureDefinition,
];
