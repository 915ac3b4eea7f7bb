import { RecordError } from '../../errors.ts';
import { type RewriteLink, rewriteLinks, rewriteLinksUnder } from '../../fhir/links.ts';
import type { Entry } from './entry.ts';
import { inEntry } from './in-entry.ts';

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

/**
 * Rewrites the links of whatever an entry brings: a resource, or a patch in either form.
 *
 * @throws RecordError `invalid` naming what a JSON Patch says of another entry where it cannot be told whether that is a link.
 */
export const linksOf = ({ index: ofEntry, resource, recordType }: Entry, rewrite: RewriteLink): void => {
  if (!Array.isArray(resource)) return rewriteLinks(resource, rewrite);
  const operations: unknown[] = resource;
  for (const [index, operation] of operations.entries()) {
    if (typeof operation !== 'object' || operation === null) continue;
    const holder = operation as Record<string, unknown>;
    const { path, value } = holder;
    if (typeof path !== 'string' || value === undefined) continue;
    const at = `[${index}].value`;
    const typed = rewriteLinksUnder(recordType.schema, path, value, at, rewrite);
    if (typed) holder['value'] = typed.value;
    else {
      try {
        inUntyped(holder, 'value', path.endsWith('/reference'), at, rewrite);
      } catch (error) {
        throw inEntry(error, ofEntry);
      }
    }
  }
};

/**
 * Where a path leads to no known datatype, what is called a reference is one. What else names an entry is refused: it would be left behind as a name that
 * nobody knows.
 */
const inUntyped = (
  holder: Record<string, unknown>,
  key: string,
  isReference: boolean,
  at: string,
  rewrite: RewriteLink,
): void => {
  const value = holder[key];
  if (typeof value === 'string') {
    const text = isReference || value.startsWith('urn:') ? rewrite(value, 'reference', at) : undefined;
    if (text === undefined) return;
    if (!isReference)
      throw new RecordError(
        'invalid',
        'A patch names another entry here where no link is known; patch what is around it',
        {
          expression: at,
        },
      );
    holder[key] = text;
  } else if (typeof value === 'object' && value !== null) {
    for (const name of Object.keys(value))
      inUntyped(
        value as Record<string, unknown>,
        name,
        name === 'reference',
        Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`,
        rewrite,
      );
  }
};
