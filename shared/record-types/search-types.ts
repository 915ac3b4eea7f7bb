import { type SearchType, searchTypeOf } from './search-type.ts';

/** Every type that can be searched, by its name. */
export interface SearchTypes {
  readonly get: (name: string) => SearchType | undefined;
  readonly names: readonly string[];
}

/** Not records: what requests and answers are made of. https://hl7.org/fhir/R4/resourcelist.html */
export const messages: ReadonlySet<string> = new Set(['Bundle', 'OperationOutcome', 'Parameters']);

/** What is generated for each type, by its name, of the text of `generated/search-parameters/all.ts`. */
export const searchSections = (
  tables: string,
): ReadonlyMap<string, { readonly elements: string; readonly table: string }> =>
  new Map(
    tables
      .split(/^=/m)
      .slice(1)
      .map((section) => {
        const [, name = '', elements = '', table = ''] = /^(\w+) (.*)\n([^]*)$/.exec(section) ?? [];
        return [name, { elements, table }];
      }),
  );

/** Reads the text of `generated/search-parameters/all.ts`; each type's part when it is first asked for. */
export const readSearchTypes = (tables: string): SearchTypes => {
  const sections = searchSections(tables);
  const read = new Map<string, SearchType>();
  return {
    names: [...sections.keys()].filter((name) => !messages.has(name)),
    get: (name) => {
      const section = messages.has(name) ? undefined : sections.get(name);
      const known = read.get(name);
      if (known || !section) return known;
      const type = searchTypeOf(name, section.table, section.elements);
      read.set(name, type);
      return type;
    },
  };
};

let types: Promise<SearchTypes> | undefined;

/** What a search needs to know of the types that other records are of. Not loaded before the first search that asks. */
export const searchTypes = (): Promise<SearchTypes> => {
  types ??= loaded();
  return types;
};

const loaded = async (): Promise<SearchTypes> => {
  const { searchTables } = await import('../fhir/generated/search-parameters/all.data.ts');
  return readSearchTypes(searchTables);
};
