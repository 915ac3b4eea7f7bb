import {
  type ElementDefinition,
  type ElementType,
  resourceDefinitions,
  type StructureDefinition,
  structureDefinitions,
} from './structure-definitions.ts';
import { expand } from './value-sets.ts';

/** What is used of JSON Schema, draft 2020-12. https://json-schema.org/draft/2020-12/schema */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Codes of a value set that are written out; those of a longer one are in its definition. */
const mostCodes = 60;

/** Name of what stands beside a primitive in `_birthDate`; beside a list of them stands a list. */
const besidePrimitive = 'Element';

/** Where a definition stands in the document that these are made for. */
const refersTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const year = '(?!0000)[0-9]{4}';
const month = '(0[1-9]|1[0-2])';
const day = '(0[1-9]|[12][0-9]|3[01])';
const time = '([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?';
const zone = '(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))';
const text = { type: 'string', minLength: 1 };
const address = { type: 'string', pattern: '^\\S+$' };
const int32 = 2 ** 31 - 1;

/** https://hl7.org/fhir/R4/datatypes.html#primitive */
const primitives: Readonly<Record<string, JsonSchema>> = {
  base64Binary: { type: 'string', contentEncoding: 'base64' },
  boolean: { type: 'boolean' },
  canonical: address,
  code: { type: 'string', pattern: '^\\S+(\\s\\S+)*$' },
  date: { type: 'string', pattern: `^${year}(-${month}(-${day})?)?$` },
  dateTime: { type: 'string', pattern: `^${year}(-${month}(-${day}(T${time}${zone})?)?)?$` },
  decimal: { type: 'number' },
  id: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' },
  instant: { type: 'string', pattern: `^${year}-${month}-${day}T${time}${zone}$` },
  integer: { type: 'integer', minimum: -int32 - 1, maximum: int32 },
  markdown: text,
  oid: { type: 'string', pattern: '^urn:oid:[0-2](\\.(0|[1-9][0-9]*))+$' },
  positiveInt: { type: 'integer', minimum: 1, maximum: int32 },
  string: text,
  time: { type: 'string', pattern: `^${time}$` },
  unsignedInt: { type: 'integer', minimum: 0, maximum: int32 },
  uri: address,
  url: address,
  uuid: { type: 'string', pattern: '^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' },
  xhtml: text,
};

/** Any resource, where one holds others. https://hl7.org/fhir/R4/resource.html */
const anyResource: JsonSchema = {
  type: 'object',
  description: 'A resource of any type',
  required: ['resourceType'],
  properties: { resourceType: { type: 'string' }, id: refersTo('id'), meta: refersTo('Meta') },
};

const isAttribute = ({ code }: ElementType): boolean => code.startsWith('http://hl7.org/fhirpath/');

/** Name of the definition of a type; attributes of FHIRPath's types are an id or a url. */
const nameOf = (path: string, type: ElementType): string => {
  if (!isAttribute(type)) return lastPart((type.profile?.[0] ?? type.code).replaceAll('/', '.'));
  return /^[A-Z]\w+\.id$/.test(path) && resourceNames().has(parentOf(path)) ? 'id' : 'string';
};

let names: ReadonlySet<string> | undefined;
const resourceNames = (): ReadonlySet<string> => {
  names ??= new Set(resourceDefinitions().map(({ name }) => name));
  return names;
};

/** The codes of an element that are the only ones, if they are few. */
export const codesOf = ({ binding }: ElementDefinition): readonly string[] | undefined => {
  if (binding?.strength !== 'required' || binding.valueSet === undefined) return undefined;
  const codes = [...new Set([...(expand(binding.valueSet)?.values() ?? [])].flat())];
  return codes.length === 0 || codes.length > mostCodes ? undefined : codes;
};

const schemaOf = (element: ElementDefinition, type: ElementType): JsonSchema => {
  const codes = type.code === 'code' ? codesOf(element) : undefined;
  return codes === undefined ? refersTo(nameOf(element.path, type)) : { type: 'string', enum: codes };
};

/** An item of a list of primitives may be missing where extensions stand beside it. https://hl7.org/fhir/R4/json.html#primitive */
const listOf = (items: JsonSchema, primitive: boolean): JsonSchema => ({
  type: 'array',
  minItems: 1,
  items: primitive ? { anyOf: [items, { type: 'null' }] } : items,
});

