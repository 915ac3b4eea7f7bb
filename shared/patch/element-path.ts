import type { ComplexSchema, ElementProperty } from '../fhir/complex-type.ts';
import { spellingIn } from '../fhir/json.ts';
import { isObject, type JsonObject, sameNumber } from './json-tree.ts';

/** One step of a path. */
export type PathStep =
  | { readonly kind: 'element'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'ofType'; readonly type: string }
  | { readonly kind: 'where'; readonly criteria: readonly Criterion[] };

/** An element, by names from one that is filtered, that has a value. */
interface Criterion {
  readonly names: readonly string[];
  readonly value: string | boolean | number;
}

/** Tells what is not understood in a path: a function, or the character at which it stands, since values in a path may be a patient's. */
export class PathNotUnderstood extends Error {
  override readonly name = 'PathNotUnderstood';
}

/** Letters of a path; what is longer is no path that anybody wrote. */
const longestPath = 2_000;

/**
 * Reads the part of FHIRPath that names elements: `name[0].given`, `where(use = 'home' and system = 'phone')`, `ofType(Quantity)`,
 * `extension('url')`, `first()`. https://hl7.org/fhirpath/N1/
 *
 * @param typeName - of the resource, which may stand before all else.
 * @throws PathNotUnderstood.
 */
export const readPath = (path: string, typeName: string): readonly PathStep[] => {
  if (path.length > longestPath) throw new PathNotUnderstood(`A path has ${longestPath} letters at most`);
  let at = 0;
  /** What a pattern finds here; undefined, and nothing is read, if that is nothing. */
  const take = (pattern: RegExp): string | undefined => {
    const found = new RegExp(`\\s*(?:${pattern.source})`, 'y');
    found.lastIndex = at;
    const match = found.exec(path);
    if (match) at = found.lastIndex;
    return match ? (match.slice(1).find((group) => group !== undefined) ?? match[0]) : undefined;
  };
  const need = (pattern: RegExp): string => {
    const taken = take(pattern);
    if (taken !== undefined) return taken;
    const call = take(/([A-Za-z]\w{0,30})(?=\s*\()/);
    throw new PathNotUnderstood(
      `This is not understood in a path: ${call === undefined ? `character ${at + 1}` : `${call}()`}`,
    );
  };
  const name = () => need(/([A-Za-z]\w*)(?!\w*\s*\()|`([A-Za-z]\w*)`/);
  const text = () => need(/'((?:[^'\\]|\\.)*)'/);
  const literal = (): Criterion['value'] => {
    const word = take(/(true|false)\b/);
    if (word !== undefined) return word === 'true';
    const number = take(/(-?\d+(?:\.\d+)?)/);
    return number === undefined ? unescaped(text()) : Number(number);
  };
  const criterion = (): Criterion => {
    const names: string[] = take(/\$this\b/) === undefined ? [name()] : [];
    while (take(/\./) !== undefined) names.push(name());
    need(/=/);
    return { names, value: literal() };
  };
  const steps: PathStep[] = [];
  const element = () => {
    const call = take(/(where|ofType|extension|first)\s*\(/);
    if (call === 'where') {
      const criteria = [criterion()];
      while (take(/and\b/) !== undefined) criteria.push(criterion());
      steps.push({ kind: 'where', criteria });
    } else if (call === 'ofType') steps.push({ kind: 'ofType', type: need(/(?:FHIR\s*\.\s*)?([A-Za-z]+)/) });
    else if (call === 'extension') {
      steps.push({ kind: 'element', name: 'extension' });
      steps.push({ kind: 'where', criteria: [{ names: ['url'], value: unescaped(text()) }] });
    } else if (call === 'first') steps.push({ kind: 'index', index: 0 });
    else steps.push({ kind: 'element', name: name() });
    if (call !== undefined) need(/\)/);
    while (take(/\[/) !== undefined) {
      steps.push({ kind: 'index', index: Number(need(/(\d{1,6})/)) });
      need(/\]/);
    }
  };
  if (take(new RegExp(`${typeName}\\b(?=\\s*(?:\\.|$))`)) === undefined) element();
  while (take(/$/) === undefined) {
    need(/\./);
    element();
  }
  return steps;
};

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

