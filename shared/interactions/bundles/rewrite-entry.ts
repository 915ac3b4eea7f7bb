import { rewriteReferences } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Entry } from './entry.ts';

/** Rewrites in place what names another entry: by its fullUrl, or relative to the entry's own base. */
export const rewriteEntry = (
  entry: Entry,
  baseUrl: string,
  names: ReadonlyMap<string, string>,
  conditions: ReadonlyMap<string, string>,
): void => {
  if (typeof entry.resource !== 'object' || entry.resource === null) return;
  const ownBase = /^(https?:\/\/.*)\/[A-Z][A-Za-z]+\/[^/]+$/.exec(entry.fullUrl ?? '')?.[1];
  rewriteReferences(entry.resource as Resource, (reference) => {
    const [whole = '', fragment] = reference.split('#');
    const name =
      names.get(whole) ??
      conditions.get(reference) ??
      (ownBase && ownBase !== baseUrl ? names.get(`${ownBase}/${whole}`) : undefined);
    return name === undefined ? undefined : fragment === undefined ? name : `${name}#${fragment}`;
  });
};
