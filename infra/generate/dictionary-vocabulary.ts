// Vocabulary for the dictionary of compressed bodies: code systems, codes and their meaning, and records without any value that
// belongs to a person. Where FHIR JSON has a value of a patient, these have an empty text, or nothing (`null`).

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const loincSystem = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';

type Json = Readonly<Record<string, unknown>>;

const coding = (system: string, code: string, display?: string): Json => ({
  system,
  code,
  ...(display === undefined ? {} : { display }),
});

const concept = (system: string, code: string, display?: string): Json => ({
  coding: [coding(system, code, display)],
  ...(display === undefined ? {} : { text: display }),
});

/** A concept as most senders write it whose text says no more than its code. */
const code = (system: string, value: string): Json => ({ coding: [coding(system, value)] });

/** An amount: the number is the patient's, the unit is UCUM's. https://ucum.org */
const amount = (unit: string, ucum = unit): Json => ({
  value: null,
  unit,
  system: 'http://unitsofmeasure.org',
  code: ucum,
});

const to = (type: string): Json => ({ reference: `${type}/` });
const period: Json = { start: '', end: '' };
const profiled = (profile: string): Json => ({ profile: [`${usCore}us-core-${profile}`] });

/** Code systems and other addresses that the empty records below do not name. */
const systems = [
  'http://www.ama-assn.org/go/cpt',
  'http://hl7.org/fhir/sid/icd-10-cm',
  'http://hl7.org/fhir/sid/icd-10',
  'http://hl7.org/fhir/sid/ndc',
  'http://hl7.org/fhir/sid/us-medicare',
  'http://nucc.org/provider-taxonomy',
  'http://dicom.nema.org/resources/ontology/DCM',
  'urn:dicom:uid',
  'urn:iso:std:iso:3166',
  'urn:oid:2.16.840.1.113883.',
  'http://www.nubc.org/patient-discharge',
  `${hl7}service-type`,
  `${hl7}appointment-cancellation-reason`,
  `${hl7}list-order`,
  `${hl7}medicationrequest-category`,
  `${hl7}data-absent-reason`,
  `${hl7}v3-ObservationInterpretation`,
  `${hl7}v3-Confidentiality`,
  `${hl7}v3-RoleCode`,
  `${hl7}v3-NullFlavor`,
  `${hl7}v3-ActReason`,
  `${hl7}audit-event-type`,
  `${hl7}consentscope`,
  `${hl7}subscriber-relationship`,
  `${hl7}diagnosis-role`,
  `${hl7}encounter-type`,
  `${hl7}referencerange-meaning`,
  'http://hl7.org/fhir/StructureDefinition/data-absent-reason',
  'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired',
  'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName',
  'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
  'http://hl7.org/fhir/StructureDefinition/patient-religion',
  'http://hl7.org/fhir/StructureDefinition/geolocation',
  'http://hl7.org/fhir/restful-security-event',
  `${usCore}us-core-genderIdentity`,
];

/** Units of UCUM that the results below do not have. */
const units = [
  'ng/mL',
  'pg/mL',
  'ug/L',
  'umol/L',
  'nmol/L',
  'mmol/mol',
  '[pH]',
  'L/min',
  'mL/min',
  'm[IU]/L',
  'ug',
  'mL',
  'mg',
  'h',
  'd',
  'wk',
  'mo',
  'a',
  'min',
  's',
  '{INR}',
];

/** Parts of displays of SNOMED CT, RxNorm and CVX. */
const words = [
  '(procedure)',
  '(disorder)',
  '(finding)',
  '(situation)',
  '(record artifact)',
  '(qualifier value)',
  '(physical object)',
  ' Oral Tablet',
  ' Oral Capsule',
  ' MG/ML Injectable Solution',
  ' ML Injection',
  ' MG Extended Release Oral Tablet',
  ' Metered Dose Inhaler',
  'Influenza, seasonal, injectable, preservative free',
  'Hep B, adolescent or pediatric',
  'Td (adult) preservative free',
  'DTaP',
  'Encounter for ',
  'Documentation of current medications',
  'Medication Reconciliation',
  'History of ',
  'Acute ',
  'Chronic ',
  'Assessment of ',
  'Essential hypertension',
  'Hyperlipidemia',
  'Type 2 diabetes mellitus',
  'hydrochlorothiazide',
  'lisinopril',
  'metformin hydrochloride',
  'simvastatin',
  'acetaminophen',
  'ibuprofen',
  'amoxicillin',
  'General Practice',
];

