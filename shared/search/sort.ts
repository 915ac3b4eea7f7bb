import type { Resource } from '../fhir/resource.ts';
import type { SearchParameter, SearchParameterType, SearchValue } from '../fhir/search-parameter.ts';
import { foldText } from './fold.ts';
import { timeOf } from './match/date.ts';
import { referenceText } from './match/reference.ts';
import type { SortRule } from './search-query.ts';

/** A record to be sorted. */
export interface Sortable {
  readonly resource: Resource;
  /** A number is in milliseconds since 1970. */
  readonly lastUpdated: Date | number;
}

/** Types whose values have an order. Quantities have none across units. */
const ordered: ReadonlySet<SearchParameterType> = new Set<SearchParameterType>([
  'string',
  'date',
  'number',
  'token',
  'uri',
  'reference',
]);

/** Whether results can be sorted by a parameter. */
export const canSortBy = ({ type }: SearchParameter): boolean => ordered.has(type);

/**
 * Order of records by the rules of `_sort`. Of several values the one that comes first in that order counts; a record without any comes
 * last either way. Texts are compared folded, without regard to a language. https://hl7.org/fhir/R4/search.html#sort
 */
export const compareBy = (rules: readonly SortRule[]): ((a: Sortable, b: Sortable) => number) => {
  const known = new WeakMap<Sortable, readonly SortKey[]>(); // a sort looks at each record many times
  const keysOf = (record: Sortable): readonly SortKey[] => {
    const keys = known.get(record) ?? rules.map((rule) => sortKey(rule, record));
    known.set(record, keys);
    return keys;
  };
  return (a, b) => {
    const [left, right] = [keysOf(a), keysOf(b)];
    for (const [index, { descending }] of rules.entries()) {
      const order = compareKeys(left[index], right[index], descending);
      if (order !== 0) return order;
    }
    return 0;
  };
};

type SortKey = string | number | undefined;

const compareKeys = (a: SortKey, b: SortKey, descending: boolean): number => {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b === descending ? 1 : -1;
};

const sortKey = ({ parameter, descending }: SortRule, { resource, lastUpdated }: Sortable): SortKey => {
  if (parameter.code === '_lastUpdated') return Number(lastUpdated);
  const keys = parameter.values(resource).map((target) => keyOf(parameter.type, target));
  return keys.reduce((first, key) => (compareKeys(key, first, descending) < 0 ? key : first), undefined);
};

const keyOf = (type: SearchParameterType, target: SearchValue): SortKey => {
  const { value } = target;
  switch (type) {
    case 'date':
      return timeKey(target);
    case 'number':
      return typeof value === 'number' ? value : undefined;
    case 'reference':
      return referenceText(target);
    case 'string':
      return textKey(target);
    default:
      return codeKey(target);
  }
};

/** Where a time begins; where it ends, if it has no beginning. */
const timeKey = (target: SearchValue): number | undefined => {
  const { start, end } = timeOf(target) ?? {};
  return [start, end].find((time) => Number.isFinite(time));
};

const textKey = ({ type, value }: SearchValue): string | undefined => {
  if (typeof value === 'string') return foldText(value);
  if (type === 'HumanName') {
    const { family, given, text } = value as fhir4.HumanName;
    return foldedList(family === undefined && given === undefined ? [text] : [family, ...(given ?? [])]);
  }
  const { country, state, city, line, text } = value as fhir4.Address;
  const parts = [country, state, city, ...(line ?? [])];
  return foldedList(parts.every((part) => part === undefined) ? [text] : parts);
};

const foldedList = (parts: readonly (string | null | undefined)[]): string | undefined => {
  const text = foldText(parts.filter((part) => part !== undefined && part !== null).join(' '));
  return text === '' ? undefined : text;
};

/** The code of a token, or the URI. */
const codeKey = ({ type, value }: SearchValue): string | undefined => {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  switch (type) {
    case 'CodeableConcept':
      return (value as fhir4.CodeableConcept).coding?.find(({ code }) => code !== undefined)?.code;
    case 'Coding':
      return (value as fhir4.Coding).code;
    case 'Identifier':
    case 'ContactPoint':
      return (value as fhir4.Identifier | fhir4.ContactPoint).value;
    default:
      return undefined;
  }
};
