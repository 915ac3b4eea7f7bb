import { RecordError } from '../errors.ts';
import { resourceTypes } from '../fhir/generated/resource-types.ts';
import type { SearchParameter, SearchParameterComponent, SearchParameterType } from '../fhir/search-parameter.ts';
import { splitValue } from './escape.ts';
import { parseDate, parseNumber, parseQuantity } from './parse/ordered.ts';
import { parseReferenceValue } from './parse/reference.ts';
import { parseString, parseUri } from './parse/text.ts';
import { parseToken } from './parse/token.ts';
import { invalidParameter, unsupportedParameter } from './refusal.ts';
import { isResultParameter, parseResultParameters } from './result-parameters.ts';
import type { Criterion, CriterionValue, SearchQuery, SearchWarning } from './search-query.ts';

export type * from './search-query.ts';

/** How a search is read. */
export interface SearchOptions {
  /** `Prefer: handling=strict`: refuse what is unknown or not served instead of ignoring it with a warning. */
  readonly strict: boolean;
  readonly resourceType: string;
  /** The server's base without a slash at its end. */
  readonly baseUrl: string;
  /** Milliseconds since 1970, for `ap` with a date; the time of the call if absent. */
  readonly now?: number;
}

/** Values that one search may list: each is compared with every candidate. */
const mostValues = 2_000;

/** Filters that are not served. Ignoring one would answer with more than was asked for, so they are refused in either handling. */
const unservedFilters = new Map([
  ['_has', 'Reverse chaining (_has) is not supported'],
  ['_filter', '_filter is not supported'],
  ['_list', 'Searching by list (_list) is not supported'],
  ['_text', 'Searching the narrative (_text) is not supported'],
  ['_content', 'Searching the whole content (_content) is not supported'],
  ['_query', 'Named queries (_query) are not supported'],
]);

/**
 * Reads the parameters of a search, whose values are percent-decoded already.
 *
 * @param parameters - what the type can be searched by.
 * @throws RecordError `invalid`, with the parameter's name as sent, for a modifier, prefix or value that breaks a rule; for what is not
 * served and would widen the result if ignored; with `strict` also for what is unknown or not served; `too-costly` for too many values.
 * @see https://hl7.org/fhir/R4/search.html
 */
export const parseSearchQuery = (
  parameters: readonly SearchParameter[],
  query: readonly (readonly [name: string, value: string])[],
  options: SearchOptions,
): SearchQuery => {
  const byCode = new Map(parameters.map((parameter) => [parameter.code, parameter]));
  const criteria: Criterion[] = [];
  const warnings: SearchWarning[] = [];
  const understood: (readonly [string, string])[] = [];
  const result: (readonly [string, string])[] = [];
  let values = 0;
  const ignore = (parameter: string, message: string) => {
    if (options.strict) throw unsupportedParameter(parameter, message);
    warnings.push({ parameter, message });
  };
  for (const pair of query) {
    const [name, text] = pair;
    const [code = ''] = name.split(/[:.]/, 1);
    const unserved = unservedFilters.get(code);
    if (unserved !== undefined) throw unsupportedParameter(name, unserved);
    const parameter = byCode.get(code);
    if (isResultParameter(code)) result.push(pair);
    else if (parameter) {
      const criterion = parseCriterion(parameter, name, text, options);
      values += criterion.values.length;
      if (values > mostValues) {
        throw new RecordError('too-costly', `A search may list ${mostValues} values`, { expression: name });
      }
      criteria.push(criterion);
      understood.push(pair);
    } else ignore(name, `${options.resourceType} has no such search parameter; it was not used`);
  }
  const managed = parseResultParameters(result, byCode, ignore);
  return { ...managed, criteria, warnings, understood: [...understood, ...managed.understood] };
};

const parseCriterion = (parameter: SearchParameter, name: string, text: string, options: SearchOptions): Criterion => {
  const suffix = name.slice(parameter.code.length);
  if (suffix.includes('.')) throw chained(parameter, name);
  const modifier = suffix === '' ? undefined : suffix.slice(1);
  requireModifier(parameter, name, modifier);
  if (text === '') throw emptyValue(name);
  if (modifier === 'missing')
    return { parameter, modifier, values: [{ type: 'missing', missing: parseBoolean(name, text) }] };
  const values = splitValue(text, ',').map((part) => parseValue(parameter, name, part, modifier, options));
  return { parameter, modifier, values };
};