interface Test {
  readonly code: string;
  readonly display: string;
  readonly unit: string;
  readonly ucum?: string;
}

const test = (value: string, display: string, unit: string, ucum = unit): Test => ({
  code: value,
  display,
  unit,
  ucum,
});

/** Tests that laboratories report most. https://loinc.org/usage/obs/ */
const laboratory: readonly Test[] = [
  test('2160-0', 'Creatinine [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('3094-0', 'Urea nitrogen [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('17861-6', 'Calcium [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('2951-2', 'Sodium [Moles/volume] in Serum or Plasma', 'mmol/L'),
  test('2823-3', 'Potassium [Moles/volume] in Serum or Plasma', 'mmol/L'),
  test('2075-0', 'Chloride [Moles/volume] in Serum or Plasma', 'mmol/L'),
  test('2028-9', 'Carbon dioxide, total [Moles/volume] in Serum or Plasma', 'mmol/L'),
  test('2345-7', 'Glucose [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('2885-2', 'Protein [Mass/volume] in Serum or Plasma', 'g/dL'),
  test('1751-7', 'Albumin [Mass/volume] in Serum or Plasma', 'g/dL'),
  test('1975-2', 'Bilirubin.total [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('6768-6', 'Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma', 'U/L'),
  test('1742-6', 'Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma', 'U/L'),
  test('1920-8', 'Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma', 'U/L'),
  test('2857-1', 'Prostate specific Ag [Mass/volume] in Serum or Plasma', 'ng/mL'),
  test('3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma', 'm[IU]/L'),
  test('33914-3', 'Glomerular filtration rate/1.73 sq M.predicted', 'mL/min/{1.73_m2}'),
  test('14959-1', 'Microalbumin/Creatinine [Mass Ratio] in Urine', 'mg/g'),
  test('2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma', 'mg/dL'),
  test('18262-6', 'Low Density Lipoprotein Cholesterol', 'mg/dL'),
  test('2085-9', 'High Density Lipoprotein Cholesterol', 'mg/dL'),
  test('6690-2', 'Leukocytes [#/volume] in Blood by Automated count', '10*3/uL'),
  test('789-8', 'Erythrocytes [#/volume] in Blood by Automated count', '10*6/uL'),
  test('718-7', 'Hemoglobin [Mass/volume] in Blood', 'g/dL'),
  test('4544-3', 'Hematocrit [Volume Fraction] of Blood by Automated count', '%'),
  test('787-2', 'MCV [Entitic volume] by Automated count', 'fL'),
  test('785-6', 'MCH [Entitic mass] by Automated count', 'pg'),
  test('786-4', 'MCHC [Mass/volume] by Automated count', 'g/dL'),
  test('21000-5', 'Erythrocyte distribution width [Entitic volume] by Automated count', 'fL'),
  test('777-3', 'Platelets [#/volume] in Blood by Automated count', '10*3/uL'),
  test('32207-3', 'Platelet distribution width [Entitic volume] in Blood by Automated count', 'fL'),
  test('32623-1', 'Platelet mean volume [Entitic volume] in Blood by Automated count', 'fL'),
  test('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%'),
];

/** https://hl7.org/fhir/R4/observation-vitalsigns.html */
const vitalSigns: readonly Test[] = [
  test('39156-5', 'Body mass index (BMI) [Ratio]', 'kg/m2'),
  test('8310-5', 'Body temperature', 'Cel'),
  test('2708-6', 'Oxygen saturation in Arterial blood', '%'),
  test('9843-4', 'Head Occipital-frontal circumference', 'cm'),
  test('9279-1', 'Respiratory rate', '/min'),
  test('8867-4', 'Heart rate', '/min'),
  test('29463-7', 'Body Weight', 'kg'),
  test('8302-2', 'Body Height', 'cm'),
];

/** Panels and documents. */
const reports = [
  ['51990-0', 'Basic metabolic panel - Blood'],
  ['24323-8', 'Comprehensive metabolic panel - Serum or Plasma'],
  ['57698-3', 'Lipid panel with direct LDL - Serum or Plasma'],
  ['58410-2', 'Complete blood count (hemogram) panel - Blood by Automated count'],
  ['11506-3', 'Progress note'],
  ['18842-5', 'Discharge summary'],
  ['34133-9', 'Summary of episode note'],
  ['34117-2', 'History and physical note'],
  ['51847-2', 'Evaluation+Plan note'],
] as const;

const category = (value: string, display: string): Json => ({
  coding: [coding(`${hl7}observation-category`, value, display)],
});

const result = ({ code: value, display, unit, ucum }: Test): Json => ({
  code: concept(loincSystem, value, display),
  valueQuantity: amount(unit, ucum),
});

const claim = {
  status: 'active',
  type: code(`${hl7}claim-type`, 'professional'),
  use: 'claim',
  patient: to('Patient'),
  billablePeriod: period,
  created: '',
};

const race = (url: string): Json => ({
  url: `${usCore}${url}`,
  extension: [
    { url: 'ombCategory', valueCoding: coding('urn:oid:2.16.840.1.113883.6.238', '', '') },
    { url: 'text', valueString: '' },
  ],
});

const identifier = (value: string, display: string, system: string): Json => ({
  type: concept(`${hl7}v2-0203`, value, display),
  system,
  value: '',
});

const address = { line: [''], city: '', state: '', postalCode: '', country: 'US' };

/** Terms without a record around them, least used first. */
export const commonTerms: string = [
  ...units.map((unit) => `"unit":"${unit}"`),
  ...words,
  ...systems.map((system) => `"system":"${system}","code":"`),
].join('');

/** Records and their parts without values, least used first. */
export const commonRecords: readonly Json[] = [
  {
    resourceType: 'AuditEvent',
    type: coding(`${hl7}audit-event-type`, 'rest', 'RESTful Operation'),
    subtype: [coding('http://hl7.org/fhir/restful-interaction', 'read')],
    action: 'R',
    recorded: '',
    outcome: '0',
    agent: [{ who: to('Practitioner'), requestor: true }],
    source: { observer: to('Device') },
    entity: [{ what: to('Patient') }],
  },
  {
    resourceType: 'Appointment',
    status: 'booked',
    serviceType: [concept(`${hl7}service-type`, '')],
    appointmentType: concept(`${hl7}v2-0276`, 'ROUTINE'),
    start: '',
    end: '',
    minutesDuration: null,
    slot: [to('Slot')],
    participant: [{ actor: to('Patient'), required: 'required', status: 'accepted' }],
  },
  {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'routine',
    focus: to('ServiceRequest'),
    for: to('Patient'),
    authoredOn: '',
    lastModified: '',
    requester: to('PractitionerRole'),
    owner: to('Organization'),
  },
  {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: to('Patient'),
    requester: to('Practitioner'),
    performer: [to('Practitioner')],
  },
  {
    resourceType: 'Coverage',
    status: 'active',
    type: { text: '' },
    beneficiary: to('Patient'),
    payor: [{ display: '' }],
  },
  {
    resourceType: 'Provenance',
    target: [to('DiagnosticReport')],
    recorded: '',
    agent: [
      {
        type: concept(`${hl7}provenance-participant-type`, 'author', 'Author'),
        who: { reference: 'Practitioner/', display: '' },
        onBehalfOf: { reference: 'Organization/', display: '' },
      },
    ],
  },
  {
    resourceType: 'PractitionerRole',
    active: true,
    practitioner: {
      reference: 'Practitioner/',
      identifier: { system: 'http://hl7.org/fhir/sid/us-npi', value: '' },
      display: '',
    },
    organization: { reference: 'Organization/', display: '' },
    specialty: [concept('http://nucc.org/provider-taxonomy', '')],
    location: [to('Location')],
    meta: profiled('practitionerrole'),
  },
  {
    resourceType: 'Location',
    identifier: [{ system: 'https://', value: '' }],
    status: 'active',
    name: '',
    telecom: [{ system: 'phone', value: '', use: 'work' }],
    address,
    position: { longitude: null, latitude: null },
    managingOrganization: to('Organization'),
    meta: profiled('location'),
  },
  {
    resourceType: 'Organization',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '' }],
    active: true,
    type: [concept(`${hl7}organization-type`, 'prov', 'Healthcare Provider')],
    name: '',
    telecom: [{ system: 'phone', value: '' }],
    address: [address],
    meta: profiled('organization'),
  },
  {
    resourceType: 'Practitioner',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '' }],
    active: true,
    name: [{ family: '', given: [''], prefix: ['Dr.'] }],
    telecom: [
      { extension: [{ url: `${usCore}us-core-direct`, valueBoolean: true }], system: 'email', value: '', use: 'work' },
    ],
    address: [address],
    gender: 'female',
    meta: profiled('practitioner'),
  },
  {
    resourceType: 'Patient',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"></div>' },
    extension: [race('us-core-race'), race('us-core-ethnicity'), { url: `${usCore}us-core-birthsex`, valueCode: 'F' }],
    identifier: [
      identifier('MR', 'Medical Record Number', 'http://hospital.'),
      identifier('SS', 'Social Security Number', 'http://hl7.org/fhir/sid/us-ssn'),
      identifier('DL', "Driver's License", 'urn:oid:2.16.840.1.113883.4.3.'),
      identifier('PPN', 'Passport Number', 'http://'),
    ],
    active: true,
    name: [
      { use: 'official', family: '', given: ['', ''], prefix: ['Mrs.'] },
      { use: 'maiden', family: '' },
    ],
    telecom: [{ system: 'phone', value: '', use: 'home' }],
    gender: 'male',
    birthDate: '',
    deceasedBoolean: false,
    address: [{ use: 'home', ...address }],
    maritalStatus: concept(`${hl7}v3-MaritalStatus`, 'M', 'Married'),
    multipleBirthBoolean: false,
    communication: [{ language: concept('urn:ietf:bcp:47', 'en-US', 'English'), preferred: true }],
    managingOrganization: to('Organization'),
    meta: profiled('patient'),
  },
  {
    resourceType: 'ImagingStudy',
    status: 'available',
    started: '',
    numberOfSeries: 1,
    numberOfInstances: 1,
    series: [
      {
        uid: '',
        number: 1,
        modality: coding('http://dicom.nema.org/resources/ontology/DCM', ''),
        bodySite: coding(snomed, ''),
        instance: [{ uid: '', sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:' }, number: 1, title: '' }],
      },
    ],
  },
  {
    resourceType: 'AllergyIntolerance',
    clinicalStatus: code(`${hl7}allergyintolerance-clinical`, 'active'),
    verificationStatus: code(`${hl7}allergyintolerance-verification`, 'confirmed'),
    type: 'allergy',
    category: ['medication', 'environment', 'food'],
    criticality: 'low',
    reaction: [{ manifestation: [concept(snomed, '')], severity: 'mild' }],
  },
  {
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    achievementStatus: code(`${hl7}goal-achievement`, 'in-progress'),
    description: { text: '' },
    target: [{ measure: concept(loincSystem, ''), detailQuantity: amount('kg'), dueDate: '' }],
    addresses: [to('Condition')],
  },
  {
    resourceType: 'CareTeam',
    status: 'active',
    period,
    participant: [{ role: [concept(snomed, '', '')], member: { reference: 'Practitioner/', display: '' } }],
    reasonCode: [concept(snomed, '')],
    managingOrganization: [{ reference: 'Organization/', display: '' }],
    meta: profiled('careteam'),
  },
  {
    resourceType: 'CarePlan',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"></div>' },
    status: 'active',
    intent: 'plan',
    category: [code('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan')],
    period: { start: '' },
    careTeam: [to('CareTeam')],
    goal: [to('Goal')],
    activity: [{ detail: { code: concept(snomed, '', ''), status: 'in-progress', location: { display: '' } } }],
    meta: profiled('careplan'),
  },
  {
    resourceType: 'DocumentReference',
    identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:' }],
    status: 'current',
    type: { coding: reports.map(([value, display]) => coding(loincSystem, value, display)) },
    category: [
      {
        coding: [
          coding(
            'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
            'clinical-note',
            'Clinical Note',
          ),
        ],
      },
    ],
    date: '',
    author: [{ reference: 'Practitioner/', display: '' }],
    custodian: { reference: 'Organization/', display: '' },
    content: [
      {
        attachment: { contentType: 'text/plain; charset=utf-8', data: '' },
        format: coding(
          'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
          'urn:ihe:iti:xds:2017:mimeTypeSufficient',
          'mimeType Sufficient',
        ),
      },
    ],
    context: { encounter: [to('Encounter')], period },
    meta: profiled('documentreference'),
  },
  {
    resourceType: 'ExplanationOfBenefit',
    contained: [{ id: 'coverage' }],
    identifier: [{ system: 'https://', value: '' }],
    ...claim,
    insurer: { display: '' },
    provider: to('Practitioner'),
    referral: { reference: '#referral' },
    claim: to('Claim'),
    outcome: 'complete',
    careTeam: [
      {
        sequence: 1,
        provider: to('Practitioner'),
        role: { coding: [coding(`${hl7}claimcareteamrole`, 'primary', 'Primary provider')] },
      },
    ],
    insurance: [{ focal: true, coverage: { reference: '#coverage', display: '' } }],
    item: [
      {
        sequence: 1,
        category: {
          coding: [coding('https://bluebutton.cms.gov/resources/variables/line_cms_type_srvc_cd', '1', 'Medical care')],
        },
        productOrService: concept(snomed, '', ''),
        servicedPeriod: period,
        locationCodeableConcept: { coding: [coding(`${hl7}ex-serviceplace`, '19', 'Off Campus-Outpatient Hospital')] },
        encounter: [to('Encounter')],
        net: { value: null, currency: 'USD' },
        adjudication: [
          {
            category: { coding: [coding(`${hl7}adjudication`, 'submitted', 'Submitted Amount')] },
            amount: { value: null, currency: 'USD' },
          },
          { category: { coding: [coding('https://bluebutton.cms.gov/resources/codesystem/adjudication', '')] } },
        ],
      },
    ],
    total: [
      {
        category: { coding: [coding(`${hl7}adjudication`, 'submitted', 'Submitted Amount')] },
        amount: { value: null, currency: 'USD' },
      },
    ],
    payment: { amount: { value: null, currency: 'USD' } },
  },
  {
    resourceType: 'Claim',
    ...claim,
    provider: { reference: 'Organization/', display: '' },
    priority: code(`${hl7}processpriority`, 'normal'),
    prescription: to('MedicationRequest'),
    facility: { reference: 'Location/', display: '' },
    supportingInfo: [
      { sequence: 1, category: code(`${hl7}claiminformationcategory`, 'info'), valueReference: to('Immunization') },
    ],
    diagnosis: [
      { sequence: 1, diagnosisReference: to('Condition'), type: [code(`${hl7}ex-diagnosistype`, 'principal')] },
    ],
    procedure: [{ sequence: 1, procedureReference: to('Procedure') }],
    insurance: [{ sequence: 1, focal: true, coverage: { display: '' } }],
    item: [
      {
        sequence: 1,
        diagnosisSequence: [1],
        productOrService: concept(snomed, '', ''),
        encounter: [to('Encounter')],
      },
      {
        sequence: 2,
        procedureSequence: [1],
        productOrService: concept(snomed, '', ''),
        net: { value: null, currency: 'USD' },
      },
    ],
    total: { value: null, currency: 'USD' },
  },
  {
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140', ''),
    patient: to('Patient'),
    encounter: to('Encounter'),
    occurrenceDateTime: '',
    primarySource: true,
    location: { reference: 'Location/', display: '' },
    meta: profiled('immunization'),
  },
  {
    resourceType: 'MedicationRequest',
    status: 'stopped',
    intent: 'order',
    medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '', ''),
    subject: to('Patient'),
    encounter: to('Encounter'),
    authoredOn: '',
    requester: { reference: 'Practitioner/', display: '' },
    reasonReference: [to('Condition')],
    dosageInstruction: [
      {
        sequence: 1,
        text: 'Take as needed.',
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        asNeededBoolean: false,
        doseAndRate: [
          { type: { coding: [coding(`${hl7}dose-rate-type`, 'ordered', 'Ordered')] }, doseQuantity: { value: 1 } },
        ],
      },
    ],
    meta: profiled('medicationrequest'),
  },
  {
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [{ coding: [coding(`${hl7}v2-0074`, 'LAB', 'Laboratory')] }],
    code: { coding: reports.slice(0, 4).map(([value, display]) => coding(loincSystem, value, display)) },
    subject: to('Patient'),
    encounter: to('Encounter'),
    effectiveDateTime: '',
    issued: '',
    performer: [{ reference: 'Practitioner/', display: '' }],
    result: [{ reference: 'Observation/', display: '' }],
    presentedForm: [{ contentType: 'text/plain', data: '' }],
    meta: profiled('diagnosticreport-lab'),
  },
  {
    resourceType: 'Encounter',
    identifier: [{ use: 'official', system: 'https://', value: '' }],
    status: 'finished',
    class: coding(`${hl7}v3-ActCode`, 'AMB'),
    type: [concept(snomed, '', '')],
    subject: { reference: 'Patient/', display: '' },
    participant: [
      {
        type: [concept(`${hl7}v3-ParticipationType`, 'PPRF', 'primary performer')],
        period,
        individual: { reference: 'Practitioner/', display: '' },
      },
    ],
    period,
    reasonCode: [{ coding: [coding(snomed, '', '')] }],
    location: [{ location: { reference: 'Location/', display: '' } }],
    serviceProvider: { reference: 'Organization/', display: '' },
    meta: profiled('encounter'),
  },
  {
    resourceType: 'Condition',
    clinicalStatus: code(`${hl7}condition-clinical`, 'resolved'),
    verificationStatus: code(`${hl7}condition-ver-status`, 'confirmed'),
    category: [{ coding: [coding(`${hl7}condition-category`, 'encounter-diagnosis', 'Encounter Diagnosis')] }],
    code: concept(snomed, '', ''),
    subject: to('Patient'),
    encounter: to('Encounter'),
    onsetDateTime: '',
    abatementDateTime: '',
    recordedDate: '',
    meta: profiled('condition'),
  },
  {
    resourceType: 'Procedure',
    status: 'completed',
    code: concept(snomed, '', ''),
    subject: to('Patient'),
    encounter: to('Encounter'),
    performedPeriod: period,
    location: { reference: 'Location/', display: '' },
    reasonReference: [{ reference: 'Condition/', display: '' }],
    meta: profiled('procedure'),
  },
  ...laboratory.map(result),
  ...vitalSigns.map(result),
  {
    code: concept(loincSystem, '72166-2', 'Tobacco smoking status'),
    valueCodeableConcept: concept(snomed, '', 'Never smoker'),
    interpretation: [concept(`${hl7}v3-ObservationInterpretation`, 'N', 'Normal')],
    referenceRange: [{ low: amount('mg/dL'), high: amount('mg/dL') }],
  },
  {
    resourceType: 'Observation',
    status: 'final',
    category: [
      category('laboratory', 'Laboratory'),
      category('survey', 'Survey'),
      category('social-history', 'Social History'),
    ],
    code: concept(loincSystem, '72514-3', 'Pain severity - 0-10 verbal numeric rating [Score] - Reported'),
    valueQuantity: amount('{score}'),
  },
  {
    resourceType: 'Observation',
    status: 'final',
    category: [category('vital-signs', 'Vital Signs')],
    code: concept(loincSystem, '85354-9', 'Blood pressure panel with all children optional'),
    subject: to('Patient'),
    encounter: to('Encounter'),
    effectiveDateTime: 'T00:00:00+00:00',
    issued: 'T00:00:00.000+00:00',
    component: [
      result(test('8462-4', 'Diastolic blood pressure', 'mmHg', 'mm[Hg]')),
      result(test('8480-6', 'Systolic blood pressure', 'mmHg', 'mm[Hg]')),
    ],
    meta: profiled('vital-signs'),
  },
  {
    resourceType: 'Observation',
    status: 'final',
    category: [category('laboratory', 'Laboratory')],
    code: { coding: [coding(loincSystem, '', '')], text: '' },
    subject: to('Patient'),
    encounter: to('Encounter'),
    effectiveDateTime: '',
    issued: '',
    valueQuantity: amount('mg/dL'),
    meta: profiled('observation-lab'),
  },
];
