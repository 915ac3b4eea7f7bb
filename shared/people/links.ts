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

/** A patient who stands for another one, too, or for whom another one stands: that one is no longer in use. */
export const linked = (resource: Resource, type: 'replaces' | 'replaced-by', other: string): Resource => {
  const link = { other: { reference: `Patient/${other}` }, type };
  const next = withLinks(resource, [...linksOf(resource), link]);
  return type === 'replaced-by' ? { ...next, active: false } : next;
};

/** The same without the link to another one; in use again if nobody stands for the patient any more. */
export const unlinked = (resource: Resource, other: string, baseUrl: string): Resource => {
  const kept = linksOf(resource).filter(
    (link) => !isOf(link, other, baseUrl) || (link.type !== 'replaces' && link.type !== 'replaced-by'),
  );
  const next = withLinks(resource, kept);
  return isReplaced(resource) && !isReplaced(next) ? { ...next, active: true } : next;
};
