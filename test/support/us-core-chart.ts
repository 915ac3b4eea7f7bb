// A chart with records of all types that US Core searches by, some hundreds in all, of many categories, codes, states and dates.

const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
const concept = (code: string, system: string): fhir4.CodeableConcept => ({ coding: [{ system, code }] });
const terms = (name: string) => `http://terminology.hl7.org/CodeSystem/${name}`;

/** Records of each type but Observation, of which there are more. */
const each = 12;
const observations = 240;

/** A day, one a month from 2020 on. */
export const dayOf = (n: number): string => new Date(Date.UTC(2020, n, 15)).toISOString().slice(0, 10);
const pick = <T>(values: readonly [T, ...T[]], n: number): T => values[n % values.length] ?? values[0];

type Make = (n: number, patient: fhir4.Reference, medications: readonly fhir4.Reference[]) => fhir4.FhirResource;

const kinds: readonly Make[] = [
  (n, patient) => ({
    resourceType: 'AllergyIntolerance',
    clinicalStatus: concept(pick(['active', 'inactive'], n), terms('allergyintolerance-clinical')),
    verificationStatus: concept('confirmed', terms('allergyintolerance-verification')),
    code: concept(String(300_000 + n), snomed),
    patient,
  }),
  (n, patient) => ({
    resourceType: 'CarePlan',
    status: pick(['active', 'completed'] as const, n),
    intent: 'plan',
    category: [concept(pick(['assess-plan', 'other'], n), 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category')],
    subject: patient,
  }),
  (n, patient) => ({ resourceType: 'CareTeam', status: pick(['active', 'inactive'] as const, n), subject: patient }),
  (n, patient) => ({
    resourceType: 'Condition',
    clinicalStatus: concept(pick(['active', 'resolved'], n), terms('condition-clinical')),
    verificationStatus: concept('confirmed', terms('condition-ver-status')),
    category: [concept(pick(['problem-list-item', 'encounter-diagnosis'], n), terms('condition-category'))],
    code: concept(String(400_000 + n), snomed),
    subject: patient,
  }),
  (_, patient) => ({ resourceType: 'Coverage', status: 'active', beneficiary: patient, payor: [patient] }),
  (_, patient) => ({ resourceType: 'Device', status: 'active', patient }),
  (n, patient) => ({
    resourceType: 'DiagnosticReport',
    status: 'final',
    category: [concept(pick(['LAB', 'RAD', 'CARD'], n), terms('v2-0074'))],
    code: concept(pick(['58410-2', '24323-8'], n), loinc),
    subject: patient,
    effectiveDateTime: `${dayOf(n)}T08:00:00Z`,
  }),
  (n, patient) => ({
    resourceType: 'DocumentReference',
    status: 'current',
    type: concept(pick(['34133-9', '18842-5'], n), loinc),
    category: [
      concept(
        pick(['clinical-note', 'other'], n),
        'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
      ),
    ],
    subject: patient,
    date: `${dayOf(n)}T08:00:00Z`,
    content: [{ attachment: { contentType: 'text/plain', data: 'YQ==' } }],
  }),
  (n, patient) => ({
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: terms('v3-ActCode'), code: 'AMB' },
    subject: patient,
    period: { start: `${dayOf(n)}T08:00:00Z`, end: `${dayOf(n)}T09:00:00Z` },
  }),
  (n, patient) => ({
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    description: { text: `Goal ${n}` },
    subject: patient,
  }),
  (n, patient) => ({
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: concept('158', 'http://hl7.org/fhir/sid/cvx'),
    patient,
    occurrenceDateTime: dayOf(n),
  }),
  (_, patient) => ({
    resourceType: 'MedicationDispense',
    status: 'completed',
    medicationCodeableConcept: concept('197361', 'http://www.nlm.nih.gov/research/umls/rxnorm'),
    subject: patient,
  }),
  (n, patient, medications) => ({
    resourceType: 'MedicationRequest',
    status: pick(['completed', 'stopped'] as const, n),
    intent: pick(['order', 'order', 'plan'] as const, n),
    ...(n % 2 === 0
      ? { medicationReference: pick([medications[0] ?? {}, medications[1] ?? {}], n / 2) }
      : { medicationCodeableConcept: concept('197361', 'http://www.nlm.nih.gov/research/umls/rxnorm') }),
    subject: patient,
    authoredOn: dayOf(n),
  }),
  (n, patient) => ({
    resourceType: 'Procedure',
    status: 'completed',
    code: concept(String(500_000 + n), snomed),
    subject: patient,
    performedDateTime: dayOf(n),
  }),
  (n, patient) => ({
    resourceType: 'ServiceRequest',
    status: 'completed',
    intent: 'order',
    category: [concept(pick(['108252007', '387713003'], n), snomed)],
    code: concept(pick(['24357-6', '35088-4'], n), loinc),
    subject: patient,
    authoredOn: dayOf(n),
  }),
];

const observation = (n: number, patient: fhir4.Reference): fhir4.Observation => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    concept(pick(['laboratory', 'vital-signs', 'social-history', 'survey'], n), terms('observation-category')),
  ],
  code: concept(pick(['8867-4', '2339-0', '72166-2', '44249-1', '8302-2'], n), loinc),
  subject: patient,
  effectiveDateTime: `${dayOf(n % 60)}T0${n % 10}:30:00Z`,
  valueQuantity: { value: 60 + (n % 40), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
});

/** The records of a patient, without ids. */
export const usCoreChart = (patient: string, medications: readonly string[]): readonly fhir4.FhirResource[] => {
  const reference = { reference: patient };
  const named = medications.map((medication) => ({ reference: medication }));
  return [
    ...kinds.flatMap((make) => Array.from({ length: each }, (_, n) => make(n, reference, named))),
    ...Array.from({ length: observations }, (_, n) => observation(n, reference)),
  ];
};

/** Says where records come from. */
export const provenanceOf = (targets: readonly string[], organization: string): fhir4.Provenance => ({
  resourceType: 'Provenance',
  target: targets.map((reference) => ({ reference })),
  recorded: '2024-06-01T08:00:00Z',
  agent: [{ who: { reference: organization } }],
});
