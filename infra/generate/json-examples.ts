import { codesOf } from './json-schemas.ts';
import {
  type ElementDefinition,
  type ElementType,
  resourceDefinitions,
  type StructureDefinition,
  structureDefinitions,
} from './structure-definitions.ts';

type Example = Readonly<Record<string, unknown>>;

const moment = '2026-03-02T09:30:00Z';

const loinc = (code: string, display: string) => ({ coding: [{ system: 'http://loinc.org', code, display }] });
const snomed = (code: string, display: string) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }] });
const rxnorm = (code: string, display: string) => ({
  coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code, display }],
});
const hl7 = (system: string, code: string) => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

/** What makes an example of a type worth reading, beside what the type requires. */
const said: Readonly<Record<string, Example>> = {
  AllergyIntolerance: {
    clinicalStatus: hl7('allergyintolerance-clinical', 'active'),
    verificationStatus: hl7('allergyintolerance-verification', 'confirmed'),
    code: snomed('91936005', 'Allergy to penicillin'),
  },
  Appointment: {
    status: 'booked',
    start: '2026-03-02T09:30:00Z',
    end: '2026-03-02T10:00:00Z',
    participant: [
      { actor: { reference: 'Patient/1' }, status: 'accepted' },
      { actor: { reference: 'Practitioner/1' }, status: 'accepted' },
    ],
  },
  AppointmentResponse: { actor: { reference: 'Patient/1' } },
  Binary: { contentType: 'text/plain', data: 'SGVsbG8=' },
  Composition: { title: 'Visit note', type: loinc('34109-9', 'Note') },
  Condition: {
    clinicalStatus: hl7('condition-clinical', 'active'),
    verificationStatus: hl7('condition-ver-status', 'confirmed'),
    category: [hl7('condition-category', 'problem-list-item')],
    code: snomed('44054006', 'Type 2 diabetes mellitus'),
    onsetDateTime: '2024-05',
  },
  Consent: {
    status: 'active',
    scope: hl7('consentscope', 'patient-privacy'),
    category: [loinc('59284-0', 'Patient consent')],
    policyRule: hl7('v3-ActCode', 'OPTIN'),
  },
  DiagnosticReport: { status: 'final', code: loinc('58410-2', 'Complete blood count panel') },
  DocumentReference: {
    type: loinc('34133-9', 'Summary of episode note'),
    content: [{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=' } }],
  },
  Encounter: {
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    period: { start: '2026-03-02T09:30:00Z', end: '2026-03-02T10:00:00Z' },
  },
  Immunization: {
    status: 'completed',
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '140' }] },
  },
  Location: { name: 'Room 4' },
  Media: { status: 'completed', content: { contentType: 'image/png', title: 'Left hand' } },
  MedicationRequest: {
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: rxnorm('860975', 'metformin hydrochloride 500 MG'),
    dosageInstruction: [{ text: 'One tablet twice a day' }],
  },
  Observation: {
    status: 'final',
    category: [hl7('observation-category', 'vital-signs')],
    code: loinc('29463-7', 'Body weight'),
    effectiveDateTime: moment,
    valueQuantity: { value: 72.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  },
  Organization: { name: 'Northside Clinic' },
  Patient: {
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: '12345' }],
    name: [{ family: 'Rivera', given: ['Ana'] }],
    gender: 'female',
    birthDate: '1980-02-29',
    telecom: [{ system: 'phone', value: '+1 555 0100' }],
  },
  Practitioner: { name: [{ family: 'Okafor', given: ['Ngozi'] }] },
  Procedure: { status: 'completed', code: snomed('80146002', 'Appendectomy'), performedDateTime: '2019-07-14' },
  ServiceRequest: { status: 'active', intent: 'order', code: loinc('58410-2', 'Complete blood count panel') },
  Task: { status: 'requested', intent: 'order', description: 'Call the patient about the result' },
};

/** https://hl7.org/fhir/R4/datatypes.html#primitive */
const primitives: Readonly<Record<string, unknown>> = {
  base64Binary: 'SGVsbG8=',
  boolean: true,
  canonical: 'http://example.org/fhir/Questionnaire/1',
  date: '2026-03-02',
  dateTime: moment,
  decimal: 1.5,
  id: '1',
  instant: moment,
  integer: 1,
  positiveInt: 1,
  time: '09:30:00',
  unsignedInt: 1,
  uri: 'http://example.org/fhir/1',
  url: 'http://example.org/fhir/1',
};

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

const structureNamed = (name: string): StructureDefinition => {
  const found = structureDefinitions().find(({ id }) => id === name);
  if (found === undefined) throw new Error(`The definitions lack ${name}`);
  return found;
};

/** A record of the kind that a reference leads to, a patient where it may be one. */
const referenceBy = ({ targetProfile = [] }: ElementType) => {
  const targets = targetProfile.map((target) => lastPart(target.replaceAll('/', '.')));
  const [first = 'Patient'] = targets;
  return { reference: `${targets.includes('Patient') || first === 'Resource' ? 'Patient' : first}/1` };
};

const valueOf = (element: ElementDefinition, type: ElementType): unknown => {
  switch (type.code) {
    case 'code':
      return codesOf(element)?.[0] ?? 'en';
    case 'Reference':
      return referenceBy(type);
    case 'CodeableConcept':
      return { text: 'As people write it' };
    case 'Coding':
      return { system: 'http://example.org/codes', code: 'a' };
    default:
      if (Object.hasOwn(primitives, type.code)) return primitives[type.code];
      return /^[a-z]/.test(type.code) ? 'Text' : required(structureNamed(type.code), type.code);
  }
};

/** What must be there, level by level. */
const required = (structure: StructureDefinition, path: string): Example => {
  const all = structure.snapshot.element;
  const parents = new Set(all.map((element) => parentOf(element.path)));
  const needed = all.filter((element) => parentOf(element.path) === path && element.min > 0);
  return Object.fromEntries(
    needed.map((element) => {
      const [type] = element.type ?? [];
      if (type === undefined) throw new Error(`No example of ${element.path}`);
      const value = parents.has(element.path) ? required(structure, element.path) : valueOf(element, type);
      const name = lastPart(element.path).replace('[x]', type.code.charAt(0).toUpperCase() + type.code.slice(1));
      return [name, element.max === '1' ? value : [value]];
    }),
  );
};

/** The patient whose record it is, where a type tells it. */
const ofPatient = (structure: StructureDefinition): Example => {
  const element = structure.snapshot.element.find(
    ({ path, type = [], max }) =>
      ['subject', 'patient'].includes(path.replace(`${structure.name}.`, '')) &&
      max === '1' &&
      type.some(({ targetProfile = [] }) => targetProfile.some((target) => target.endsWith('/Patient'))),
  );
  return element === undefined ? {} : { [lastPart(element.path)]: { reference: 'Patient/1' } };
};

/** A small resource of each type, as it may be sent, by type. References lead to records that a reader has to put in. */
export const jsonExamples = (): ReadonlyMap<string, Example> =>
  new Map(
    resourceDefinitions().map((structure) => {
      const { name } = structure;
      const { resourceType: _, ...needed } = required(structure, name);
      return [name, { resourceType: name, ...needed, ...ofPatient(structure), ...said[name] }];
    }),
  );
