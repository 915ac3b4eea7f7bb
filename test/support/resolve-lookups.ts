import type { Resource } from '../../shared/fhir/resource.ts';
import { hierarchies } from '../../shared/search/hierarchies.ts';
import { listedIn, lookupsOf, referencesOf } from '../../shared/search/joins.ts';
import { type Lookup, type Lookups, matches, type RecordFacts } from '../../shared/search/matches.ts';
import type { Condition, Hierarchy } from '../../shared/search/search-query.ts';
import { searchParameters } from './search-parameters.ts';

/** A record of a small store that is held in memory. */
export interface HeldRecord {
  readonly resource: Resource;
  readonly lastUpdated: number;
}

type Facts = Pick<RecordFacts, 'baseUrl' | 'terminology' | 'units'>;

const nameOf = ({ resource }: HeldRecord): string => `${resource.resourceType}/${resource.id}`;

/** Makes the lookups of a search by looking at every record there is. */
export const lookupsIn = (conditions: readonly Condition[], records: readonly HeldRecord[], facts: Facts): Lookups => {
  const lookups = new Map<Lookup, ReadonlySet<string>>();
  const meeting = (resourceType: string, wanted: readonly Condition[]): HeldRecord[] =>
    records.filter(
      ({ resource, lastUpdated }) =>
        resource.resourceType === resourceType &&
        matches(wanted, resource, { ...facts, id: resource.id ?? '', lastUpdated, lookups }),
    );
  const find = (lookup: Lookup): string[] => {
    if ('type' in lookup) return throughHierarchy(lookup, records, facts.baseUrl);
    switch (lookup.kind) {
      case 'chain':
        return lookup.targets.flatMap(({ resourceType, conditions: wanted }) =>
          meeting(resourceType, wanted).flatMap((record) => [nameOf(record), ...addressesOf(record)]),
        );
      case 'has':
        return meeting(lookup.resourceType, lookup.conditions).flatMap(({ resource }) =>
          referencesOf(lookup.parameter, resource, facts.baseUrl),
        );
      case 'list':
        return records
          .filter((record) => lookup.ids.some((id) => nameOf(record) === `List/${id}`))
          .flatMap(({ resource }) => listedIn(resource, facts.baseUrl));
    }
  };
  for (const lookup of lookupsOf(conditions)) lookups.set(lookup, new Set(find(lookup)));
  return lookups;
};

/** A canonical reference names these. */
const addressesOf = ({ resource: { url, version } }: HeldRecord): string[] =>
  typeof url === 'string' ? [url, `${url}|${String(version)}`] : [];

const throughHierarchy = (
  { resourceType, id, direction, by }: Hierarchy,
  records: readonly HeldRecord[],
  baseUrl: string,
): string[] => {
  const parameter = searchParameters[resourceType]?.find(({ code }) => code === by);
  if (!parameter || !hierarchies[resourceType]?.includes(by)) return [];
  const ofType = records.filter(({ resource }) => resource.resourceType === resourceType);
  const found = new Set([`${resourceType}/${id}`]);
  for (;;) {
    const next = ofType.flatMap((record) => {
      const above = referencesOf(parameter, record.resource, baseUrl);
      if (direction === 'above') return found.has(nameOf(record)) ? above : [];
      return above.some((name) => found.has(name)) ? [nameOf(record)] : [];
    });
    const before = found.size;
    for (const name of next) found.add(name);
    if (found.size === before) return [...found];
  }
};
