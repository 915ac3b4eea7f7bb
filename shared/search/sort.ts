import type { Resource } from '../fhir/resource.ts';
import type { SearchParameter, SearchParameterType, SearchValue } from '../fhir/search-parameter.ts';
import { foldText } from './fold.ts';
import { timeOf } from './match/date.ts';
import { quantityOf } from './match/quantity.ts';
import { referenceText } from './match/reference.ts';
import type { SortRule } from './search-query.ts';
import { type Units, ucum } from './units.ts';

/** A record to be sorted. */
export interface Sortable {
  readonly resource: Resource;
  /** A number is in milliseconds since 1970. */
  readonly lastUpdated: Date | number;
}

/** Types whose values have no order. */
const unordered: ReadonlySet<SearchParameterType> = new Set<SearchParameterType>(['composite', 'special']);

/** Whether results can be sorted by a parameter. */
export const canSortBy = ({ type }: SearchParameter): boolean => !unordered.has(type);

/** What a record is sorted by, one for each rule; null where it has no value. Can be written as JSON. */
export type SortKeys = readonly (SortKey | null)[];

/** Letters of a text that count. They stand in `next` links, whose length is limited. */
const longestKey = 100;

/**
 * What a record is sorted by. Of several values the one that comes first in that order counts. Texts are compared folded, without regard to
 * a language; quantities by what they measure, and then in one unit. https://hl7.org/fhir/R4/search.html#sort
 *
 * @param units - needed where a rule is about quantities.
 */
export const sortKeysOf = (rules: readonly SortRule[], record: Sortable, units: Units | undefined): SortKeys =>
  rules.map((rule) => {
    const key = sortKey(rule, record, units);
    return typeof key === 'string' ? key.slice(0, longestKey) : (key ?? null);
  });

/** Order of what records are sorted by. A record without a value comes last either way. */
export const compareKeysBy =
  (rules: readonly SortRule[]) =>
  (left: SortKeys, right: SortKeys): number => {
    for (const [index, { descending }] of rules.entries()) {
      const order = compareKeys(left[index] ?? undefined, right[index] ?? undefined, descending);
      if (order !== 0) return order;
    }
    return 0;
  };

/** What is compared; of a quantity only within what it measures. */
type SortKey = string | number | { readonly dimension: string; readonly value: number };

const compareKeys = (a: SortKey | undefined, b: SortKey | undefined, descending: boolean): number => {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (typeof a !== 'object' || typeof b !== 'object') return a === b ? 0 : a < b === descending ? 1 : -1;
  // what is measured in other ways stands apart, in one order either way
  if (a.dimension !== b.dimension) return a.dimension < b.dimension ? -1 : 1;
  return compareKeys(a.value, b.value, descending);
};

const sortKey = (
  { parameter, descending }: SortRule,
  { resource, lastUpdated }: Sortable,
  units: Units | undefined,
): SortKey | undefined => {
  if (parameter.code === '_lastUpdated') return Number(lastUpdated);
  const keys = parameter.values(resource).map((target) => keyOf(parameter.type, target, units));
  return keys.reduce<SortKey | undefined>(
    (first, key) => (compareKeys(key, first, descending) < 0 ? key : first),
    undefined,
  );
};

const keyOf = (type: SearchParameterType, target: SearchValue, units: Units | undefined): SortKey | undefined => {
  const { value } = target;
  switch (type) {
    case 'date':
      return timeKey(target);
    case 'number':
      return typeof value === 'number' ? value : undefined;
    case 'quantity':
      return quantityKey(target, units);
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

/** The quantity, or where its range begins, in base units; as it is, if its unit is none of UCUM. */
const quantityKey = (target: SearchValue, ucumUnits: Units | undefined): SortKey | undefined => {
  if (!ucumUnits) throw new Error('Quantities are sorted, and units were not loaded');
  const { interval, units: [unit] = [] } = quantityOf(target) ?? {};
  const value = [interval?.low, interval?.high].find((limit) => Number.isFinite(limit));
  if (value === undefined || !unit) return undefined;
  const { system, code } = unit;
  const canonical = system === ucum && code !== undefined ? ucumUnits.canonicalQuantity(value, code) : undefined;
  return canonical ?? { dimension: `${system ?? ''}|${code ?? unit.unit ?? ''}`, value };
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
