import type { ParseContextInternal } from 'zod/v4/core';
import { $constructor, $ZodType } from 'zod/v4/core';
import { lazySchema } from './lazy-schema.ts';
import { isPrimitive } from './primitive-schema.ts';
import type { ResourceSchema } from './resource-schema.ts';
import type { SchemaIssue } from './schema-issue.ts';
import { issuesFrom, schemaIssue } from './schema-issue.ts';

/** What may stand at one element: its cardinality, and the schema of each datatype that it may have. */
export interface ElementRule {
  readonly isRequired: boolean;
  readonly isList: boolean;
  /** One schema; or several by datatype, for an element that is named `value[x]`. */
  readonly types: $ZodType | Readonly<Record<string, $ZodType>>;
  /** An attribute in XML (`id`, `Extension.url`) and XHTML cannot be extended. */
  readonly isAttribute: boolean;
}

/**
 * Elements of a datatype, in the order of its definition, by their names there (`status`, `value[x]`).
 * `_` is the id and the extensions of any primitive among them, which stand beside it in JSON, as in `_birthDate`.
 */
export type Elements = Readonly<Record<string, ElementRule>>;

type Types = ElementRule['types'];

/** An element 0..1. */
export const optional = (types: Types): ElementRule => ({
  types,
  isRequired: false,
  isList: false,
  isAttribute: false,
});

/** An element 1..1. */
export const required = (types: Types): ElementRule => ({ types, isRequired: true, isList: false, isAttribute: false });

/** An element 0..*. */
export const list = (type: $ZodType): ElementRule => ({
  types: type,
  isRequired: false,
  isList: true,
  isAttribute: false,
});

/** An element 1..*. */
export const requiredList = (type: $ZodType): ElementRule => ({
  types: type,
  isRequired: true,
  isList: true,
  isAttribute: false,
});

/** A value that cannot have extensions. */
export const attribute = (rule: ElementRule): ElementRule => ({ ...rule, isAttribute: true });

/** A rule for one JSON property. */
interface Property {
  readonly schema: $ZodType;
  readonly isList: boolean;
  /** The property that this one accompanies or is: `birthDate` for both `birthDate` and `_birthDate`. */
  readonly name: string;
  /** The other one of the two, if the datatype is primitive. */
  readonly sibling: string | undefined;
  readonly isExtensions: boolean;
  /** `value` for the properties of `value[x]`. */
  readonly choice: string | undefined;
}

/** An element that must be there, and the JSON properties of which one satisfies that. */
interface Requirement {
  readonly name: string;
  readonly properties: readonly string[];
}

