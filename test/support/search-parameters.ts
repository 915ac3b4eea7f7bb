import { searchTables } from '../../shared/fhir/generated/search-parameters/all.ts';
import type { SearchParameter } from '../../shared/fhir/search-parameter.ts';
import { typesOfPatients } from '../../shared/record-types/homes.ts';
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

/** So many includes, each another one, that every search may have. */
export const distinctIncludes = (count: number): string[] =>
  Object.entries(searchParameters)
    .filter(([type]) => typesOfPatients.has(type) && type !== 'AuditEvent') // those are no records that a search leads to
    .flatMap(([type, parameters]) =>
      parameters.flatMap(({ code, type: kind }) => (kind === 'reference' ? [`_include:iterate=${type}:${code}`] : [])),
    )
    .slice(0, count);
