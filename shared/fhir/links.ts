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
const nested: ReadonlySet<Schema> = new Set([containedResource, anyResource]);

/**
 * Rewrites the links of a resource in place, by the datatypes that R4 gives its elements, in the resources within it too: literal references, elements
 * of type uri, url, oid and uuid, and what narratives link to. Canonical addresses are none, nor are names that are written as addresses: of code
 * systems and identifiers (`system`), and of extensions (`url`). https://hl7.org/fhir/R4/http.html#trules
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

const inElements = (
  holder: Holder,
  schema: Pick<ComplexSchema, 'typeName' | 'schemaOf'>,
  path: string,
  rewrite: RewriteLink,
): void => {
  for (const [property, member] of Object.entries(holder)) {
    const type = schema.schemaOf(property);
    if (type === undefined) continue;
    const at = `${path}.${property.replace(/^_/, '')}`;
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
    if (Array.isArray(member)) {
      const items: unknown[] = member;
      for (const [index, item] of items.entries()) items[index] = inItem(item, `${at}[${index}]`) ?? item;
      continue;
    }
    const text = inItem(member, at);
    if (text !== undefined) put(holder, property, text);
  }
};

const kindOf = (datatype: string, element: string, type: Schema): LinkKind | undefined => {
  if (datatype === 'Reference' && element === 'reference') return 'reference';
  const isName = element === 'system' || (datatype === 'Extension' && element === 'url');
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
