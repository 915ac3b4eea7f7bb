import { randomUUID } from 'node:crypto';

// Resources with the types, elements and sizes of charts as they come from elsewhere, in the mix in which they come: half of them
// Observations, 1.3 KB in the mean. Sizes matter here, not medicine.

const terminology = 'http://terminology.hl7.org/CodeSystem';
const snomed = 'http://snomed.info/sct';
const loinc = 'http://loinc.org';

/** What the resources of one chart refer to. */
export interface ChartReferences {
  readonly patient: string;
  /** One is enough; they are used in turn. */
  readonly encounters: readonly string[];
}

const codes = [
  ['8302-2', 'Body Height', 'cm'],
  ['29463-7', 'Body Weight', 'kg'],
  ['39156-5', 'Body Mass Index', 'kg/m2'],
  ['8867-4', 'Heart rate', '/min'],
  ['9279-1', 'Respiratory rate', '/min'],
  ['6690-2', 'Leukocytes [#/volume] in Blood by Automated count', '10*3/uL'],
  ['789-8', 'Erythrocytes [#/volume] in Blood by Automated count', '10*6/uL'],
  ['718-7', 'Hemoglobin [Mass/volume] in Blood', 'g/dL'],
  ['4544-3', 'Hematocrit [Volume Fraction] of Blood by Automated count', '%'],
  ['2339-0', 'Glucose [Mass/volume] in Blood', 'mg/dL'],
] as const;
/** A code that one in ten of the Observations has. */
export const oneCode = '718-7';

const findings = [
  ['185349003', 'Encounter for check up (procedure)'],
  ['185345009', 'Encounter for symptom (procedure)'],
  ['10509002', 'Acute bronchitis (disorder)'],
  ['444814009', 'Viral sinusitis (disorder)'],
  ['430193006', 'Medication Reconciliation (procedure)'],
] as const;

/** Eight hours apart, oldest first, beginning in 2015. */
const timeOf = (index: number) => new Date(Date.UTC(2015, 0, 1) + index * 8 * 3_600_000).toISOString();
const dayOf = (index: number) => timeOf(index).slice(0, 10);

const finding = (index: number): fhir4.CodeableConcept => {
  const [code, display] = findings[index % findings.length] ?? findings[0];
  return { coding: [{ system: snomed, code, display }], text: display };
};
const concept = (system: string, code: string, display: string): fhir4.CodeableConcept => ({
  coding: [{ system, code, display }],
  text: display,
});
const meta = (type: string): fhir4.Meta => ({
  profile: [`http://hl7.org/fhir/us/core/StructureDefinition/us-core-${type.toLowerCase()}`],
});
const encounterOf = ({ encounters }: ChartReferences, index: number): fhir4.Reference => ({
  reference: encounters[index % encounters.length] ?? '',
});
/** A value with as many digits as instruments and simulators write. */
const measured = (index: number) => 40 + ((index * 7919) % 6151) / 61 + 0.000_012_345_678;

export const patientShaped = (elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
  resourceType: 'Patient',
  meta: meta('patient'),
  identifier: [
    { system: 'https://numbers.example/record', value: randomUUID() },
    {
      type: concept(`${terminology}/v2-0203`, 'SS', 'Social Security Number'),
      system: 'http://hl7.org/fhir/sid/us-ssn',
      value: `999-${randomUUID().slice(0, 7)}`,
    },
  ],
  name: [{ use: 'official', family: 'Sample', given: ['Ann', 'Marie'], prefix: ['Ms.'] }],
  telecom: [{ system: 'phone', value: '555-010-0199', use: 'home' }],
  gender: 'female',
  birthDate: '1980-02-03',
  address: [
    { line: ['1 Sample Street'], city: 'Springfield', state: 'Massachusetts', postalCode: '01101', country: 'US' },
  ],
  maritalStatus: concept(`${terminology}/v3-MaritalStatus`, 'M', 'Married'),
  communication: [{ language: concept('urn:ietf:bcp:47', 'en-US', 'English') }],
  ...elements,
});

export const encounterShaped = (references: Pick<ChartReferences, 'patient'>, index = 0): fhir4.Encounter => ({
  resourceType: 'Encounter',
  meta: meta('encounter'),
  status: 'finished',
  class: { system: `${terminology}/v3-ActCode`, code: 'AMB' },
  type: [finding(index)],
  subject: { reference: references.patient, display: 'Ms. Ann Sample' },
  participant: [
    {
      type: [concept(`${terminology}/v3-ParticipationType`, 'PPRF', 'primary performer')],
      individual: { display: 'Dr. Sample' },
    },
  ],
  period: { start: timeOf(index), end: timeOf(index + 1) },
  serviceProvider: { display: 'Sample Clinic' },
});