const isPrimitive = (type: ElementType): boolean => type.code in primitives;

/** What is told of an element in a line, and which types of records a reference leads to. */
const describe = ({ short, min }: ElementDefinition, type: ElementType | undefined): string => {
  const targets = (type?.targetProfile ?? []).map((target) => lastPart(target.replaceAll('/', '.')));
  const leads = targets.length === 0 || targets.includes('Resource') ? '' : ` (${targets.join(', ')})`;
  return `${short ?? ''}${leads}${min > 0 ? '. Required' : ''}`;
};

/** The JSON properties of one element: one for each datatype of `value[x]`. */
const propertiesOf = (element: ElementDefinition, parents: ReadonlySet<string>): [string, JsonSchema][] => {
  const { path, max, contentReference, type = [] } = element;
  const name = lastPart(path);
  const property = (key: string, schema: JsonSchema, of?: ElementType): [string, JsonSchema] => {
    const description = describe(element, of);
    const whole = max === '1' ? schema : listOf(schema, of !== undefined && isPrimitive(of));
    return [key, { ...whole, ...(description === '' ? {} : { description }) }];
  };
  if (contentReference !== undefined) return [property(name, refersTo(contentReference.slice(1)))];
  if (parents.has(path)) return [property(name, refersTo(path))];
  if (!name.endsWith('[x]')) return type.slice(0, 1).map((one) => property(name, schemaOf(element, one), one));
  return type.map((one) => property(`${name.slice(0, -3)}${upperFirst(one.code)}`, schemaOf(element, one), one));
};

/**
 * Of a resource, a datatype or a backbone element. A primitive that must be there may be left out where extensions tell why, so only others are
 * `required`; the description says it of both.
 */
const objectOf = (structure: StructureDefinition, path: string): JsonSchema => {
  const all = structure.snapshot.element;
  const parents = new Set(all.map((element) => parentOf(element.path)));
  const own = all.filter((element) => parentOf(element.path) === path && element.max !== '0');
  const isResource = structure.kind === 'resource' && path === structure.name;
  const required = own
    .filter(({ min, path: of, type = [] }) => min > 0 && !of.endsWith('[x]') && !type.some(isPrimitive))
    .map(({ path: of }) => lastPart(of));
  const properties = Object.fromEntries(own.flatMap((element) => propertiesOf(element, parents)));
  const needed = [...(isResource ? ['resourceType'] : []), ...required];
  const description = isResource ? all[0]?.short : undefined;
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    ...(needed.length === 0 ? {} : { required: needed }),
    properties: { ...(isResource ? { resourceType: { const: structure.name } } : {}), ...properties },
    // What stands beside primitives: named one by one they would be a third of it all.
    patternProperties: { '^_[a-z]': refersTo('BesidePrimitive') },
    additionalProperties: false,
  };
};

/** The definitions of a structure: its own and one for each of its backbone elements, by name. */
const definitionsOf = (structure: StructureDefinition): [string, JsonSchema][] => {
  const all = structure.snapshot.element;
  const root = all[0]?.path ?? structure.id;
  const parents = new Set(all.map((element) => parentOf(element.path)));
  return [
    [structure.id, objectOf(structure, root)],
    ...all
      .filter(({ path }) => path !== root && parents.has(path))
      .map(({ path }): [string, JsonSchema] => [path, objectOf(structure, path)]),
  ];
};

/** JSON Schemas of R4's resource types and datatypes, by name; a backbone element has its path for a name. */
export const jsonSchemas = (): ReadonlyMap<string, JsonSchema> => {
  const complex = structureDefinitions().filter(
    ({ kind, abstract, id }) => kind === 'complex-type' && (!abstract || id === besidePrimitive),
  );
  return new Map([
    ...Object.entries(primitives),
    ['Resource', anyResource],
    ['BesidePrimitive', { anyOf: [refersTo(besidePrimitive), listOf(refersTo(besidePrimitive), true)] }],
    ...[...complex, ...resourceDefinitions()].flatMap(definitionsOf),
  ]);
};
