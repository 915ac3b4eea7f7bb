import fc from 'fast-check';

// What support staff may, in a model of its own, written without a look at the code that it judges (docs/access.md, "Support staff").

export interface ModelSupporter {
  readonly organization: string;
  readonly fhirUser: string;
  readonly delegated: boolean;
  /** Whether it is done by an operation that books. */
  readonly books: boolean;
  /** Whether what is delegated opens charts in verified calls alone, and whose call it is. */
  readonly callsOnly: boolean;
  readonly calling: string | undefined;
}

export interface SupportedRecord {
  readonly custodian: string;
  readonly chart: string;
  readonly labels: readonly string[];
  readonly resource:
    | fhir4.Patient
    | fhir4.Appointment
    | fhir4.Communication
    | fhir4.Task
    | fhir4.Observation
    | fhir4.Location;
}

const work = 'https://concord.example/fhir/CodeSystem/work|administrative';
const codesOf = ({ coding = [] }: fhir4.CodeableConcept): string[] =>
  coding.map(({ system, code }) => `${system}|${code}`);

/** Whether somebody of support may do this with a record. */
export const maySupport = (
  { organization, fhirUser, delegated, books, callsOnly, calling }: ModelSupporter,
  action: 'c' | 'r' | 'u' | 'd' | 's',
  { custodian, chart, labels, resource }: SupportedRecord,
): boolean => {
  if (resource.resourceType === 'Location') return action === 'r' || action === 's';
  if (resource.resourceType === 'Observation' || !delegated || custodian !== organization) return false;
  if (labels.some((label) => !/\/v3-Confidentiality\|[ULMN]$/.test(label))) return false;
  if (callsOnly && resource.resourceType !== 'Task' && calling !== chart) return false;
  const writes = resource.resourceType === 'Communication' || resource.resourceType === 'Task';
  const booking = books && resource.resourceType === 'Appointment' && action !== 'd';
  if (!(action === 'r' || action === 's' || (action === 'c' && writes) || booking)) return false;
  if (resource.resourceType === 'Task') return resource.owner?.reference === fhirUser;
  if (resource.resourceType !== 'Communication') return true;
  const categories = resource.category ?? [];
  const [writer] = (resource.sender?.reference ?? '').split('/_history/')[0]?.split('/').slice(-2) ?? [];
  const wasLookedAt = (resource.extension ?? []).some(
    ({ url, valueBoolean }) =>
      valueBoolean && url === 'https://concord.example/fhir/StructureDefinition/administrative-by-triage',
  );
  return (
    (wasLookedAt || !resource.sender || ['Practitioner', 'Organization'].includes(writer ?? '')) &&
    categories.length > 0 &&
    categories.every((each) => codesOf(each).join() !== '' && codesOf(each).every((code) => code === work))
  );
};

const people = ['Practitioner/s1', 'Practitioner/s2'] as const;
const charts = ['chart-1', 'chart-2'] as const;
const organizations = ['northside', 'lakeside'] as const;
const concept = fc.constantFrom<fhir4.CodeableConcept>(
  { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'administrative' }] },
  { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'administrative' }], text: 'hush' },
  {
    coding: [
      { system: 'https://concord.example/fhir/CodeSystem/work', code: 'administrative' },
      { system: 'http://s', code: 'clinical' },
    ],
  },
  { coding: [{ system: 'http://s', code: 'administrative' }] },
  { coding: [] },
  { text: 'administrative' },
);

export const supporter: fc.Arbitrary<ModelSupporter> = fc.record({
  organization: fc.constantFrom(...organizations),
  fhirUser: fc.constantFrom(...people),
  delegated: fc.boolean(),
  books: fc.boolean(),
  callsOnly: fc.boolean(),
  calling: fc.constantFrom(undefined, ...charts),
});

const resource: fc.Arbitrary<SupportedRecord['resource']> = fc.oneof(
  fc.constantFrom<SupportedRecord['resource']>(
    { resourceType: 'Patient' },
    { resourceType: 'Appointment', status: 'booked', participant: [] },
    { resourceType: 'Observation', status: 'final', code: {} },
    { resourceType: 'Location' },
  ),
  fc
    .record({
      category: fc.option(fc.array(concept, { maxLength: 2 }), { nil: undefined }),
      sender: fc.constantFrom(
        undefined,
        'Patient/1',
        'Patient/Abc/_history/2',
        '#him',
        'https://x.example/fhir/RelatedPerson/1',
        'Practitioner/s1',
        'Organization/o/_history/1',
      ),
      extension: fc.constantFrom<fhir4.Extension[] | undefined>(
        undefined,
        [{ url: 'https://concord.example/fhir/StructureDefinition/administrative-by-triage', valueBoolean: true }],
        [{ url: 'https://concord.example/fhir/StructureDefinition/administrative-by-triage', valueBoolean: false }],
        [{ url: 'https://concord.example/fhir/StructureDefinition/triage', valueBoolean: true }],
      ),
    })
    .map(
      ({ category, sender, extension }) =>
        ({
          resourceType: 'Communication',
          status: 'completed',
          ...(category ? { category } : {}),
          ...(sender ? { sender: { reference: sender } } : {}),
          ...(extension ? { extension } : {}),
        }) as const,
    ),
  fc.constantFrom(undefined, ...people, 'Patient/1').map(
    (owner) =>
      ({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        ...(owner ? { owner: { reference: owner } } : {}),
      }) as const,
  ),
);

export const supported: fc.Arbitrary<SupportedRecord> = fc.record({
  custodian: fc.constantFrom(...organizations),
  chart: fc.constantFrom(...charts),
  labels: fc.subarray(
    [
      'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N',
      'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R',
      'http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY',
      'http://x|N',
    ],
    { maxLength: 1 },
  ),
  resource,
});
