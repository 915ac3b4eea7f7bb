import type { Resource } from '../fhir/resource.ts';
import type { SearchParameter, SearchParameterComponent, SearchValue } from '../fhir/search-parameter.ts';
import { matchesComposite } from './match/composite.ts';
import { matchesDate } from './match/date.ts';
import { matchesNumber } from './match/number.ts';
import { matchesQuantity } from './match/quantity.ts';
import { matchesIdentifier, matchesReference } from './match/reference.ts';
import { matchesString } from './match/string.ts';
import { matchesToken, matchesTokenText } from './match/token.ts';
import { matchesUri } from './match/uri.ts';
import type { Criterion, CriterionValue } from './search-query.ts';

/** What a search must know of a record beside its body. */
export interface RecordFacts {
  readonly id: string;
  /** When this version was stored; a number is in milliseconds since 1970. */
  readonly lastUpdated: Date | number;
  /** The server's base without a slash at its end: references inside it count as relative. */
  readonly baseUrl: string;
}

/**
 * Whether a record meets all criteria. Of `meta`, only what the body itself holds is seen, except for `_lastUpdated`.
 * https://hl7.org/fhir/R4/search.html
 */
export const matches = (criteria: readonly Criterion[], resource: Resource, facts: RecordFacts): boolean =>
  criteria.every((criterion) => meets(criterion, resource, facts));

const meets = ({ parameter, modifier, values }: Criterion, resource: Resource, facts: RecordFacts): boolean => {
  const targets = valuesOf(parameter, resource, facts);
  const any = values.some((value) =>
    value.type === 'missing'
      ? value.missing === (targets.length === 0)
      : targets.some((target) => matchesValue(value, modifier, parameter, target, { resource, facts })),
  );
  return modifier === 'not' ? !any : any;
};

/** The elements that a parameter selects; id and time of a record come from its facts. */
export const valuesOf = (
  parameter: SearchParameter,
  resource: Resource,
  { id, lastUpdated }: Omit<RecordFacts, 'baseUrl'>,
): SearchValue[] => {
  if (parameter.code === '_id') return [{ type: 'id', value: id }];
  if (parameter.code === '_lastUpdated') return [{ type: 'instant', value: new Date(lastUpdated).toISOString() }];
  return parameter.values(resource);
};

interface Searched {
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
  switch (value.type) {
    case 'token':
      return modifier === 'identifier' ? matchesIdentifier(value, target) : matchesToken(value, target);
    case 'string':
      return modifier === 'text' ? matchesTokenText(value, target) : matchesString(value, modifier, parameter, target);
    case 'reference':
      return matchesReference(value, parameter, target, searched.facts.baseUrl);
    case 'date':
      return matchesDate(value, target);
    case 'number':
      return matchesNumber(value, target);
    case 'quantity':
      return matchesQuantity(value, target);
    case 'uri':
      return matchesUri(value, modifier, target, searched.resource.version);
    case 'composite':
      return (
        'components' in parameter &&
        matchesComposite(value, parameter, target, searched.resource, (part, component, element) =>
          matchesValue(part, undefined, component, element, searched),
        )
      );
    case 'missing':
      return false; // decided on the parameter as a whole
  }
};
