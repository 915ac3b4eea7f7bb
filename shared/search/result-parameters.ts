import type { SearchParameter } from '../fhir/search-parameter.ts';
import { invalidParameter, unsupportedParameter } from './refusal.ts';
import type { SearchQuery, SortRule, Summary, Total } from './search-query.ts';
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
]);

/** Whether a parameter says how to present what is found, not what to find. https://hl7.org/fhir/R4/search.html#return */
export const isResultParameter = (code: string): boolean => names.has(code);

type ResultParameters = Pick<SearchQuery, 'count' | 'summary' | 'total' | 'sort' | 'elements' | 'understood'>;
type Ignore = (parameter: string, message: string) => void;

/**
 * Reads the parameters that manage the result.
 *
 * @param ignore - notes a parameter that is not used, or refuses it.
 * @throws RecordError `invalid` for a modifier, for a value that none may have, and for a second value where there can be one.
 * @see https://hl7.org/fhir/R4/search.html#return
 */
export const parseResultParameters = (
  pairs: readonly (readonly [name: string, value: string])[],
  parameters: ReadonlyMap<string, SearchParameter>,
  ignore: Ignore,
): ResultParameters => {
  const understood: (readonly [string, string])[] = [];
  const seen = new Set<string>();
  let [count, summary, total]: [number?, Summary?, Total?] = [];
  let elements: string[] | undefined;
  const sort: SortRule[] = [];
  for (const [name, text] of pairs) {
    if (name.startsWith('_include') || name.startsWith('_revinclude')) {
      ignore(name, 'Including other resources is not supported; none were included');
      continue;
    }
    if (!isResultParameter(name)) throw invalidParameter(name, 'This parameter takes no modifier');
    if (seen.has(name)) throw invalidParameter(name, 'This parameter can be given once');
    seen.add(name);
    switch (name) {
      case '_count':
        count = parseCount(text, ignore);
        understood.push([name, String(count)]);
        break;
      case '_summary':
        summary = oneOf<Summary>(name, text, ['true', 'false', 'text', 'data', 'count']);
        if (summary === 'count' || summary === 'false') understood.push([name, text]);
        else ignore(name, 'Summaries are not made; resources are whole');
        break;
      case '_total':
        total = oneOf<Total>(name, text, ['none', 'estimate', 'accurate']);
        understood.push([name, text]);
        break;
      case '_sort': {
        const used = parseSort(text, parameters, ignore);
        sort.push(...used.rules);
        if (used.text !== '') understood.push([name, used.text]);
        break;
      }
      case '_elements':
        elements = parseElements(text);
        ignore(name, 'Elements are not selected; resources are whole');
        break;
      case '_contained':
        if (oneOf(name, text, ['false', 'true', 'both']) === 'false') understood.push([name, text]);
        else if (text === 'both') ignore(name, 'Contained resources are not searched');
        else throw unsupportedParameter(name, 'Contained resources are not searched');
        break;
      case '_pretty':
        oneOf(name, text, ['true', 'false']);
        understood.push([name, text]);
        break;
      case '_format':
        if (text === '') throw invalidParameter(name, 'The parameter has an empty value');
        understood.push([name, text]);
        break;
      default: // _containedType, _score
        ignore(name, 'This parameter is not supported; it was not used');
    }
  }
  return { count, summary, total, sort, elements, understood };
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

/** https://hl7.org/fhir/R4/search.html#sort */
const parseSort = (
  text: string,
  parameters: ReadonlyMap<string, SearchParameter>,
  ignore: Ignore,
): { rules: SortRule[]; text: string } => {
  const used: { rule: SortRule; text: string }[] = [];
  for (const item of text.split(',')) {
    const descending = item.startsWith('-');
    const code = descending ? item.slice(1) : item;
    if (code === '')
      throw invalidParameter('_sort', '_sort lists search parameters, each with or without a minus before it');
    const parameter = parameters.get(code);
    if (!parameter) ignore('_sort', 'There is no such search parameter to sort by');
    else if (!canSortBy(parameter)) ignore('_sort', `Sorting by ${code} is not supported`);
    else used.push({ rule: { parameter, descending }, text: item });
  }
  return { rules: used.map(({ rule }) => rule), text: used.map((item) => item.text).join(',') };
};

/** https://hl7.org/fhir/R4/search.html#elements */
const parseElements = (text: string): string[] => {
  const elements = text.split(',').map((element) => element.trim());
  if (!elements.every((element) => /^[A-Za-z][A-Za-z0-9]*$/.test(element))) {
    throw invalidParameter('_elements', '_elements lists names of root elements, such as identifier,active');
  }
  return elements;
};
