import { canaryOf } from './canaries.ts';

// The records of the traffic. Names, identifiers and free texts are a patient's own; the mark of a version stands in a tag, so that it is seen which version was shown.

const markSystem = 'http://concord.test/mark';
export const identifierSystem = 'http://concord.test/canary';
const restricted: fhir4.Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  code: 'R',
};
const ofHl7 = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

export interface Written {
  readonly person: number;
  /** `Patient/<id>`; of a Patient that is new, nothing. */
  readonly chart: string;
  readonly mark: string;
  readonly labels: readonly string[];
}

type Builder = (written: Written, text: string) => fhir4.FhirResource;

const builders = {
  Patient: ({ person }, text) => ({
    resourceType: 'Patient',
    identifier: [{ system: identifierSystem, value: canaryOf(person) }],
    name: [{ family: canaryOf(person), given: [text] }],
    telecom: [{ system: 'email', value: `${canaryOf(person)}@mail.example` }],
    address: [{ line: [`1 ${canaryOf(person)} Street`], city: text }],
    birthDate: '1980-02-03',
  }),
  Observation: ({ chart }, text) => ({
    resourceType: 'Observation',
    status: 'preliminary',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }], text },
    subject: { reference: chart },
    effectiveDateTime: '2026-05-06T07:08:09Z',
    valueString: text,
    note: [{ text }],
  }),
  Condition: ({ chart }, text) => ({
    resourceType: 'Condition',
    clinicalStatus: ofHl7('condition-clinical', 'active'),
    code: { text },
    subject: { reference: chart },
    note: [{ text }],
  }),
  AllergyIntolerance: ({ chart }, text) => ({
    resourceType: 'AllergyIntolerance',
    clinicalStatus: ofHl7('allergyintolerance-clinical', 'active'),
    code: { text },
    patient: { reference: chart },
  }),
  Encounter: ({ chart }, text) => ({
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: chart },
    reasonCode: [{ text }],
    period: { start: '2026-05-06T07:00:00Z' },
  }),
  Location: (_written, text) => ({ resourceType: 'Location', name: text }),
} satisfies Readonly<Record<string, Builder>>;

export type WrittenType = keyof typeof builders;

/** Types of records that a chart is filled with. */
export const typesInCharts = [
  'Observation',
  'Condition',
  'AllergyIntolerance',
  'Encounter',
] as const satisfies WrittenType[];

/** A record, full of texts that must not come where they do not belong. */
export const bodyOf = (type: WrittenType, written: Written): fhir4.FhirResource => {
  const text = type === 'Location' ? written.mark : `${canaryOf(written.person)} ${written.mark}`;
  return marked(builders[type](written, text), written);
};

/** The same resource with the mark of its version and its labels. */
export const marked = (
  resource: fhir4.FhirResource,
  { mark, labels }: Pick<Written, 'mark' | 'labels'>,
): fhir4.FhirResource => ({
  ...resource,
  meta: {
    tag: [{ system: markSystem, code: mark }],
    ...(labels.includes('R') ? { security: [restricted] } : {}),
  },
});

/** The mark of the version that is shown. */
export const markIn = ({ meta }: { readonly meta?: fhir4.Meta | undefined }): string | undefined =>
  meta?.tag?.find(({ system }) => system === markSystem)?.code;

/** The search for the version that bears a mark. */
export const byMark = (mark: string): string => `_tag=${encodeURIComponent(`${markSystem}|${mark}`)}`;