/** https://hl7.org/fhirpath/N1/#string */
const unescaped = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, letter: string) =>
    code === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  );

/** An element of a resource, and where it stands. */
export interface FoundElement {
  /** The object that has it. */
  readonly holder: JsonObject;
  /** Of the holder; undefined inside contained resources, whose elements are known by their names alone. */
  readonly holderSchema: HolderSchema | undefined;
  readonly property: ElementProperty;
  /** Its place in a list. */
  readonly index: number | undefined;
}

export type HolderSchema = Pick<ComplexSchema, 'propertiesOf'>;

const partOf = (holder: JsonObject, name: string, index: number | undefined): unknown => {
  const member = Object.hasOwn(holder, name) ? holder[name] : undefined;
  if (index === undefined) return member;
  return Array.isArray(member) ? (member as unknown[])[index] : undefined;
};

export const valueOf = ({ holder, property, index }: FoundElement): unknown => partOf(holder, property.name, index);

/** What stands beside a primitive: its id and extensions. */
const besidesOf = ({ holder, property, index }: FoundElement): unknown => partOf(holder, `_${property.name}`, index);

/** How many items an element's list has, those included that have extensions alone. */
export const lengthOf = (holder: JsonObject, { name }: ElementProperty): number =>
  Math.max(...[name, `_${name}`].map((key) => (Array.isArray(holder[key]) ? (holder[key] as unknown[]).length : 0)));

/** The object that has an element's own elements, and its schema; undefined for a primitive that has none. */
export const insideOf = (
  element: FoundElement,
): { readonly holder: JsonObject; readonly schema: HolderSchema | undefined } | undefined => {
  const value = valueOf(element);
  if (isObject(value)) return { holder: value, schema: element.property.schema };
  const besides = besidesOf(element);
  return isObject(besides) ? { holder: besides, schema: element.property.besides } : undefined;
};

/** The properties that an element may stand in. */
export const propertiesIn = (
  holder: JsonObject,
  schema: HolderSchema | undefined,
  name: string,
): readonly ElementProperty[] => {
  if (schema) return schema.propertiesOf(name);
  const isList = Array.isArray(holder[name]);
  return Object.hasOwn(holder, name) ? [{ name, isList, type: undefined, schema: undefined, besides: undefined }] : [];
};

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

const childrenOf = (element: FoundElement, name: string): FoundElement[] => {
  const inside = insideOf(element);
  if (!inside) return [];
  const { holder, schema } = inside;
  return propertiesIn(holder, schema, name).flatMap((property) => {
    const indexes = property.isList ? [...Array(lengthOf(holder, property)).keys()] : [undefined];
    return indexes
      .map((index): FoundElement => ({ holder, holderSchema: schema, property, index }))
      .filter((child) => isThere(valueOf(child)) || isThere(besidesOf(child)));
  });
};

/** The elements that a path leads to from a resource, in their order. */
export const select = (root: FoundElement, path: readonly PathStep[]): FoundElement[] =>
  path.reduce<FoundElement[]>(
    (elements, step) => {
      if (step.kind === 'element') return elements.flatMap((element) => childrenOf(element, step.name));
      if (step.kind === 'index') return elements.slice(step.index, step.index + 1);
      if (step.kind === 'ofType') return elements.filter((element) => isOfType(element, step.type));
      return elements.filter((element) => step.criteria.every((criterion) => meets(element, criterion)));
    },
    [root],
  );

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The type of a choice stands in its name, that of what has elements in their schema; a primitive of one type alone tells of none. */
const isOfType = (element: FoundElement, asked: string): boolean => {
  const { type, schema } = element.property;
  if (type !== undefined) return type === capitalised(asked);
  const value = valueOf(element);
  const own = schema?.typeName ?? (isObject(value) ? value['resourceType'] : undefined);
  if (own === undefined)
    throw new PathNotUnderstood('ofType() is only understood where an element may have several types');
  return own === asked;
};

const meets = (element: FoundElement, { names, value }: Criterion): boolean => {
  const steps = names.map((name): PathStep => ({ kind: 'element', name }));
  const [found, ...others] = select(element, steps).map(valueOf);
  if (others.length > 0) return false;
  return spellingIn(value) === undefined ? found === value : sameNumber(found, value);
};
