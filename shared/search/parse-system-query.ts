import { isResourceType } from '../fhir/references.ts';
import type { SearchParameter } from '../fhir/search-parameter.ts';
import { commonSearchParameters } from '../record-types/search-type.ts';
import { mostIncludes } from './parse/include.ts';
import { parseSearchQuery, type SearchOptions, type SearchQuery } from './parse-query.ts';
import { invalidParameter, unsupportedParameter } from './refusal.ts';
import type { Include, SearchWarning } from './search-query.ts';

/** How a search across types is read: it must know the parameters of all. */
export interface SystemSearchOptions extends Omit<SearchOptions, 'resourceType'> {
  readonly parametersOf: (resourceType: string) => readonly SearchParameter[] | undefined;
}

/** A search across types as it was understood. */
export interface SystemQuery {
  /** What it means for each type that it searches. */
  readonly byType: ReadonlyMap<string, SearchQuery>;
  /** How its result is presented, and what of it was not used. Its conditions are those of one of the types. */
  readonly presented: SearchQuery;
}

type Pair = readonly [name: string, value: string];

/**
 * Reads a search across types, `GET [base]?_type=Observation,Condition&…`. Without `_type`, only the parameters of every type can be used;
 * with it, those that all the types have. Includes are used that apply to any of them.
 *
 * @param served - the types that can be searched.
 * @throws RecordError as `parseSearchQuery` does, and `invalid` for a type that does not exist or is not among these.
 * @see https://hl7.org/fhir/R4/search.html#type
 */
export const parseSystemQuery = (
  served: readonly string[],
  query: readonly Pair[],
  options: SystemSearchOptions,
): SystemQuery => {
  const named = query.filter(([name]) => name === '_type');
  const includes = query.filter(([name]) => isInclude(name));
  const rest = query.filter(([name]) => name !== '_type' && !isInclude(name));
  const types = named.length === 0 ? served : typesNamed(named, served);
  // One reading serves all types by what they have in common, so that what it looks up is looked up once.
  const common = parseSearchQuery(commonSearchParameters, named.length === 0 ? rest : [], {
    ...options,
    resourceType: 'Resource',
  });
  const own = named.length === 0 ? types.map(() => common) : parsedForEach(types, rest, options);
  const [first = common] = own;
  const joined = includedByAny(types, includes, options);
  if (first.summary === 'text' && joined.includes.length > 0)
    throw invalidParameter('_summary', '_summary=text cannot be mixed with _include and _revinclude');
  const presented: SearchQuery = {
    ...first,
    includes: joined.includes,
    warnings: distinct([...own.flatMap(({ warnings }) => warnings), ...joined.warnings]),
    understood: [...named, ...first.understood, ...joined.understood],
  };
  return { byType: new Map(types.map((type, index) => [type, own[index] ?? common])), presented };
};

const isInclude = (name: string): boolean => /^_(?:rev)?include\b/.test(name);

/** Each `_type` is a list of types; a search meets all of them. */
const typesNamed = (named: readonly Pair[], served: readonly string[]): string[] => {
  const lists = named.map(([name, text]) => {
    const types = text.split(',');
    if (!types.every(isResourceType)) throw invalidParameter(name, 'A type is one of the resource types');
    const other = types.find((type) => !served.includes(type));
    if (other !== undefined)
      throw unsupportedParameter(name, `${other} cannot be searched together with other types here`);
    return types;
  });
  return served.filter((type) => lists.every((list) => list.includes(type)));
};

/** The search as each type understands it, by the parameters that all of them have. */
const parsedForEach = (
  types: readonly string[],
  query: readonly Pair[],
  options: SystemSearchOptions,
): SearchQuery[] => {
  const tables = types.map((type) => options.parametersOf(type) ?? []);
  const inAll = ({ code, type }: SearchParameter): boolean =>
    tables.every((table) => table.some((each) => each.code === code && each.type === type));
  return types.map((resourceType, index) =>
    parseSearchQuery((tables[index] ?? []).filter(inAll), query, { ...options, resourceType }),
  );
};

/** What applies to one of the types need not apply to the others. */
const includedByAny = (
  types: readonly string[],
  query: readonly Pair[],
  options: SystemSearchOptions,
): Pick<SearchQuery, 'includes' | 'warnings' | 'understood'> => {
  const includes: Include[] = [];
  const warnings: SearchWarning[] = [];
  const understood: Pair[] = [];
  for (const pair of query) {
    const read = types.map((resourceType) =>
      parseSearchQuery(options.parametersOf(resourceType) ?? [], [pair], { ...options, resourceType, strict: false }),
    );
    const found = read.flatMap((each) => each.includes);
    if (found.length > 0) {
      // Types that understand it understand it alike; what all references of a type are, are those of each.
      const [one] = found;
      if (one) includes.push(pair[1] === '*' ? { ...one, source: undefined } : one);
      understood.push(pair);
    } else {
      const [warning] = read.flatMap((each) => each.warnings);
      if (warning && options.strict) throw unsupportedParameter(warning.parameter, warning.message);
      if (warning) warnings.push(warning);
    }
    if (includes.length > mostIncludes)
      throw invalidParameter(pair[0], `A search has ${mostIncludes} includes at most`);
  }
  return { includes, warnings, understood };
};

const distinct = (warnings: readonly SearchWarning[]): SearchWarning[] => [
  ...new Map(warnings.map((warning) => [`${warning.parameter} ${warning.message}`, warning])).values(),
];