const chained = ({ code, type }: SearchParameter, name: string): RecordError =>
  type === 'reference'
    ? unsupportedParameter(name, `Chained parameters (${code}.…) are not supported`)
    : invalidParameter(name, `${code} is no reference, so nothing can be chained to it`);

const emptyValue = (name: string): RecordError => invalidParameter(name, 'The parameter has an empty value');

const parseBoolean = (name: string, text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw invalidParameter(name, 'The value is true or false');
  return text === 'true';
};

/** Modifiers by type of parameter, besides `:missing`. https://hl7.org/fhir/R4/search.html#modifiers */
const modifiers: Readonly<Record<SearchParameterType, { served: readonly string[]; unserved: readonly string[] }>> = {
  token: { served: ['not', 'text'], unserved: ['in', 'not-in', 'above', 'below', 'of-type', 'ofType'] },
  string: { served: ['exact', 'contains'], unserved: ['text'] },
  reference: { served: ['identifier'], unserved: ['above', 'below'] },
  uri: { served: ['above', 'below'], unserved: [] },
  date: { served: [], unserved: [] },
  number: { served: [], unserved: [] },
  quantity: { served: [], unserved: [] },
  composite: { served: [], unserved: [] },
  special: { served: [], unserved: [] },
};

const types: ReadonlySet<string> = new Set(resourceTypes);

const requireModifier = (parameter: SearchParameter, name: string, modifier: string | undefined): void => {
  const { code, type, targets } = parameter;
  if (type === 'special') throw unsupportedParameter(name, `${code} is not supported`);
  if (modifier === undefined || (modifier === 'missing' && type !== 'composite')) return;
  const { served, unserved } = modifiers[type];
  if (served.includes(modifier)) return;
  if (unserved.includes(modifier)) throw unsupportedParameter(name, `${code}:${modifier} is not supported`);
  if (type !== 'reference')
    throw invalidParameter(name, `This modifier does not apply to ${code}, which is a ${type} parameter`);
  if (!types.has(modifier))
    throw invalidParameter(name, `${code} takes no such modifier: it is neither known nor a resource type`);
  if (targets && !targets.includes(modifier)) throw invalidParameter(name, `${code} cannot point at a ${modifier}`);
};

const parseValue = (
  parameter: SearchParameter | SearchParameterComponent,
  name: string,
  text: string,
  modifier: string | undefined,
  options: SearchOptions,
): CriterionValue => {
  if (text === '') throw emptyValue(name);
  switch (parameter.type) {
    case 'token':
      return modifier === 'text' ? parseString(name, text, modifier) : parseToken(name, text);
    case 'string':
      return parseString(name, text, modifier);
    case 'reference':
      return modifier === 'identifier'
        ? parseToken(name, text)
        : parseReferenceValue(name, text, parameter, modifier, options.baseUrl);
    case 'date':
      return parseDate(name, text, options.now ?? Date.now());
    case 'number':
      return parseNumber(name, text);
    case 'quantity':
      return parseQuantity(name, text);
    case 'uri':
      return parseUri(name, text, modifier);
    case 'composite':
      return { type: 'composite', parts: parseParts(parameter, name, text, options) };
    case 'special':
      throw unsupportedParameter(name, `${parameter.code} is not supported`);
  }
};

const parseParts = (
  parameter: SearchParameter | SearchParameterComponent,
  name: string,
  text: string,
  options: SearchOptions,
): CriterionValue[] => {
  const components = 'components' in parameter ? (parameter.components ?? []) : [];
  const parts = splitValue(text, '$');
  if (parts.length !== components.length) {
    throw invalidParameter(
      name,
      `A value has ${components.length} parts, joined by $: ${components.map(({ code }) => code).join('$')}`,
    );
  }
  return components.map((component, index) => parseValue(component, name, parts[index] ?? '', undefined, options));
};
