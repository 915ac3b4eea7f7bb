import { type ComplexSchema, isComplex } from './complex-type.ts';
import { schemas } from './generated/schemas/all.ts';
import { rewriteNarrative } from './narrative-links.ts';
import { anyResource, containedResource } from './nested-resource.ts';
import { oid, uri, url, uuid, xhtml } from './primitives.ts';

/** What a link is: a Reference's literal reference, or an address of whatever kind. */
export type LinkKind = 'reference' | 'address';

/**
 * What is to stand in a link's place; undefined to leave it.
 *
 * @param expression - FHIRPath of the element, such as `Observation.performer[0].reference`.
 */
export type RewriteLink = (link: string, kind: LinkKind, expression: string) => string | undefined;

type Holder = Record<string, unknown>;
type Schema = Parameters<typeof isComplex>[0];

const addresses: ReadonlySet<Schema> = new Set([uri, url, oid, uuid]);
/** Elements that name a code system or an extension, besides every `system`. */
const names: ReadonlySet<string> = new Set(['Extension.url', 'ConceptMap.group.source', 'ConceptMap.group.target']);
const nested: ReadonlySet<Schema> = new Set([containedResource, anyResource]);

/**
 * Rewrites the links of a resource in place, by the datatypes that R4 gives its elements, in the resources within it too: literal references, elements
 * of type uri, url, oid and uuid, and what narratives link to. Canonical addresses are none, nor are names that are written as addresses: of code
 * systems and identifiers (`system`; `source` and `target` of a ConceptMap's group), and of extensions (`url`). https://hl7.org/fhir/R4/http.html#trules
 *
 * @param resource - perhaps not checked yet: what has not the form of its type has no links.
 */
export const rewriteLinks = (resource: unknown, rewrite: RewriteLink): void => inResource(resource, undefined, rewrite);

/** @param path - of the element that holds the resource; undefined for the outermost, which is called by its type. */
const inResource = (resource: unknown, path: string | undefined, rewrite: RewriteLink): void => {
  const type = isHolder(resource) ? resource['resourceType'] : undefined;
  if (!isHolder(resource) || typeof type !== 'string' || !Object.hasOwn(schemas, type)) return;
  inElements(resource, schemas[type as keyof typeof schemas], path ?? type, rewrite);
};

/**
 * Rewrites the links of what a JSON Patch puts into a resource, by the datatype that its path leads to.
 *
 * @param schema - of the resource.
 * @param pointer - the path, such as `/photo/0/url` or `/extension/-`.
 * @param place - of the value, as `rewrite` is to have it: `[0].value`.
 * @returns what is to stand in the place of the value, perhaps itself, rewritten in place; undefined if the path leads to nothing whose datatype is
 *   known, such as into a contained resource.
 */
export const rewriteLinksUnder = (
  schema: ElementTypes,
  pointer: string,
  value: unknown,
  place: string,
  rewrite: RewriteLink,
): { readonly value: unknown } | undefined => {
  if (pointer === '') {
    inResource(value, place, rewrite);
    return { value };
  }
  const properties = pointer
    .split('/')
    .slice(1)
    .filter((token) => !/^(?:\d+|-)$/.test(token));
  const last = properties.pop() ?? '';
  let holder: ElementTypes = schema;
  for (const property of properties) {
    const type = holder.schemaOf(property);
    if (type === undefined || nested.has(type) || !isComplex(type)) return undefined;
    holder = type;
  }
  if (holder.schemaOf(last) === undefined) return undefined;
  return { value: inMember(value, holder, last, place, rewrite) ?? value };
};

type ElementTypes = Pick<ComplexSchema, 'typeName' | 'schemaOf'>;

const inElements = (holder: Holder, schema: ElementTypes, path: string, rewrite: RewriteLink): void => {
  for (const [property, member] of Object.entries(holder)) {
    const text = inMember(member, schema, property, `${path}.${property.replace(/^_/, '')}`, rewrite);
    if (text !== undefined) put(holder, property, text);
  }
};

/** Rewrites in place, but for a text: what is to stand for that is returned. */
const inMember = (
  member: unknown,
  schema: ElementTypes,
  property: string,
  at: string,
  rewrite: RewriteLink,
): string | undefined => {
  const type = schema.schemaOf(property);
  if (type === undefined) return undefined;
  const textOf = (text: string): string | undefined => {
    if (type === xhtml) return rewriteNarrative(text, (link) => rewrite(link, 'address', at));
    const kind = kindOf(schema.typeName, property, type);
    return kind && rewrite(text, kind, at);
  };
  const inItem = (item: unknown, place: string): string | undefined => {
    if (typeof item === 'string') return textOf(item);
    if (nested.has(type)) inResource(item, place, rewrite);
    else if (isHolder(item) && isComplex(type)) inElements(item, type, place, rewrite);
    return undefined;
  };
  if (!Array.isArray(member)) return inItem(member, at);
  const items: unknown[] = member;
  for (const [index, item] of items.entries()) items[index] = inItem(item, `${at}[${index}]`) ?? item;
  return undefined;
};

const kindOf = (datatype: string, element: string, type: Schema): LinkKind | undefined => {
  if (datatype === 'Reference' && element === 'reference') return 'reference';
  const isName = element === 'system' || names.has(`${datatype}.${element}`);
  return addresses.has(type) && !isName ? 'address' : undefined;
};

/** What names a record is neither an OID nor a UUID any more, but it is a URI as these are; they stand only where there is a choice of types. */
const put = (holder: Holder, property: string, text: string): void => {
  const asUri = property.replace(/(?<=^value)(?:Oid|Uuid)$/, 'Uri');
  for (const [old, name] of [
    [property, asUri],
    [`_${property}`, `_${asUri}`],
  ] as const) {
    if (old === name || !(old in holder)) continue;
    holder[name] = holder[old];
    delete holder[old];
  }
  holder[asUri] = text;
};

const isHolder = (value: unknown): value is Holder =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
