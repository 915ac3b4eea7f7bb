import { isResourceType } from '../fhir/references.ts';
import type { SearchParameter } from '../fhir/search-parameter.ts';
import type { ParseContext } from './parse/context.ts';
import { mostIncludes, parseInclude } from './parse/include.ts';
import type { SearchOptions } from './parse-query.ts';
import { invalidParameter } from './refusal.ts';
import type { Contained, Include, SearchQuery, SortRule, Summary, Total } from './search-query.ts';
import { canSortBy } from './sort.ts';

/** Largest page; more is cut down to it. */
export const largestCount = 1_000;

const names: ReadonlySet<string> = new Set([
  '_count',
  '_summary',
  '_total',
  '_sort',
  '_elements',
  '_include',
  '_revinclude',
  '_contained',
  '_containedType',
  '_score',
  '_format',
  '_pretty',
  '_explain',
]);

/** Whether a parameter says how to present what is found, not what to find. https://hl7.org/fhir/R4/search.html#return */
export const isResultParameter = (code: string): boolean => names.has(code);

type ResultParameters = Omit<SearchQuery, 'conditions' | 'warnings'>;
type Ignore = (parameter: string, message: string) => void;
type SearchedType = Pick<SearchOptions, 'resourceType' | 'hasElement'>;

/**
 * Reads the parameters that manage the result.
 *
 * @param searched - type of the records that are searched, and whether it has a root element of a name; any name will do if that is absent.
 * @param ignore - notes a parameter that is not used, or refuses it.
 * @throws RecordError `invalid` for a modifier, for a value that none may have, and for a second value where there can be one.
 * @see https://hl7.org/fhir/R4/search.html#return
 */
export const parseResultParameters = (
  pairs: readonly (readonly [name: string, value: string])[],
  context: ParseContext,
  searched: SearchedType,
  ignore: Ignore,
): ResultParameters => {
  const understood: (readonly [string, string])[] = [];
  const seen = new Set<string>();
  const includes: Include[] = [];
  let [count, summary, total]: [number?, Summary?, Total?] = [];
  let elements: readonly string[] | undefined;
  let sort: readonly SortRule[] = [];
  let explain = false;
  let contained: Contained = { search: 'false', answer: 'container' };
  for (const [name, text] of pairs) {
    if (/^_(?:rev)?include/.test(name)) {
      const include = parseInclude(context, searched.resourceType, name, text);
      if (typeof include === 'string') ignore(name, include);
      else {
        if (includes.push(include) > mostIncludes)
          throw invalidParameter(name, `A search has ${mostIncludes} includes at most`);
        understood.push([name, text]);
      }
      continue;
    }
    if (!isResultParameter(name)) throw invalidParameter(name, 'This parameter takes no modifier');
    if (seen.has(name)) throw invalidParameter(name, 'This parameter can be given once');
    seen.add(name);
    let used = text;
    switch (name) {
      case '_count':
        count = parseCount(text, ignore);
        used = String(count);
        break;
      case '_summary':
        summary = oneOf<Summary>(name, text, ['true', 'false', 'text', 'data', 'count']);
        break;
      case '_total':
        total = oneOf<Total>(name, text, ['none', 'estimate', 'accurate']);
        break;
      case '_sort':
        [sort, used] = parseSort(text, context.parametersOf(searched.resourceType) ?? [], ignore);
        break;
      case '_elements':
        elements = parseElements(text, searched, ignore);
        used = elements?.join() ?? '';
        break;
      case '_contained':
        contained = { ...contained, search: oneOf<Contained['search']>(name, text, ['false', 'true', 'both']) };
        break;
      case '_containedType':
        contained = { ...contained, answer: oneOf<Contained['answer']>(name, text, ['container', 'contained']) };
        break;
      case '_explain':
        explain = oneOf(name, text, ['true', 'false']) === 'true';
        break;
      case '_pretty':
        oneOf(name, text, ['true', 'false']);
        break;
      case '_format':
        if (text === '') throw invalidParameter(name, 'The parameter has an empty value');
        break;
      default: // _score
        ignore(name, 'Matches are not ranked by relevance');
        used = '';
    }
    if (used !== '') understood.push([name, used]);
  }
  if (summary === 'text' && includes.length > 0)
    throw invalidParameter('_summary', '_summary=text cannot be mixed with _include and _revinclude');
  return { count, summary, total, sort, elements, includes, contained, explain, understood };
};

