import type { Resource } from '../fhir/resource.ts';
import type { SearchParameter, SearchParameterComponent, SearchValue } from '../fhir/search-parameter.ts';
import type { RecordFacts } from './facts.ts';
import { foundBy } from './found-by.ts';
import { matchesChain } from './match/chain.ts';
import { matchesComparison } from './match/comparison.ts';
import { matchesComposite } from './match/composite.ts';
import { matchesDate } from './match/date.ts';
import { matchesNear } from './match/near.ts';
import { matchesNumber } from './match/number.ts';
import { matchesQuantity } from './match/quantity.ts';
import { matchesHierarchy, matchesIdentifier, matchesReference } from './match/reference.ts';
import { matchesString, matchesText } from './match/string.ts';
import { matchesSubsumed, matchesValueSet } from './match/terminology.ts';
import { matchesOfType, matchesToken, matchesTokenText } from './match/token.ts';
import { matchesUri } from './match/uri.ts';
import { matchesWords } from './match/words.ts';
import type { Condition, Criterion, CriterionValue } from './search-query.ts';

export type * from './facts.ts';

/**
 * Whether a record meets all conditions. Of `meta`, only what the body itself holds is seen, except for `_lastUpdated`.
 *
 * @throws RecordError `not-supported` if a condition needs a lookup or terminology that the facts do not have.
 * @see https://hl7.org/fhir/R4/search.html
 */
export const matches = (conditions: readonly Condition[], resource: Resource, facts: RecordFacts): boolean =>
  conditions.every((condition) => meets(condition, resource, facts));

const meets = (condition: Condition, resource: Resource, facts: RecordFacts): boolean => {
  switch (condition.kind) {
    case 'criterion':
      return meetsCriterion(condition, resource, facts);
    case 'chain':
      return matchesChain(condition, resource, facts, matches);
    case 'has':
    case 'list':
      return foundBy(condition, facts).has(`${resource.resourceType}/${facts.id}`);
    case 'text':
      return matchesWords(condition, resource);
    case 'comparison':
      return valuesOf(condition.parameter, resource, facts).some((target) => matchesComparison(condition, target));
    case 'element':
      // the parameters of these conditions select from the element
      return condition.parameter
        .values(resource)
        .some(({ value }) => matches(condition.conditions, value as Resource, facts));
    case 'all':
      return matches(condition.conditions, resource, facts);
    case 'any':
      return condition.conditions.some((each) => meets(each, resource, facts));
    case 'not':
      return !meets(condition.condition, resource, facts);
  }
};

const meetsCriterion = (
  { name, parameter, modifier, values }: Criterion,
  resource: Resource,
  facts: RecordFacts,
): boolean => {
  const targets = valuesOf(parameter, resource, facts);
  const searched = { name, resource, facts };
  const any = values.some((value) =>
    value.type === 'missing'
      ? value.missing === (targets.length === 0)
      : targets.some((target) => matchesValue(value, modifier, parameter, target, searched)),
  );
  return modifier === 'not' || modifier === 'not-in' ? !any : any;
};

/** The elements that a parameter selects; id and time of a record come from its facts. */
export const valuesOf = (
  parameter: SearchParameter,
  resource: Resource,
  { id, lastUpdated }: Pick<RecordFacts, 'id' | 'lastUpdated'>,
): SearchValue[] => {
  if (parameter.code === '_id') return id === '' ? [] : [{ type: 'id', value: id }];
  if (parameter.code === '_lastUpdated' && lastUpdated !== undefined)
    return [{ type: 'instant', value: new Date(lastUpdated).toISOString() }];
  return parameter.values(resource);
};

interface Searched {
  /** The parameter's name as sent, for a refusal. */
  readonly name: string;
  readonly resource: Resource;
  readonly facts: RecordFacts;
}

const matchesValue = (
  value: CriterionValue,
  modifier: string | undefined,
  parameter: SearchParameter | SearchParameterComponent,
  target: SearchValue,
  searched: Searched,
): boolean => {
  const { name, resource, facts } = searched;
  const { resourceType } = resource;
  const context = { resourceType, parameter: parameter.code, name, terminology: facts.terminology };
  switch (value.type) {
    case 'token':
      if (modifier === 'identifier') return matchesIdentifier(value, target);
      return modifier === 'above' || modifier === 'below'
        ? matchesSubsumed(value, modifier, target, context)
        : matchesToken(value, target);
    case 'of-type':
      return matchesOfType(value, target);
    case 'value-set':
      return matchesValueSet(value, target, context);
    case 'string':
      return modifier === 'text' ? matchesTokenText(value, target) : matchesString(value, modifier, parameter, target);
    case 'text':
      return matchesText(value, target);
    case 'reference':
      return matchesReference(value, modifier, parameter, target, facts.baseUrl);
    case 'hierarchy':
      return matchesHierarchy(target, facts.baseUrl, foundBy(value, facts));
    case 'date':
      return matchesDate(value, target);
    case 'number':
      return matchesNumber(value, target);
    case 'quantity':
      return matchesQuantity(value, target, resource, facts.units);
    case 'uri':
      return matchesUri(value, modifier, target, resource.version);
    case 'near':
      return matchesNear(value, target);
    case 'composite':
      return (
        'components' in parameter &&
        matchesComposite(value, parameter, target, resource, (part, component, element) =>
          matchesValue(part, undefined, component, element, searched),
        )
      );
    case 'missing':
      return false; // decided on the parameter as a whole
  }
};
