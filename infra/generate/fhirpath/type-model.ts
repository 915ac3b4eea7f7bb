import type { Constraint, StructureDefinition } from './definitions.ts';
import { structureDefinitions } from './definitions.ts';

/** One possible type of an element, under the name that it has in JSON. */
export interface Property {
  /** Name in JSON: `valueQuantity` for `value[x]` of type Quantity. */
  readonly property: string;
  /** A FHIR datatype or, for a backbone element, its path: `Observation.component`. */
  readonly type: string;
  /** `SimpleQuantity` where the definition narrows the datatype by that profile. */
  readonly profile?: string;
}

/** An element as FHIRPath names it: `value` stands for `value[x]` with several properties. */
export interface ElementModel {
  readonly name: string;
  /** Path in the definition, such as `RiskAssessment.prediction.probability[x]`. */
  readonly path: string;
  readonly many: boolean;
  readonly choice: boolean;
  readonly properties: readonly Property[];
  readonly constraints: readonly Constraint[];
}

/** A datatype, a resource type or a backbone element. */
export interface TypeModel {
  readonly name: string;
  readonly kind: 'resource' | 'complex' | 'primitive' | 'backbone';
  readonly abstract: boolean;
  readonly elements: ReadonlyMap<string, ElementModel>;
  /** Rules about the type as a whole. */
  readonly constraints: readonly Constraint[];
}

/** All R4 types by name, backbone elements by path. */
export type TypeModels = ReadonlyMap<string, TypeModel>;

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

// `id` of an element is declared with a FHIRPath type: https://hl7.org/fhir/R4/fhirpath.html#types
const datatypeOf = (code: string): string => (code === 'http://hl7.org/fhirpath/System.String' ? 'string' : code);

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

const addTypes = (structure: StructureDefinition, models: Map<string, TypeModel>): void => {
  const elements = structure.snapshot.element;
  const rootPath = elements[0]?.path ?? structure.name;
  const isParent = new Set(
    elements.map((element) => element.path.slice(0, Math.max(0, element.path.lastIndexOf('.')))),
  );
  for (const parent of elements) {
    const isRoot = parent.path === rootPath;
    if (!isRoot && !isParent.has(parent.path)) continue;
    const children = new Map<string, ElementModel>();
    for (const element of elements) {
      if (element.path.slice(0, Math.max(0, element.path.lastIndexOf('.'))) !== parent.path) continue;
      const declared = lastPart(element.path);
      const choice = declared.endsWith('[x]');
      const name = choice ? declared.slice(0, -3) : declared;
      const properties: Property[] = [];
      if (element.contentReference !== undefined) {
        properties.push({ property: name, type: element.contentReference.slice(1) });
      } else if (isParent.has(element.path)) {
        properties.push({ property: name, type: element.path });
      } else {
        for (const { code, profile } of element.type ?? []) {
          const type = datatypeOf(code);
          properties.push({
            property: choice ? name + capitalised(type) : name,
            type: structure.kind === 'resource' && element.path === `${rootPath}.id` ? 'id' : type,
            ...(profile?.[0] === undefined ? {} : { profile: lastPart(profile[0].replaceAll('/', '.')) }),
          });
        }
      }
      children.set(name, {
        name,
        path: element.path,
        many: element.max !== '0' && element.max !== '1',
        choice,
        properties,
        constraints: element.constraint ?? [],
      });
    }
    models.set(isRoot ? (structure.derivation === 'constraint' ? structure.id : structure.name) : parent.path, {
      name: isRoot ? structure.name : parent.path,
      kind: !isRoot
        ? 'backbone'
        : structure.kind === 'resource'
          ? 'resource'
          : structure.kind === 'primitive-type'
            ? 'primitive'
            : 'complex',
      abstract: structure.abstract,
      elements: children,
      constraints: isRoot ? (parent.constraint ?? []) : [],
    });
  }
};

let cached: TypeModels | undefined;

/** The R4 types, read once from their structure definitions. */
export const typeModels = (): TypeModels => {
  if (cached === undefined) {
    const models = new Map<string, TypeModel>();
    for (const structure of structureDefinitions()) addTypes(structure, models);
    cached = models;
  }
  return cached;
};

/** The types of which records exist, in alphabetical order. */
export const resourceTypes = (): string[] =>
  [...typeModels().values()]
    .filter((model) => model.kind === 'resource' && !model.abstract)
    .map((model) => model.name)
    .sort();

/** Name of a type in `@types/fhir`: `fhir4.ObservationComponent` for `Observation.component`. */
export const typescriptType = (type: string): string => `fhir4.${type.split('.').map(capitalised).join('')}`;

/** `observation` for `Observation`, `observationComponent` for `Observation.component`. */
export const variableName = (type: string): string => {
  const name = type.split('.').map(capitalised).join('');
  return name.charAt(0).toLowerCase() + name.slice(1);
};