const parseCount = (text: string, ignore: Ignore): number => {
  if (!/^\d{1,15}$/.test(text)) throw invalidParameter('_count', '_count is a whole number from 0');
  const asked = Number(text);
  if (asked > largestCount) ignore('_count', `A page has ${largestCount} matches at most`);
  return Math.min(asked, largestCount);
};

const oneOf = <T extends string>(name: string, text: string, values: readonly T[]): T => {
  const found = values.find((value) => value === text);
  if (found === undefined) throw invalidParameter(name, `The value is one of ${values.join(', ')}`);
  return found;
};

const mostSortRules = 20;

/** https://hl7.org/fhir/R4/search.html#sort */
const parseSort = (
  text: string,
  parameters: readonly SearchParameter[],
  ignore: Ignore,
): [rules: SortRule[], text: string] => {
  const used: string[] = [];
  const rules: SortRule[] = [];
  for (const item of text.split(',', mostSortRules + 1)) {
    const descending = item.startsWith('-');
    const code = descending ? item.slice(1) : item;
    if (code === '')
      throw invalidParameter('_sort', '_sort lists search parameters, each with or without a minus before it');
    if (rules.length === mostSortRules) throw invalidParameter('_sort', `_sort has ${mostSortRules} rules at most`);
    const parameter = parameters.find((each) => each.code === code);
    if (!parameter) ignore('_sort', 'There is no such search parameter to sort by');
    else if (!canSortBy(parameter)) ignore('_sort', `${code} has no order to sort by`);
    else {
      rules.push({ parameter, descending });
      used.push(item);
    }
  }
  return [rules, used.join(',')];
};

/** Names of root elements; the type may stand before them. https://hl7.org/fhir/R4/search.html#elements */
/**
 * Which part of a record is asked for where no search is made. Names of elements that the type does not have are passed over, as in a search.
 *
 * @throws RecordError `invalid` for a value that none may have; what is counted are matches of a search.
 * @see https://hl7.org/fhir/R4/http.html#parameters
 */
export const partAsked = (
  query: readonly (readonly [name: string, value: string])[],
  resourceType: string,
): Pick<SearchQuery, 'summary' | 'elements'> => {
  const asked = new Map(query);
  const [summary, elements] = [asked.get('_summary'), asked.get('_elements')];
  return {
    summary: summary === undefined ? undefined : oneOf<Summary>('_summary', summary, ['true', 'false', 'text', 'data']),
    elements: elements === undefined ? undefined : parseElements(elements, { resourceType }, () => undefined),
  };
};

const parseElements = (
  text: string,
  { resourceType, hasElement = () => true }: SearchedType,
  ignore: Ignore,
): string[] | undefined => {
  const found = new Set<string>();
  let unknown = false;
  for (const part of text.split(',')) {
    const names = part.trim().split('.');
    if (!names.every((name) => /^[A-Za-z][A-Za-z0-9]*$/.test(name)))
      throw invalidParameter('_elements', '_elements lists names of root elements, such as identifier,active');
    if (isResourceType(names[0] ?? '') && names.length > 1) {
      if (names.shift() !== resourceType) continue; // of another type
    }
    const [root = '', ...below] = names;
    if (below.length > 0) ignore('_elements', 'Elements are selected at the root of a resource, and come whole');
    if (hasElement(root)) found.add(root);
    else unknown = true;
  }
  if (unknown) ignore('_elements', `${resourceType} has no element of one of these names`);
  return found.size === 0 && !unknown ? undefined : [...found]; // what was misspelt does not bring all the rest
};
