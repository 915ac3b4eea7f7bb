import type { Resource } from '../fhir/resource.ts';

/** A part of a patient summary. https://hl7.org/fhir/uv/ips/StructureDefinition-Composition-uv-ips.html */
export interface Section {
  /** LOINC's code and name of the part. */
  readonly code: string;
  readonly display: string;
  readonly title: string;
  /** What is said of a section that holds nothing, for one that every summary has. */
  readonly required?: string;
  /** Whether a record, as its reader is shown it, belongs here. */
  readonly holds: (resource: Resource) => boolean;
  /** True shows of each code the newest alone. */
  readonly latest?: true;
  /** How many of the newest are shown; all if absent, or the summary is refused. */
  readonly most?: number;
}

const codesOf = (concept: unknown): (string | undefined)[] =>
  [concept ?? []].flat().flatMap((each) => ((each as fhir4.CodeableConcept).coding ?? []).map(({ code }) => code));

const says = (concept: unknown, codes: readonly string[]): boolean =>
  codesOf(concept).some((code) => code !== undefined && codes.includes(code));

const isOneOf = (value: unknown, codes: readonly string[]): boolean => codes.includes(value as string);

/** Refuted, or entered in error: a record that says nothing of the patient. */
const isVoid = ({ verificationStatus, status }: Resource): boolean =>
  says(verificationStatus, ['refuted', 'entered-in-error']) || status === 'entered-in-error';

const past = ['inactive', 'remission', 'resolved'];

/** Value sets `pregnancy-status-uv-ips`, `edd-method-uv-ips` and `pregnancies-summary-uv-ips` of IPS, all of LOINC. */
const pregnancy =
  '82810-3 11778-8 11779-6 11780-4 11636-8 11637-6 11638-4 11639-2 11640-0 11612-9 11613-7 11614-5 33065-4'.split(' ');
/** Tobacco and alcohol use, as IPS has them. */
const habits = ['72166-2', '74013-4'];

/** Categories of what is in no part: answers to questions, and what goes on in a therapy or at home. https://hl7.org/fhir/R4/valueset-observation-category.html */
const inNone = ['survey', 'therapy', 'activity'];

/** Of which part an Observation is one: a result, unless it is told to be something else, since laboratories have categories of their own. */
const kindOf = ({ resourceType, status, code, category }: Resource) => {
  if (resourceType !== 'Observation' || isOneOf(status, ['registered', 'cancelled', 'entered-in-error']))
    return undefined;
  if (says(code, pregnancy)) return 'pregnancy';
  if (says(category, ['social-history']) || says(code, habits)) return 'social';
  if (says(category, ['vital-signs'])) return 'vital';
  return says(category, inNone) ? undefined : 'result';
};

/** An order that counts as order checks count it (docs/order-checks.md). */
const isOrder = ({ resourceType, status, intent }: Resource): boolean =>
  resourceType === 'MedicationRequest' &&
  isOneOf(status, ['active', 'on-hold', 'unknown']) &&
  !isOneOf(intent, ['proposal', 'plan', 'option']);

/** An order not to give a medicine: that warns, and is no medication. */
const isForbidding = (resource: Resource): boolean => isOrder(resource) && resource['doNotPerform'] === true;

const isMedicine = (resource: Resource): boolean =>
  (isOrder(resource) && !isForbidding(resource)) ||
  (resource.resourceType === 'MedicationStatement' &&
    isOneOf(resource['status'], ['active', 'intended', 'on-hold', 'unknown']));

/** The parts of a summary in their order: first the three that each one has. */
export const sections: readonly Section[] = [
  {
    code: '48765-2',
    display: 'Allergies and adverse reactions Document',
    title: 'Allergies and intolerances',
    required: 'allergies or intolerances',
    holds: (resource) =>
      resource.resourceType === 'AllergyIntolerance' &&
      !isVoid(resource) &&
      !says(resource['clinicalStatus'], ['inactive', 'resolved']),
  },
  {
    code: '10160-0',
    display: 'History of Medication use Narrative',
    title: 'Medication',
    required: 'medication',
    holds: isMedicine,
  },
  {
    code: '11450-4',
    display: 'Problem list - Reported',
    title: 'Problems',
    required: 'problems',
    holds: (resource) =>
      resource.resourceType === 'Condition' && !isVoid(resource) && !says(resource['clinicalStatus'], past),
  },
  {
    code: '104605-1',
    display: 'Alert',
    title: 'Alerts',
    holds: (resource) =>
      (resource.resourceType === 'Flag' && resource['status'] === 'active') || isForbidding(resource),
  },
  {
    code: '11369-6',
    display: 'History of Immunization Narrative',
    title: 'Immunizations',
    holds: ({ resourceType, status }) => resourceType === 'Immunization' && status === 'completed',
    most: 200,
  },
  {
    code: '30954-2',
    display: 'Relevant diagnostic tests/laboratory data Narrative',
    title: 'Results',
    holds: (resource) =>
      kindOf(resource) === 'result' ||
      (resource.resourceType === 'DiagnosticReport' &&
        !isOneOf(resource['status'], ['registered', 'cancelled', 'entered-in-error'])),
    latest: true,
    most: 150,
  },
  {
    code: '47519-4',
    display: 'History of Procedures Document',
    title: 'Procedures',
    holds: ({ resourceType, status }) =>
      resourceType === 'Procedure' && isOneOf(status, ['in-progress', 'on-hold', 'stopped', 'completed', 'unknown']),
    most: 200,
  },
  {
    code: '46264-8',
    display: 'History of medical device use',
    title: 'Devices',
    holds: ({ resourceType, status }) =>
      resourceType === 'Device' && isOneOf(status ?? 'active', ['active', 'unknown']),
    most: 200,
  },
  {
    code: '42348-3',
    display: 'Advance directives',
    title: 'Advance directives',
    holds: ({ resourceType, status, scope }) =>
      resourceType === 'Consent' && status === 'active' && says(scope, ['adr']),
  },
  {
    code: '11348-0',
    display: 'History of Past illness Narrative',
    title: 'Past illness',
    holds: (resource) =>
      resource.resourceType === 'Condition' && !isVoid(resource) && says(resource['clinicalStatus'], past),
    most: 200,
  },
  {
    code: '8716-3',
    display: 'Vital signs',
    title: 'Vital signs',
    holds: (resource) => kindOf(resource) === 'vital',
    latest: true,
    most: 50,
  },
  {
    code: '10162-6',
    display: 'History of pregnancies Narrative',
    title: 'Pregnancy',
    holds: (resource) => kindOf(resource) === 'pregnancy',
    latest: true,
  },
  {
    code: '29762-2',
    display: 'Social history Narrative',
    title: 'Social history',
    holds: (resource) => kindOf(resource) === 'social',
    latest: true,
    most: 50,
  },
  {
    code: '18776-5',
    display: 'Plan of care note',
    title: 'Plan of care',
    holds: ({ resourceType, status }) => resourceType === 'CarePlan' && isOneOf(status, ['active', 'on-hold']),
    most: 50,
  },
];

/** The part that a record belongs to; undefined for one that is in no summary. */
export const sectionOf = (resource: Resource): Section | undefined => sections.find(({ holds }) => holds(resource));

/** What makes two results of one kind: the first code with its system, else the text. */
export const kindOfResult = ({ resourceType, code }: Resource): string => {
  const { coding = [], text = '' } = (code ?? {}) as fhir4.CodeableConcept;
  const first = coding.find((each) => each.code !== undefined);
  return `${resourceType} ${first ? `${first.system}|${first.code}` : text}`;
};
