import { RecordError } from '../../errors.ts';
import { isResourceType } from '../../fhir/references.ts';
import type { SearchParameter, SearchParameterComponent, SearchParameterType } from '../../fhir/search-parameter.ts';
import { splitValue } from '../escape.ts';
import { invalidParameter } from '../refusal.ts';
import type { Criterion, CriterionValue } from '../search-query.ts';
import { parseTextQuery } from '../text-query.ts';
import type { ParseContext } from './context.ts';
import { parseNear } from './near.ts';
import { parseDate, parseNumber, parseQuantity } from './ordered.ts';
import { parseHierarchy, parseReferenceValue } from './reference.ts';
import { parseString, parseText, parseUri } from './text.ts';
import { parseOfType, parseToken } from './token.ts';

/** Modifiers by type of parameter, besides `:missing` and, of references, types. https://hl7.org/fhir/R4/search.html#modifiers */
const modifiers: Readonly<Record<SearchParameterType, readonly string[]>> = {
  token: ['not', 'text', 'in', 'not-in', 'above', 'below', 'of-type'],
  string: ['exact', 'contains', 'text'],
  reference: ['identifier', 'text', 'above', 'below'],
  uri: ['above', 'below'],
  date: [],
  number: [],
  quantity: [],
  composite: [],
  special: [],
};

/** Where a value stands: what it is searched in, the parameter's name as sent, its modifier. */
interface Place {
  readonly context: ParseContext;
  readonly searched: string;
  readonly name: string;
  readonly modifier: string | undefined;
}

/**
 * Reads one parameter's modifier and values.
 *
 * @param searched - type of the records that are searched.
 * @param name - as sent, for a refusal.
 * @param sentModifier - what stands behind the colon.
 * @throws RecordError `invalid` for a modifier or value that breaks a rule; `too-costly` for too many values.
 */
export const parseCriterion = (
  context: ParseContext,
  searched: string,
  parameter: SearchParameter,
  name: string,
  sentModifier: string | undefined,
  text: string,
): Criterion => {
  const modifier = sentModifier === 'ofType' ? 'of-type' : sentModifier; // R4's own code for it
  requireModifier(parameter, name, modifier);
  if (text === '') throw emptyValue(name);
  const parts = splitValue(text, ',');
  context.spend(parts.length, name);
  const place = { context, searched, name, modifier };
  const values: readonly CriterionValue[] =
    modifier === 'missing'
      ? [{ type: 'missing', missing: parseBoolean(name, text) }]
      : parts.map((part) => parseValue(parameter, part, place));
  return { kind: 'criterion', name, parameter, modifier, values };
};

const emptyValue = (name: string): RecordError => invalidParameter(name, 'The parameter has an empty value');

const parseBoolean = (name: string, text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw invalidParameter(name, 'The value is true or false');
  return text === 'true';
};

const requireModifier = (parameter: SearchParameter, name: string, modifier: string | undefined): void => {
  const { code, type, targets, identifiers } = parameter;
  if (modifier === 'of-type' && type === 'token' && !identifiers)
    throw invalidParameter(name, `This modifier is for identifiers, and ${code} selects none`);
  if (modifier === undefined || modifiers[type].includes(modifier)) return;
  if (modifier === 'missing' && type !== 'composite' && type !== 'special') return;
  if (type !== 'reference')
    throw invalidParameter(name, `This modifier does not apply to ${code}, which is a ${type} parameter`);
  if (!isResourceType(modifier))
    throw invalidParameter(name, `${code} takes no such modifier: it is neither known nor a resource type`);
  if (targets && !targets.includes(modifier)) throw invalidParameter(name, `${code} cannot point at a ${modifier}`);
};

const parseValue = (
  parameter: SearchParameter | SearchParameterComponent,
  text: string,
  place: Place,
): CriterionValue => {
  const { context, searched, name, modifier } = place;
  if (text === '') throw emptyValue(name);
  switch (parameter.type) {
    case 'token':
      if (modifier === 'text') return parseString(name, text, modifier);
      if (modifier === 'of-type') return parseOfType(name, text);
      if (modifier === 'in' || modifier === 'not-in') return { type: 'value-set', url: parseText(name, text) };
      return parseToken(name, text);
    case 'string':
      return modifier === 'text'
        ? { type: 'text', query: parseTextQuery(name, parseText(name, text)) }
        : parseString(name, text, modifier);
    case 'reference':
      if (modifier === 'identifier') return parseToken(name, text);
      if (modifier === 'text') return parseString(name, text, modifier);
      return modifier === 'above' || modifier === 'below'
        ? parseHierarchy(name, text, parameter, modifier, searched, context.baseUrl)
        : parseReferenceValue(name, text, parameter, modifier, context.baseUrl);
    case 'date':
      return parseDate(name, text, context.now);
    case 'number':
      return parseNumber(name, text);
    case 'quantity':
      return parseQuantity(name, text);
    case 'uri':
      return parseUri(name, text, modifier);
    case 'special':
      return parseNear(name, text, context.units);
    case 'composite':
      return { type: 'composite', parts: parseParts(parameter, text, place) };
  }
};

const parseParts = (
  parameter: SearchParameter | SearchParameterComponent,
  text: string,
  place: Place,
): CriterionValue[] => {
  const components = 'components' in parameter ? (parameter.components ?? []) : [];
  const parts = splitValue(text, '$');
  if (parts.length !== components.length) {
    throw invalidParameter(
      place.name,
      `A value has ${components.length} parts, joined by $: ${components.map(({ code }) => code).join('$')}`,
    );
  }
  return components.map((component, index) => parseValue(component, parts[index] ?? '', place));
};

/** Values that one search may list: each is compared with every candidate. */
const mostValues = 2_000;

/** Counts the values of a search. */
export const valueCounter = (): ParseContext['spend'] => {
  let values = 0;
  return (more, name) => {
    values += more;
    if (values > mostValues)
      throw new RecordError('too-costly', `A search may compare with ${mostValues} values`, { expression: name });
  };
};