interface Compiled {
  readonly properties: ReadonlyMap<string, Property>;
  readonly requirements: readonly Requirement[];
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Asks without setting the schema up, as `instanceof` would. */
const isSchema = (types: Types): types is $ZodType => '_zod' in types;

const compile = (elements: Elements): Compiled => {
  const properties = new Map<string, Property>();
  const requirements: Requirement[] = [];
  const extensions = elements['_']?.types;
  for (const [element, { types, isList, isRequired, isAttribute }] of Object.entries(elements)) {
    if (element === '_') continue;
    const choice = element.endsWith('[x]') ? element.slice(0, -3) : undefined;
    const schemas: [string, $ZodType][] = isSchema(types)
      ? [[element, types]]
      : Object.entries(types).map(([type, schema]) => [`${choice}${capitalised(type)}`, schema]);
    const satisfying: string[] = [];
    for (const [name, schema] of schemas) {
      const sibling = isPrimitive(schema) && !isAttribute ? `_${name}` : undefined;
      properties.set(name, { schema, isList, name, sibling, isExtensions: false, choice });
      satisfying.push(name);
      if (sibling !== undefined && extensions !== undefined && isSchema(extensions)) {
        properties.set(sibling, { schema: extensions, isList, name, sibling: name, isExtensions: true, choice });
        satisfying.push(sibling);
      }
    }
    if (isRequired) requirements.push({ name: choice ?? element, properties: satisfying });
  }
  return { properties, requirements };
};

/** A caller is told of so many problems, which also bounds the work that a broken resource makes. */
export const maxIssues = 50;

/** Unknown names are repeated in an answer only if they look like names. */
const elementName = /^_?[A-Za-z][A-Za-z0-9]{0,63}$/;

interface ComplexDefinition {
  type: 'custom';
  /** `Observation.component`, `Quantity`. */
  readonly name: string;
  readonly kind: 'resource' | 'element' | 'extensions of a primitive';
  readonly compiled: () => Compiled;
}

/** A zod schema for a JSON object: a resource, a datatype or a backbone element. */
export interface ComplexSchema extends $ZodType {
  readonly typeName: string;
  /** The schema of a JSON property that holds objects with elements of their own; undefined for primitives and whole resources. */
  readonly childOf: (property: string) => ComplexSchema | undefined;
  /** The schema of whatever a JSON property holds; undefined for one that is not of the datatype. */
  readonly schemaOf: (property: string) => $ZodType | undefined;
  /** The JSON properties of an element, by its name without `[x]`: one for each datatype that it may have; none if there is no such element. */
  readonly propertiesOf: (element: string) => readonly ElementProperty[];
}

/** A JSON property that holds an element. */
export interface ElementProperty {
  readonly name: string;
  readonly isList: boolean;
  /** Of `value[x]`, what stands for the datatype in the property's name: `Quantity`, `String`. */
  readonly type: string | undefined;
  /** Of what it holds; undefined for primitives and whole resources. */
  readonly schema: ComplexSchema | undefined;
  /** Of what stands beside a primitive. */
  readonly besides: ComplexSchema | undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Walks the properties that an object has, not those that its datatype could have: an Extension has 50 datatypes to
 * choose from, and a tenth of the elements of a resource are in use. Zod's own objects visit each of them, copy what they
 * parse, and collect issues without a bound.
 */
const checkObject = (
  value: JsonObject,
  { name, kind }: ComplexDefinition,
  compiled: Compiled,
  context: ParseContextInternal,
) => {
  const issues: SchemaIssue[] = [];
  const { properties, requirements } = compiled;
  let chosen: Map<string, string> | undefined;
  let present = 0;

  const report = (code: Parameters<typeof schemaIssue>[0], message: string, ...path: (string | number)[]): void => {
    issues.push(schemaIssue(code, message, path));
  };

  const checkItem = (item: unknown, property: Property, index?: number): void => {
    const found = issuesFrom(property.schema, item, context);
    for (const issue of found) {
      issue.path.unshift(...(index === undefined ? [property.name] : [property.name, index]));
      issues.push(issue);
    }
    if (property.isExtensions && found.length === 0) checkPrimitiveExtensions(item as JsonObject, property, index);
  };

  /** Beside a value an id is enough, without one it is not. https://hl7.org/fhir/R4/element.html (ele-1) */
  const checkPrimitiveExtensions = (item: JsonObject, { name, sibling = '' }: Property, index?: number): void => {
    const primitives = value[sibling];
    const primitive = index === undefined ? primitives : Array.isArray(primitives) ? primitives[index] : undefined;
    if (item['extension'] === undefined && (primitive === undefined || primitive === null)) {
      report('structure', 'must have a value or extensions', name, ...(index === undefined ? [] : [index]));
    }
  };

  const checkList = (items: readonly unknown[], property: Property): void => {
    if (items.length === 0) report('structure', 'must not be an empty array', property.name);
    for (let index = 0; index < items.length && issues.length < maxIssues; index += 1) {
      const item = items[index];
      if (item === null || item === undefined) {
        const others = property.sibling === undefined ? undefined : value[property.sibling];
        const other: unknown = Array.isArray(others) ? others[index] : undefined;
        // null fills the place of a primitive that only has extensions, or of extensions that only have a primitive;
        // where both are null, the primitive's array is told of it
        const isReportedThere = property.isExtensions && other === null;
        if ((other === null || other === undefined) && !isReportedThere) {
          report('structure', 'must not be null', property.name, index);
        }
      } else checkItem(item, property, index);
    }
  };

  for (const key of Object.keys(value)) {
    if (issues.length >= maxIssues) return issues;
    const item = value[key];
    if (item === undefined) continue;
    present += 1;
    const property = properties.get(key);
    if (property === undefined) {
      if (kind === 'resource' && key === 'resourceType') continue;
      if (elementName.test(key)) report('structure', `is not an element of ${name}`, key);
      else report('structure', `has a property that is not an element of ${name}`);
      continue;
    }
    if (property.choice !== undefined) {
      chosen ??= new Map();
      const first = chosen.get(property.choice);
      if (first === undefined) chosen.set(property.choice, property.name);
      else if (first !== property.name) {
        report('structure', `must be only one of ${property.choice}[x]: ${first} or ${property.name}`, property.choice);
      }
    }
    if (item === null) report('structure', 'must not be null', property.name);
    else if (property.isList) {
      if (Array.isArray(item)) checkList(item, property);
      else report('structure', 'must be an array', property.name);
    } else if (Array.isArray(item)) report('structure', 'must not be an array', property.name);
    else checkItem(item, property);
  }
  // https://hl7.org/fhir/R4/element.html (ele-1); a resource of no elements is legal
  const hasOnlyId = present === 1 && value['id'] !== undefined;
  if (kind !== 'resource' && present === 0) report('structure', 'must not be empty');
  else if (kind === 'element' && hasOnlyId) report('structure', 'must have a value or children besides its id');
  else {
    for (const requirement of requirements) {
      if (!requirement.properties.some((property) => value[property] !== undefined)) {
        report('required', 'is required', requirement.name);
      }
    }
  }
  return issues;
};

const ObjectSchema = /* @__PURE__ */ $constructor<$ZodType & { _zod: { def: ComplexDefinition } }>(
  'FhirComplexType',
  (schema, definition) => {
    $ZodType.init(schema, definition);
    schema._zod.parse = (payload, context) => {
      const { value } = payload;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        payload.issues.push(schemaIssue('structure', 'must be an object'));
        return payload;
      }
      if (definition.kind === 'resource' && (value as JsonObject)['resourceType'] !== definition.name) {
        payload.issues.push(schemaIssue('structure', `must be ${definition.name}`, ['resourceType']));
        return payload;
      }
      for (const issue of checkObject(value as JsonObject, definition, definition.compiled(), context)) {
        payload.issues.push(issue);
      }
      return payload;
    };
  },
);

const complexSchema = (
  name: string,
  kind: ComplexDefinition['kind'],
  elements: () => Elements,
): ComplexSchema & ResourceSchema => {
  // at the first use: the datatypes refer to each other, and a function meets a few of them
  let done: Compiled | undefined;
  const compiled = () => {
    done ??= compile(elements());
    return done;
  };
  const schemaOf = (property: string) => compiled().properties.get(property)?.schema;
  const childOf = (property: string): ComplexSchema | undefined => {
    const child = schemaOf(property);
    return child && isComplex(child) ? child : undefined;
  };
  return lazySchema<ComplexSchema & ResourceSchema>(() => new ObjectSchema({ type: 'custom', name, kind, compiled }), {
    typeName: name,
    childOf,
    schemaOf,
    propertiesOf: (element) =>
      [...compiled().properties.values()]
        .filter((property) => !property.isExtensions && (property.choice ?? property.name) === element)
        .map(({ name: property, isList, choice, sibling }) => ({
          name: property,
          isList,
          type: choice === undefined ? undefined : property.slice(choice.length),
          schema: childOf(property),
          besides: sibling === undefined ? undefined : childOf(sibling),
        })),
  });
};

export const isComplex = (schema: $ZodType): schema is ComplexSchema => 'childOf' in schema;

/** What a schema shows that asks more of a datatype than its own does, such as references to certain types. */
export const childrenAsOf = ({
  typeName,
  childOf,
  schemaOf,
  propertiesOf,
}: ComplexSchema): Pick<ComplexSchema, 'typeName' | 'childOf' | 'schemaOf' | 'propertiesOf'> => ({
  typeName,
  childOf,
  schemaOf,
  propertiesOf,
});

/** Makes the schema of a datatype, or of a backbone element by its path. */
export const complexType = (name: string, elements: () => Elements): ComplexSchema =>
  complexSchema(name, 'element', elements);

/** Makes the schema of what stands beside a primitive, in `_birthDate`. https://hl7.org/fhir/R4/json.html#primitive */
export const primitiveExtensions = (elements: () => Elements): ComplexSchema =>
  complexSchema('Element', 'extensions of a primitive', elements);

/** Makes the schema of a resource type. */
export const resourceType = <R extends { resourceType: string }>(
  name: string,
  elements: () => Elements,
): ResourceSchema<R> => complexSchema(name, 'resource', elements) as $ZodType as ResourceSchema<R>;