export const observationShaped = (references: ChartReferences, index = 0): fhir4.Observation => {
  const [code, display, unit] = codes[index % codes.length] ?? codes[0];
  return {
    resourceType: 'Observation',
    meta: meta('observation-lab'),
    status: 'final',
    category: [concept(`${terminology}/observation-category`, 'laboratory', 'laboratory')],
    code: concept(loinc, code, display),
    subject: { reference: references.patient },
    encounter: encounterOf(references, index),
    effectiveDateTime: timeOf(index),
    issued: timeOf(index),
    valueQuantity: { value: measured(index), unit, system: 'http://unitsofmeasure.org', code: unit },
  };
};

const conditionShaped = (references: ChartReferences, index: number): fhir4.Condition => ({
  resourceType: 'Condition',
  meta: meta('condition'),
  clinicalStatus: { coding: [{ system: `${terminology}/condition-clinical`, code: 'resolved' }] },
  verificationStatus: { coding: [{ system: `${terminology}/condition-ver-status`, code: 'confirmed' }] },
  category: [concept(`${terminology}/condition-category`, 'encounter-diagnosis', 'Encounter Diagnosis')],
  code: finding(index),
  subject: { reference: references.patient },
  encounter: encounterOf(references, index),
  onsetDateTime: timeOf(index),
  abatementDateTime: timeOf(index + 40),
  recordedDate: timeOf(index),
});

const procedureShaped = (references: ChartReferences, index: number): fhir4.Procedure => ({
  resourceType: 'Procedure',
  meta: meta('procedure'),
  status: 'completed',
  code: finding(index),
  subject: { reference: references.patient },
  encounter: encounterOf(references, index),
  performedPeriod: { start: timeOf(index), end: timeOf(index + 1) },
});

const immunizationShaped = (references: ChartReferences, index: number): fhir4.Immunization => ({
  resourceType: 'Immunization',
  meta: meta('immunization'),
  status: 'completed',
  vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140', 'Influenza, seasonal, injectable, preservative free'),
  patient: { reference: references.patient },
  encounter: encounterOf(references, index),
  occurrenceDateTime: timeOf(index),
  primarySource: true,
});

const reportShaped = (references: ChartReferences, index: number): fhir4.DiagnosticReport => ({
  resourceType: 'DiagnosticReport',
  meta: meta('diagnosticreport-lab'),
  status: 'final',
  category: [concept(`${terminology}/v2-0074`, 'LAB', 'Laboratory')],
  code: concept(loinc, '58410-2', 'Complete blood count (hemogram) panel - Blood by Automated count'),
  subject: { reference: references.patient },
  encounter: encounterOf(references, index),
  effectiveDateTime: timeOf(index),
  issued: timeOf(index),
  result: codes.map(([, display]) => ({ display })),
});

const medicationShaped = (references: ChartReferences, index: number): fhir4.MedicationRequest => ({
  resourceType: 'MedicationRequest',
  meta: meta('medicationrequest'),
  status: 'stopped',
  intent: 'order',
  medicationCodeableConcept: concept(
    'http://www.nlm.nih.gov/research/umls/rxnorm',
    '313782',
    'Acetaminophen 325 MG Oral Tablet',
  ),
  subject: { reference: references.patient },
  encounter: encounterOf(references, index),
  authoredOn: timeOf(index),
  requester: { display: 'Dr. Sample' },
  dosageInstruction: [
    {
      sequence: 1,
      asNeededBoolean: false,
      timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
      doseAndRate: [{ doseQuantity: { value: 1 } }],
    },
  ],
});

const money = (index: number): fhir4.Money => ({ value: Math.round(measured(index) * 100) / 100, currency: 'USD' });

