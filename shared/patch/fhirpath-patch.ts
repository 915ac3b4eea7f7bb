import type { ElementProperty } from '../fhir/complex-type.ts';
import { spelledOut } from '../fhir/json.ts';
import type { ResourceSchema } from '../fhir/resource-schema.ts';
import {
  type FoundElement,
  type HolderSchema,
  insideOf,
  lengthOf,
  PathNotUnderstood,
  type PathStep,
  propertiesIn,
  readPath,
  select,
} from './element-path.ts';
import { isObject, type JsonObject } from './json-tree.ts';
import { malformedPatch, patchDoesNotFit, requireFewOperations } from './refusal.ts';

/** What an operation puts into a resource. */
type Given =
  /** A value of a datatype, by its name in `value[x]`, and what stands beside it if it is primitive; or a whole resource. */
  | { readonly kind: 'value'; readonly type: string | undefined; readonly json: unknown; readonly besides: unknown }
  /** An element that has no datatype of its own, element by element. */
  | { readonly kind: 'parts'; readonly parts: readonly (readonly [name: string, Given])[] };

interface Operation {
  /** `Parameters.parameter[1]` */
  readonly at: string;
  readonly change: (root: FoundElement) => void;
}

/**
 * Reads a FHIRPath Patch. https://hl7.org/fhir/R4/fhirpatch.html
 *
 * @param schema - of the type that is patched.
 * @param parameters - a Parameters resource, as parsed.
 * @returns applies it to a tree as `spelledOut` makes it, which it changes and returns. It throws RecordError `business-rule` naming the operation that
 *   does not fit.
 * @throws RecordError `invalid` naming the operation, as in `Parameters.parameter[1]`, and what is not understood in it.
 */
export const readFhirPathPatch = (schema: ResourceSchema, parameters: JsonObject): ((tree: unknown) => unknown) => {
  const given = parameters['parameter'] ?? [];
  if (!Array.isArray(given)) throw malformedPatch('Parameters.parameter', 'Operations are a list');
  requireFewOperations(given, 'Parameters.parameter');
  const operations = given.map((parameter: unknown, index) =>
    readOperation(schema, parameter, `Parameters.parameter[${index}]`),
  );
  return (tree) => {
    const root: FoundElement = {
      holder: { resource: tree },
      holderSchema: undefined,
      property: { name: 'resource', isList: false, type: undefined, schema, besides: undefined },
      index: undefined,
    };
    for (const { at, change } of operations) named(at, () => change(root));
    return tree;
  };
};

/** Runs a step of an operation; what is not understood in its path is told with the operation's name. */
const named = <T>(at: string, step: () => T): T => {
  try {
    return step();
  } catch (error) {
    throw error instanceof PathNotUnderstood ? malformedPatch(at, error.message) : error;
  }
};

const readOperation = (schema: ResourceSchema, parameter: unknown, at: string): Operation => {
  if (!isObject(parameter) || parameter['name'] !== 'operation')
    throw malformedPatch(at, 'Each parameter of a patch is named operation');
  const parts = new Map(partsOf(spelledOut(parameter) as JsonObject, at));
  const missing = (name: string) => malformedPatch(at, `The operation needs the part ${name}`);
  const text = (name: string): string => {
    const part = parts.get(name);
    const value = part?.['valueString'] ?? part?.['valueCode'];
    if (typeof value !== 'string') throw missing(name);
    return value;
  };
  const place = (name: string): number => {
    const value = parts.get(name)?.['valueInteger'];
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw missing(name);
    return Number(value);
  };
  const value = (): Given => {
    const part = parts.get('value');
    if (!part) throw missing('value');
    return givenIn(part, at);
  };
  const type = text('type');
  const path = named(at, () => readPath(text('path'), schema.typeName));
  const operation = (change: Operation['change']): Operation => ({ at, change });
  if (type === 'add') {
    const [name, given] = [text('name'), value()];
    return operation((root) => add(openedAt(one(select(root, path), at), at), name, given, at));
  }
  if (type === 'insert') {
    const [index, given] = [place('index'), value()];
    return operation((root) => {
      const { holder, property } = listAt(root, path, at);
      requirePlace(index, lengthOf(holder, property), at);
      insert(holder, property, index, contentOf(given, property, at));
    });
  }
  if (type === 'delete') {
    return operation((root) => {
      const found = select(root, path);
      if (found.length > 0) remove(inResource(one(found, at), root, at));
    });
  }
  if (type === 'replace') {
    const given = value();
    return operation((root) => replace(inResource(one(select(root, path), at), root, at), given, at));
  }
  if (type === 'move') {
    const [source, destination] = [place('source'), place('destination')];
    return operation((root) => {
      const { holder, property } = listAt(root, path, at);
      for (const index of [source, destination]) requirePlace(index, lengthOf(holder, property) - 1, at);
      insert(holder, property, destination, remove({ holder, property, index: source }));
    });
  }
  throw malformedPatch(at, 'The type of an operation is add, insert, delete, replace or move');
};

const partsOf = ({ part }: JsonObject, at: string): [name: string, part: JsonObject][] => {
  if (!Array.isArray(part)) throw malformedPatch(at, 'Parts are a list');
  return part.map((each: unknown): [string, JsonObject] => {
    if (!isObject(each) || typeof each['name'] !== 'string') throw malformedPatch(at, 'Each part has a name');
    return [each['name'], each];
  });
};

