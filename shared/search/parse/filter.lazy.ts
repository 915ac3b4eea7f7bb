import type { SearchParameter, SearchParameterType } from '../../fhir/search-parameter.ts';
import { splitValue } from '../escape.ts';
import { foldText } from '../fold.ts';
import { invalidParameter } from '../refusal.ts';
import type { Comparator, Condition } from '../search-query.ts';
import { targetsBehind } from './condition.ts';
import { type ParseContext, parameterOf } from './context.ts';
import { parseCriterion } from './criterion.ts';
import { type FilterSyntax, type PathStep, parseFilterSyntax } from './filter-syntax.ts';
import { parseDate, parseNumber } from './ordered.ts';
import { parseToken } from './token.ts';

const name = '_filter';

/**
 * Reads a `_filter`. https://hl7.org/fhir/R4/search_filter.html
 *
 * @param resourceType - type of the records that are searched.
 * @throws RecordError `invalid` for what breaks the grammar, names no parameter of the type, or applies an operator that its type has not.
 */
export const parseFilter = (context: ParseContext, resourceType: string, text: string): Condition => {
  const { syntax, tests } = parseFilterSyntax(name, text);
  context.spend(tests, name);
  const found = resolve(context, resourceType, syntax);
  if (!found)
    throw invalidParameter(name, `A filter tests search parameters; ${resourceType} does not have all of these`);
  return found;
};

/** Undefined if the type does not have all the parameters. */
const resolve = (context: ParseContext, resourceType: string, syntax: FilterSyntax): Condition | undefined => {
  switch (syntax.kind) {
    case 'all':
    case 'any': {
      const conditions = syntax.filters.map((each) => resolve(context, resourceType, each));
      return conditions.every((each) => each !== undefined) ? { kind: syntax.kind, conditions } : undefined;
    }
    case 'not': {
      const condition = resolve(context, resourceType, syntax.filter);
      return condition && { kind: 'not', condition };
    }
    case 'test':
      return test(context, resourceType, syntax.path, syntax);
  }
};

interface Test {
  readonly operator: string;
  readonly value: string;
}

/** Undefined if the type has no such parameter. */
const test = (
  context: ParseContext,
  resourceType: string,
  [step, ...further]: readonly PathStep[],
  asked: Test,
): Condition | undefined => {
  if (step === undefined) return undefined;
  if (step.filter !== undefined) {
    const part = inElement(context, resourceType, step.name, step.filter, further, asked);
    if (part) return part;
  }
  const parameter = parameterOf(context, resourceType, step.name);
  if (!parameter) return undefined;
  if (further.length === 0) return leaf(context, resourceType, parameter, asked);
  const targets = targetsBehind(context, parameter, undefined, name, (type) => {
    const found = test(context, type, further, asked);
    const filter = step.filter && resolve(context, type, step.filter);
    if (!found || (step.filter && !filter)) return undefined;
    return filter ? [filter, found] : [found];
  });
  return { kind: 'chain', name, parameter, targets };
};

/** Names that stand for an element, with the composite that selects it and its components' names. https://hl7.org/fhir/R4/search_filter.html#params */
const elements: Readonly<Record<string, { composite: string; parts: Readonly<Record<string, string>> }>> = {
  'Group.characteristic': { composite: 'characteristic-value', parts: { code: 'characteristic', value: 'value' } },
  'DocumentReference.relatesTo': { composite: 'relationship', parts: { code: 'relation', target: 'relatesto' } },
};

const inElement = (
  context: ParseContext,
  resourceType: string,
  element: string,
  filter: FilterSyntax,
  further: readonly PathStep[],
  asked: Test,
): Condition | undefined => {
  const key = `${resourceType}.${element}`;
  const known = Object.hasOwn(elements, key) ? elements[key] : undefined;
  const parameter = known && parameterOf(context, resourceType, known.composite);
  if (!known || !parameter) return undefined;
  const parts = Object.entries(known.parts).flatMap(([code, of]): SearchParameter[] => {
    const component = parameter.components?.find((each) => each.code === of);
    return component ? [{ ...component, code, url: parameter.url }] : [];
  });
  const inside: ParseContext = { ...context, parametersOf: () => parts };
  const condition = resolve(inside, resourceType, filter);
  const found = test(inside, resourceType, further, asked);
  if (!condition || !found)
    throw invalidParameter(name, `${element} has these parts: ${Object.keys(known.parts).join(', ')}`);
  return { kind: 'element', parameter, conditions: [condition, found] };
};

const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'];
const ofTexts = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'];

/** Operators by type of parameter, besides `pr`. https://hl7.org/fhir/R4/search_filter.html#ops */
const operators: Readonly<Record<SearchParameterType, readonly string[]>> = {
  string: ofTexts,
  uri: ofTexts,
  number: [...prefixes, 'co'],
  date: [...prefixes, 'co', 'po'],
  quantity: prefixes,
  token: ['eq', 'ne', 'ss', 'sb', 'in', 'ni'],
  reference: ['re'],
  composite: [],
  special: [],
};

/** Modifiers that mean the same as an operator: what the value subsumes is below it. */
const modifiers: Readonly<Record<string, string>> = { ss: 'below', sb: 'above', in: 'in', ni: 'not-in', pr: 'missing' };

/** Code systems that may be named in short. https://hl7.org/fhir/R4/search_filter.html#ops */
const systems: Readonly<Record<string, string>> = {
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ucum: 'http://unitsofmeasure.org',
};

const leaf = (
  context: ParseContext,
  resourceType: string,
  parameter: SearchParameter,
  { operator, value }: Test,
): Condition => {
  const { code, type } = parameter;
  if (operator !== 'pr' && !operators[type].includes(operator)) {
    throw invalidParameter(name, `${code} is a ${type} parameter, to which this operator does not apply`);
  }
  // one value, whatever commas it has
  const criterion = (text: string): Condition =>
    parseCriterion(context, resourceType, parameter, name, modifiers[operator], splitValue(text, ',').join('\\,'));
  switch (operator) {
    case 'pr':
      // `:missing` asks the opposite
      return criterion(value === 'true' ? 'false' : value === 'false' ? 'true' : value);
    case 'in':
    case 'ni':
    case 're':
      return criterion(value);
    case 'ss':
    case 'sb':
      return criterion(withSystem(value));
    case 'po':
      return {
        kind: 'criterion',
        name,
        parameter,
        modifier: undefined,
        values: [{ ...date(context, value), prefix: 'ap' }],
      };
  }
  const comparator = operator as Comparator;
  if (type === 'token') {
    return { kind: 'comparison', parameter, comparator, value: parseToken(name, withSystem(value)) };
  }
  if (type === 'string' || type === 'uri') {
    return { kind: 'comparison', parameter, comparator, value: { type: 'string', value, folded: foldText(value) } };
  }
  if (operator === 'co') {
    const contained = type === 'date' ? date(context, value) : parseNumber(name, `eq${value}`);
    return { kind: 'comparison', parameter, comparator, value: contained };
  }
  return criterion(`${operator}${value}`);
};

const date = ({ now }: ParseContext, value: string) => parseDate(name, `eq${value}`, now);

const withSystem = (token: string): string =>
  token.replace(/^(\w+)\|/, (whole, system: string) =>
    Object.hasOwn(systems, system) ? `${systems[system]}|` : whole,
  );