const claimShaped = (references: ChartReferences, index: number): fhir4.Claim => ({
  resourceType: 'Claim',
  status: 'active',
  type: { coding: [{ system: `${terminology}/claim-type`, code: 'institutional' }] },
  use: 'claim',
  patient: { reference: references.patient, display: 'Ms. Ann Sample' },
  billablePeriod: { start: timeOf(index), end: timeOf(index + 1) },
  created: dayOf(index),
  provider: { display: 'Sample Clinic' },
  priority: { coding: [{ system: `${terminology}/processpriority`, code: 'normal' }] },
  insurance: [{ sequence: 1, focal: true, coverage: { display: 'Private' } }],
  item: [0, 1, 2].map((line) => ({
    sequence: line + 1,
    productOrService: finding(index + line),
    net: money(index + line),
    encounter: [encounterOf(references, index)],
  })),
  total: money(index),
});

const benefitShaped = (references: ChartReferences, index: number): fhir4.ExplanationOfBenefit => ({
  resourceType: 'ExplanationOfBenefit',
  status: 'active',
  identifier: [{ system: 'https://bluebutton.cms.gov/resources/variables/clm_id', value: randomUUID() }],
  type: { coding: [{ system: `${terminology}/claim-type`, code: 'institutional' }] },
  use: 'claim',
  patient: { reference: references.patient },
  billablePeriod: { start: timeOf(index), end: timeOf(index + 1_000) },
  created: dayOf(index),
  insurer: { display: 'Private' },
  provider: { display: 'Sample Clinic' },
  outcome: 'complete',
  careTeam: [
    {
      sequence: 1,
      provider: { display: 'Dr. Sample' },
      role: concept(`${terminology}/claimcareteamrole`, 'primary', 'Primary Care Practitioner'),
    },
  ],
  insurance: [{ focal: true, coverage: { display: 'Private' } }],
  item: [0, 1, 2].map((line) => ({
    sequence: line + 1,
    category: concept('https://bluebutton.cms.gov/resources/variables/line_cms_type_srvc_cd', '1', 'Medical care'),
    productOrService: finding(index + line),
    servicedPeriod: { start: timeOf(index), end: timeOf(index + 1) },
    locationCodeableConcept: concept(`${terminology}/ex-serviceplace`, '19', 'Off Campus-Outpatient Hospital'),
    encounter: [encounterOf(references, index)],
    net: money(index + line),
    adjudication: [
      ['line_coinsrnc_amt', 'Line Beneficiary Coinsurance Amount'],
      ['line_prvdr_pmt_amt', 'Line Provider Payment Amount'],
      ['line_sbmtd_chrg_amt', 'Line Submitted Charge Amount'],
      ['line_alowd_chrg_amt', 'Line Allowed Charge Amount'],
    ].map(([name, display], column) => ({
      category: concept(
        'https://bluebutton.cms.gov/resources/codesystem/adjudication',
        `https://bluebutton.cms.gov/resources/variables/${name}`,
        display ?? '',
      ),
      amount: money(index + line * 4 + column),
    })),
  })),
  total: [{ category: concept(`${terminology}/adjudication`, 'submitted', 'Submitted Amount'), amount: money(index) }],
  payment: { amount: money(index + 1) },
});

/** What charts hold beside Observations and Encounters, as often as they do. */
const otherTypes = [
  claimShaped,
  benefitShaped,
  immunizationShaped,
  claimShaped,
  reportShaped,
  procedureShaped,
  benefitShaped,
  conditionShaped,
  immunizationShaped,
  medicationShaped,
] as const;

/** Every twentieth record of a chart is an Encounter. */
const recordsAnEncounter = 20;

/**
 * A chart as one transaction of creates: a patient, encounters, and records that refer to them by `urn:uuid:`. Half of its entries are
 * Observations.
 *
 * @param size - entries in all, at least 10.
 */
export const chartTransaction = (size: number): fhir4.Bundle => {
  const entry: fhir4.BundleEntry[] = [];
  const add = (resource: fhir4.FhirResource): string => {
    const fullUrl = `urn:uuid:${randomUUID()}`;
    entry.push({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } });
    return fullUrl;
  };
  const patient = add(patientShaped());
  const encounters = Array.from({ length: Math.ceil(size / recordsAnEncounter) }, (_, index) =>
    add(encounterShaped({ patient }, index * recordsAnEncounter)),
  );
  const references = { patient, encounters };
  for (let index = 0; index < Math.floor(size / 2); index++) add(observationShaped(references, index));
  for (let index = 0; entry.length < size; index++) {
    add((otherTypes[index % otherTypes.length] ?? claimShaped)(references, index));
  }
  return { resourceType: 'Bundle', type: 'transaction', entry };
};