const givenIn = (part: JsonObject, at: string): Given => {
  if (part['resource'] !== undefined)
    return { kind: 'value', type: undefined, json: part['resource'], besides: undefined };
  if (part['part'] !== undefined) {
    return { kind: 'parts', parts: partsOf(part, at).map(([name, each]) => [name, givenIn(each, at)]) };
  }
  const type = Object.keys(part).flatMap((key) => /^_?value([A-Z]\w*)$/.exec(key)?.[1] ?? [])[0];
  if (type === undefined) throw malformedPatch(at, 'A value is value[x], parts or a resource');
  return { kind: 'value', type, json: part[`value${type}`], besides: part[`_value${type}`] };
};

const one = (found: readonly FoundElement[], at: string): FoundElement => {
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  throw patchDoesNotFit(at, only ? 'The path leads to several elements' : 'The path leads to nothing');
};

const inResource = (element: FoundElement, root: FoundElement, at: string): FoundElement => {
  if (element.holder === root.holder) throw malformedPatch(at, 'A patch changes elements, not the resource as a whole');
  return element;
};

const requirePlace = (index: number, last: number, at: string): void => {
  if (index > last) throw patchDoesNotFit(at, 'There is no such place in the list');
};

interface Holder {
  readonly holder: JsonObject;
  readonly schema: HolderSchema | undefined;
}

/** Where an element has its own elements. A primitive gets what its extensions stand in, if it has none. */
const openedAt = (element: FoundElement, at: string): Holder => {
  const inside = insideOf(element);
  if (inside) return inside;
  const { holder, property, index } = element;
  const schema = property.besides;
  if (!schema) throw patchDoesNotFit(at, 'This element has no elements of its own');
  const besides: JsonObject = {};
  const name = `_${property.name}`;
  holder[name] = index === undefined ? besides : Object.assign(padded(holder[name], index + 1), { [index]: besides });
  return { holder: besides, schema };
};

/** The list that a path names by its last step, be it empty. */
const listAt = (
  root: FoundElement,
  path: readonly PathStep[],
  at: string,
): Pick<FoundElement, 'holder' | 'property'> => {
  const last = path.at(-1);
  if (last?.kind !== 'element') throw malformedPatch(at, 'The path has to end with the name of a list');
  const inside = insideOf(one(select(root, path.slice(0, -1)), at));
  const property = inside && propertiesIn(inside.holder, inside.schema, last.name)[0];
  if (!inside || !property?.isList) throw malformedPatch(at, 'The path does not name a list');
  return { holder: inside.holder, property };
};

/** What an element holds, as JSON has it: the value, and what stands beside a primitive. */
interface Content {
  readonly json: unknown;
  readonly besides: unknown;
}

/** What is given, as the property holds it. A copy: later operations may change it. */
const contentOf = (given: Given, { schema }: ElementProperty, at: string): Content => {
  if (given.kind === 'value') return { json: spelledOut(given.json), besides: spelledOut(given.besides) };
  if (!schema) throw malformedPatch(at, 'This element has no elements of its own');
  const holder: JsonObject = {};
  for (const [name, part] of given.parts) add({ holder, schema }, name, part, at);
  return { json: holder, besides: undefined };
};

/** The property for what is given among those in which an element may stand. */
const propertyFor = (properties: readonly ElementProperty[], given: Given, at: string): ElementProperty => {
  if (properties.length === 0) throw malformedPatch(at, 'There is no such element');
  const type = given.kind === 'value' ? given.type : undefined;
  const fitting = properties.find((property) => property.type === undefined || property.type === type);
  if (!fitting) throw malformedPatch(at, 'The element cannot have a value of this datatype');
  return fitting;
};

const add = ({ holder, schema }: Holder, name: string, given: Given, at: string): void => {
  const properties = propertiesIn(holder, schema, name);
  const property = propertyFor(properties, given, at);
  const content = contentOf(given, property, at);
  if (property.isList) insert(holder, property, lengthOf(holder, property), content);
  else if (properties.some((each) => each.name in holder || `_${each.name}` in holder))
    throw patchDoesNotFit(at, 'The element is there already');
  else set(holder, property, content);
};

const set = (holder: JsonObject, { name }: ElementProperty, { json, besides }: Content): void => {
  if (json !== undefined) holder[name] = json;
  if (besides !== undefined) holder[`_${name}`] = besides;
};

/** A list with so many items at least; null stands where there is none. */
const padded = (list: unknown, length: number): unknown[] => {
  const items: unknown[] = Array.isArray(list) ? list : [];
  while (items.length < length) items.push(null);
  return items;
};

/** Primitives and what stands beside them are two lists, item by item. https://hl7.org/fhir/R4/json.html#primitive */
const insert = (holder: JsonObject, { name }: ElementProperty, index: number, { json, besides }: Content): void => {
  for (const [key, item] of [[name, json] as const, [`_${name}`, besides] as const]) {
    const absent = item === undefined || item === null;
    if (absent && holder[key] === undefined) continue;
    const items = padded(holder[key], index);
    items.splice(index, 0, item ?? null);
    holder[key] = items;
  }
};

const remove = ({
  holder,
  property: { name },
  index,
}: Pick<FoundElement, 'holder' | 'property' | 'index'>): Content => {
  const [json, besides] = [name, `_${name}`].map((key): unknown => {
    const member = holder[key];
    if (index !== undefined) return Array.isArray(member) ? (member.splice(index, 1) as unknown[])[0] : undefined;
    delete holder[key];
    return member;
  });
  return { json, besides };
};

/** A choice may be replaced by a value of another datatype, which has another property. */
const replace = (element: FoundElement, given: Given, at: string): void => {
  const { holder, holderSchema, property, index } = element;
  const name = property.name.slice(0, property.name.length - (property.type?.length ?? 0));
  const next = propertyFor(propertiesIn(holder, holderSchema, name), given, at);
  const content = contentOf(given, next, at);
  remove(element);
  if (index === undefined) set(holder, next, content);
  else insert(holder, next, index, content);
};
