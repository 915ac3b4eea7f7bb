import { resourceTypes } from './generated/resource-types.ts';

/** What a Reference.reference says. https://hl7.org/fhir/R4/references.html#literal */
export type ParsedReference =
  | { readonly kind: 'record'; readonly type: string; readonly id: string; readonly version: string | undefined }
  | { readonly kind: 'contained'; readonly id: string }
  | { readonly kind: 'conditional'; readonly type: string; readonly query: string }
  | { readonly kind: 'urn'; readonly urn: string }
  | { readonly kind: 'foreign'; readonly url: string }
  | { readonly kind: 'malformed' };

const types: ReadonlySet<string> = new Set(resourceTypes);

/** Whether there is such a resource type. */
export const isResourceType = (text: string): boolean => types.has(text);

const literal = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** Reads a reference; one inside the server's own base counts as relative. */
export const parseReference = (reference: string, baseUrl: string): ParsedReference => {
  if (reference.startsWith('#')) return { kind: 'contained', id: reference.slice(1) };
  if (/^urn:(uuid|oid):/.test(reference)) return { kind: 'urn', urn: reference };
  const local = reference.startsWith(`${baseUrl}/`) ? reference.slice(baseUrl.length + 1) : reference;
  if (/^[a-z][a-z0-9+.-]*:/i.test(local)) return { kind: 'foreign', url: local };
  const [type, query] = splitOnce(local, '?');
  if (query !== undefined && types.has(type)) return { kind: 'conditional', type, query };
  const [, recordType, id, version] = literal.exec(local) ?? [];
  if (recordType !== undefined && id !== undefined && types.has(recordType)) {
    return { kind: 'record', type: recordType, id, version };
  }
  return { kind: 'malformed' };
};

const splitOnce = (text: string, separator: string): [string, string | undefined] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
};

/** A reference inside a resource, and where it stands. */
export interface FoundReference {
  readonly reference: string;
  /** FHIRPath expression, such as `Observation.performer[0].reference`. */
  readonly expression: string;
}

/** Every literal reference in a resource, contained resources included, in document order. */
export const referencesIn = (resource: object & { resourceType: string }): FoundReference[] => {
  const found: FoundReference[] = [];
  walk(resource, resource.resourceType, (holder, path) => {
    if (typeof holder.reference === 'string')
      found.push({ reference: holder.reference, expression: `${path}.reference` });
  });
  return found;
};

/**
 * `Type/id` of every record of this server that a resource refers to, contained resources included, and of every Binary that an attachment
 * names by its address; each once, in document order.
 */
export const recordsNamedIn = (resource: object & { resourceType: string }, baseUrl: string): string[] => {
  const named = new Set<string>();
  walk(resource, resource.resourceType, ({ reference, url }) => {
    const text = typeof reference === 'string' ? reference : url;
    const parsed = typeof text === 'string' ? parseReference(text, baseUrl) : undefined;
    if (parsed?.kind === 'record' && (text === reference || parsed.type === 'Binary'))
      named.add(`${parsed.type}/${parsed.id}`);
  });
  return [...named];
};

const walk = (value: unknown, path: string, visit: (holder: Record<string, unknown>, path: string) => void): void => {
  if (Array.isArray(value)) value.forEach((item, index) => walk(item, `${path}[${index}]`, visit));
  else if (typeof value === 'object' && value !== null) {
    visit(value as Record<string, unknown>, path);
    for (const [key, member] of Object.entries(value))
      if (typeof member === 'object') walk(member, `${path}.${key}`, visit);
  }
};
