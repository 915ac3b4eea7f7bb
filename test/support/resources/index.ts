import { administration } from './administration.ts';
import { clinical } from './clinical.ts';
import { people } from './people.ts';

/** Valid synthetic resources of many types: choices, lists, gaps in lists of primitives, extensions, contained resources. */
export const sampleResources: readonly fhir4.FhirResource[] = [...people, ...clinical, ...administration];

/** The first sample of a type, or the one with that id, as a copy to be changed. */
export const sample = <T extends fhir4.FhirResource['resourceType']>(
  type: T,
  id?: string,
): Extract<fhir4.FhirResource, { resourceType: T }> => {
  const found = sampleResources.find(
    (resource): resource is Extract<fhir4.FhirResource, { resourceType: T }> =>
      resource.resourceType === type && (id === undefined || resource.id === id),
  );
  if (found === undefined) throw new Error(`no sample of ${type}`);
  return structuredClone(found);
};
