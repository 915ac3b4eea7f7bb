import { withSpellingOf } from '../fhir/json.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';

type Link = fhir4.PatientLink;

const linksOf = (resource: Resource): readonly Link[] => (resource as unknown as fhir4.Patient).link ?? [];

const isOf = ({ other }: Link, id: string, baseUrl: string): boolean => {
  const parsed = parseReference(other.reference ?? '', baseUrl);
  return parsed.kind === 'record' && parsed.type === 'Patient' && parsed.id === id;
};

const withLinks = (resource: Resource, links: readonly Link[]): Resource => {
  const { link: _, ...rest } = resource;
  return links.length === 0 ? (rest as Resource) : { ...rest, resourceType: resource.resourceType, link: links };
};

/** Whether another record stands for this patient now. https://hl7.org/fhir/R4/patient.html#links */
export const isReplaced = (resource: Resource): boolean => linksOf(resource).some(({ type }) => type === 'replaced-by');

/** References to the records that stand for this patient now. */
export const replacements = (resource: Resource): readonly string[] =>
  linksOf(resource).flatMap(({ type, other }) =>
    type === 'replaced-by' && other.reference !== undefined ? [other.reference] : [],
  );

/** Extension of a link that `$merge` has made, and `$unmerge` alone takes away. */
const mergedUrl = 'https://concord.example/fhir/StructureDefinition/merged';

/** Beside it, of who is replaced: whether the record was in use before, for `$unmerge` to restore. Merges of earlier releases do not tell, and were of records in use. */
const activeBeforeUrl = 'https://concord.example/fhir/StructureDefinition/active-before-merge';

const isMerged = ({ extension = [] }: Link): boolean => extension.some(({ url }) => url === mergedUrl);

/** Whether `$merge` has made a patient one with another, and nothing has undone it. */
export const hasMerged = (resource: Resource): boolean => linksOf(resource).some(isMerged);

const nameOf = ({ type, other }: Link): string => `${type} ${other.reference ?? ''}`;

/**
 * What a merge says stays, whatever a client that has read the patient before writes: else one would be in use again, and merged with somebody else, whose chart is still searched
 * as another's. A client cannot say that a merge was made. What was merged elsewhere is stored as it is told.
 */
export const keepMerged = (before: Resource | undefined, next: Resource): Resource => {
  const merged = before ? linksOf(before).filter(isMerged) : [];
  const told = linksOf(next);
  if (merged.length === 0 && !told.some(isMerged)) return next;
  const names = new Set(merged.map(nameOf));
  const others = told.flatMap((link): Link[] => {
    if (names.has(nameOf(link))) return [];
    const { extension = [], ...rest } = link;
    const kept = extension.filter(({ url }) => url !== mergedUrl);
    return [kept.length === 0 ? rest : { ...rest, extension: kept }];
  });
  const kept = withSpellingOf(withLinks(next, [...merged, ...others]), next);
  return merged.some(({ type }) => type === 'replaced-by') ? { ...kept, active: false } : kept;
};

/** A patient who stands for another one, too, or for whom another one stands: that one is no longer in use. */
export const linked = (resource: Resource, type: 'replaces' | 'replaced-by', other: string): Resource => {
  const { active } = resource as unknown as fhir4.Patient;
  const was = active === undefined ? 'not-told' : active ? 'active' : 'inactive';
  const merged = { url: mergedUrl, valueBoolean: true };
  const extension = type === 'replaced-by' ? [merged, { url: activeBeforeUrl, valueCode: was }] : [merged];
  const link = { extension, other: { reference: `Patient/${other}` }, type };
  const next = withLinks(resource, [...linksOf(resource), link]);
  return type === 'replaced-by' ? { ...next, active: false } : next;
};

/** The same without the link to another one; in use as before the merge if nobody stands for the patient any more. */
export const unlinked = (resource: Resource, other: string, baseUrl: string): Resource => {
  const kept = linksOf(resource).filter(
    (link) => !isOf(link, other, baseUrl) || (link.type !== 'replaces' && link.type !== 'replaced-by'),
  );
  const next = withLinks(resource, kept);
  if (!isReplaced(resource) || isReplaced(next)) return next;
  const undone = linksOf(resource).find((link) => link.type === 'replaced-by' && isOf(link, other, baseUrl));
  const was = undone?.extension?.find(({ url }) => url === activeBeforeUrl)?.valueCode;
  const { active: _replaced, ...rest } = next as unknown as fhir4.Patient;
  return (was === 'not-told' ? rest : { ...rest, active: was !== 'inactive' }) as unknown as Resource;
};
