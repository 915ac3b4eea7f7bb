import { descendants } from './fhirpath-runtime.ts';
import type { Invariant } from './invariant.ts';

/** Text that reads `#…` below an element: references to contained resources, or with `#` alone to their container. */
const localReferences = new WeakMap<object, ReadonlySet<unknown>>();

const localReferencesIn = (element: object): ReadonlySet<unknown> => {
  let found = localReferences.get(element);
  if (found === undefined) {
    found = new Set(descendants(element).filter((value) => typeof value === 'string' && value.startsWith('#')));
    localReferences.set(element, found); // each of many contained resources asks for the same
  }
  return found;
};

const containedIds = new WeakMap<object, ReadonlySet<unknown>>();

const containedIdsOf = (resource: fhir4.DomainResource): ReadonlySet<unknown> => {
  let found = containedIds.get(resource);
  if (found === undefined) {
    found = new Set(resource.contained?.map(({ id }) => id));
    containedIds.set(resource, found);
  }
  return found;
};

interface ContainedResource {
  readonly id?: string;
  readonly contained?: unknown;
  readonly meta?: { readonly versionId?: string; readonly lastUpdated?: string; readonly security?: unknown };
}

/**
 * What R4 asks of contained resources. Written by hand, since the published dom-3 walks all descendants by type, and
 * the types of contained resources are not at hand. https://hl7.org/fhir/R4/domainresource.html#invs
 */
export const containedResourceInvariants: readonly Invariant[] = [
  {
    key: 'dom-2',
    severity: 'error',
    path: 'DomainResource',
    human: 'If the resource is contained in another resource, it SHALL NOT contain nested Resources',
    child: 'contained',
    holds: ({ contained }: ContainedResource) => contained === undefined,
  },
  {
    key: 'dom-3',
    severity: 'error',
    path: 'DomainResource',
    human:
      'If the resource is contained in another resource, it SHALL be referred to from elsewhere in the resource or SHALL refer to the containing resource',
    child: 'contained',
    // any text counts that reads `#id`, be it a Reference, a canonical, a uri or a url
    holds: (contained: ContainedResource, resource: object) =>
      contained.id === undefined ||
      localReferencesIn(resource).has(`#${contained.id}`) ||
      localReferencesIn(contained).has('#'),
  },
  {
    key: 'dom-4',
    severity: 'error',
    path: 'DomainResource',
    human: 'If a resource is contained in another resource, it SHALL NOT have a meta.versionId or a meta.lastUpdated',
    child: 'contained',
    holds: ({ meta }: ContainedResource) => meta?.versionId === undefined && meta?.lastUpdated === undefined,
  },
  {
    key: 'dom-5',
    severity: 'error',
    path: 'DomainResource',
    human: 'If a resource is contained in another resource, it SHALL NOT have a security label',
    child: 'contained',
    holds: ({ meta }: ContainedResource) => meta?.security === undefined,
  },
];

/** The other direction: a local reference needs its contained resource. https://hl7.org/fhir/R4/references.html#invs */
export const localReferenceInvariant: Invariant = {
  key: 'ref-1',
  severity: 'error',
  path: 'Reference',
  human: 'SHALL have a contained resource if a local reference is provided',
  holds: ({ reference }: fhir4.Reference, _resource, rootResource: fhir4.DomainResource) =>
    reference === undefined ||
    !reference.startsWith('#') ||
    reference === '#' || // the container itself
    containedIdsOf(rootResource).has(reference.slice(1)),
};
