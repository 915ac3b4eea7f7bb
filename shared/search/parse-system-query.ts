import { isResourceType } from '../fhir/references.ts';
import type { SearchParameter } from '../fhir/search-parameter.ts';
import { commonSearchParameters } from '../record-types/search-type.ts';
import { parseSearchQuery, type SearchOptions, type SearchQuery } from './parse-query.ts';
import { invalidParameter } from './refusal.ts';

/** How a search across types is read: it must know the parameters of all. */
export interface SystemSearchOptions extends Omit<SearchOptions, 'resourceType'> {
  readonly parametersOf: (resourceType: string) => readonly SearchParameter[] | undefined;
}

/**
 * Reads a search across types, `GET [base]?_type=Observation,Condition&…`. Without `_type`, only the parameters of every type can be used;
 * with it, those that all the types have.
 *
 * @param served - the types that can be searched.
 * @returns the search of each type.
 * @throws RecordError as `parseSearchQuery` does, and `invalid` for a type that does not exist.
 * @see https://hl7.org/fhir/R4/search.html#type
 */
export const parseSystemQuery = (
  served: readonly string[],
  query: readonly (readonly [name: string, value: string])[],
  options: SystemSearchOptions,
): ReadonlyMap<string, SearchQuery> => {
  const asked = query.filter(([name]) => name === '_type');
  const rest = query.filter(([name]) => name !== '_type');
  if (asked.length === 0) {
    const common = parseSearchQuery(commonSearchParameters, rest, { ...options, resourceType: 'Resource' });
    return new Map(served.map((type) => [type, common]));
  }
  const lists = asked.map(([name, text]) => {
    const types = text.split(',');
    if (!types.every(isResourceType)) throw invalidParameter(name, 'A type is one of the resource types');
    return types;
  });
  const types = served.filter((type) => lists.every((list) => list.includes(type)));
  const tables = types.map((type) => options.parametersOf(type) ?? []);
  const inAll = ({ code, type }: SearchParameter): boolean =>
    tables.every((table) => table.some((each) => each.code === code && each.type === type));
  return new Map(
    types.map((resourceType, index) => {
      const parsed = parseSearchQuery((tables[index] ?? []).filter(inAll), rest, { ...options, resourceType });
      return [resourceType, { ...parsed, understood: [...asked, ...parsed.understood] }];
    }),
  );
};
