import { searchTables } from '../../shared/fhir/generated/search-parameters/all.ts';
import type { SearchParameter } from '../../shared/fhir/search-parameter.ts';
import { searchTypeOf } from '../../shared/record-types/search-type.ts';
import { searchSections } from '../../shared/record-types/search-types.ts';

const types = [...searchSections(searchTables)].map(([name, { table, elements }]) =>
  searchTypeOf(name, table, elements),
);

/** The search parameters of every type, messages too. */
export const searchParameters: Readonly<Record<string, readonly SearchParameter[]>> = Object.fromEntries(
  types.map((type) => [type.name, type.searchParameters]),
);

/** The table of elements in summaries of every type. */
export const elementTables: Readonly<Record<string, string>> = Object.fromEntries(
  types.map(({ name, elements }) => [name, elements]),
);
