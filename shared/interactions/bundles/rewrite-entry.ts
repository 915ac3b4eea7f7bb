import { type RewriteLink, rewriteLinks } from '../../fhir/links.ts';
import type { Entry } from './entry.ts';

/** What the links of a transaction lead to. */
export interface LinkTargets {
  /** `Type/id` by fullUrl, and by the name that an earlier try gave. */
  readonly names: Map<string, string>;
  /** The version that a link to a version of it means, by `Type/id`: the one that is written, or that stays. */
  readonly versions: Map<string, number>;
  /** `Type/id` by conditional reference. */
  readonly searches: Map<string, string>;
}

/** What a link names, and behind it a version and a fragment. */
const parts = /^([^#]*?)(\/_history\/[^/#]+)?(#.*)?$/s;

/**
 * Rewrites in place what names another entry: by its fullUrl, or relative to the base of the entry's own, or of this server. Versions are given anew; a
 * link to one that is not known yet stays for a later time. https://hl7.org/fhir/R4/bundle.html#references
 */
export const rewriteEntry = (
  entry: Entry,
  baseUrl: string,
  { names, versions, searches }: Readonly<LinkTargets>,
): void => {
  const ownBase = /^(https?:\/\/.*)\/[A-Z][A-Za-z]+\/[^/]+$/.exec(entry.fullUrl ?? '')?.[1] ?? baseUrl;
  linksOf(entry, (link, kind, expression) => {
    // By its canonical address a resource calls itself; others call it so by elements that are not rewritten.
    if (link === entry.fullUrl && expression === `${entry.recordType.name}.url`) return undefined;
    const found = kind === 'reference' ? searches.get(link) : undefined;
    if (found !== undefined) return found;
    const [, target = '', version, fragment = ''] = parts.exec(link) ?? [];
    const name = target === '' ? undefined : (names.get(target) ?? names.get(`${ownBase}/${target}`));
    if (name === undefined || version === undefined) return name && `${name}${fragment}`;
    const written = versions.get(name);
    return written === undefined ? undefined : `${name}/_history/${written}${fragment}`;
  });
};

/** Rewrites the links of whatever an entry brings: a resource, or a patch in either form. */
export const linksOf = ({ resource }: Entry, rewrite: RewriteLink): void => {
  if (!Array.isArray(resource)) return rewriteLinks(resource, rewrite);
  const operations: unknown[] = resource;
  for (const [index, operation] of operations.entries()) {
    if (typeof operation !== 'object' || operation === null) continue;
    const { path } = operation as { readonly path?: unknown };
    const isReference = typeof path === 'string' && path.endsWith('/reference');
    inPatch(operation as Record<string, unknown>, 'value', isReference, `[${index}].value`, rewrite);
  }
};

/** The values of a JSON Patch have no type of their own: what they call a reference is one. */
const inPatch = (
  holder: Record<string, unknown>,
  key: string,
  isReference: boolean,
  at: string,
  rewrite: RewriteLink,
): void => {
  const value = holder[key];
  if (typeof value === 'string') {
    const text = isReference ? rewrite(value, 'reference', at) : undefined;
    if (text !== undefined) holder[key] = text;
  } else if (typeof value === 'object' && value !== null) {
    for (const name of Object.keys(value))
      inPatch(
        value as Record<string, unknown>,
        name,
        name === 'reference',
        Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`,
        rewrite,
      );
  }
};
