import type { SearchValue } from './search-parameter.ts';

// What code compiled from FHIRPath calls; see infra/generate/fhirpath/. A value that is undefined, or null inside a list of
// primitives, is FHIRPath's empty collection: https://hl7.org/fhirpath/N1/

type Maybe<T> = T | null | undefined;
type List<T> = readonly Maybe<T>[];

/** A search value of one element; nothing if it is absent. */
export const one = (type: string, value: unknown): SearchValue[] =>
  value === undefined || value === null ? [] : [{ type, value }];

/** The search values of a repeating element, in its order. */
export const many = (type: string, values: Maybe<List<unknown>>): SearchValue[] => {
  const found: SearchValue[] = [];
  if (values) for (const value of values) if (value !== undefined && value !== null) found.push({ type, value });
  return found;
};

/** What `of` gives for each item, in one list without gaps. https://hl7.org/fhirpath/N1/#selectprojection-expression-collection */
export const select = <T, U>(items: Maybe<List<T>>, of: (item: T) => U | List<U> | undefined): U[] => {
  const found: U[] = [];
  if (!items) return found;
  for (const item of items) {
    if (item === undefined || item === null) continue;
    const result = of(item);
    if (Array.isArray(result)) {
      for (const each of result as List<U>) if (each !== undefined && each !== null) found.push(each);
    } else if (result !== undefined && result !== null) {
      found.push(result as U);
    }
  }
  return found;
};

/** The items that meet the criterion. https://hl7.org/fhirpath/N1/#wherecriteria-expression-collection */
export const where = <T>(items: Maybe<List<T>>, meets: (item: T) => boolean): T[] => {
  const found: T[] = [];
  if (items) for (const item of items) if (item !== undefined && item !== null && meets(item)) found.push(item);
  return found;
};

/** Whether all items meet the criterion; true of none. https://hl7.org/fhirpath/N1/#allcriteria-expression-boolean */
export const every = <T>(items: Maybe<List<T>>, meets: (item: T) => boolean): boolean => {
  if (items) for (const item of items) if (item !== undefined && item !== null && !meets(item)) return false;
  return true;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPresent = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  !(Array.isArray(value) && !value.some((item) => item !== undefined && item !== null));

/** Whether any of the elements is there. */
export const exists = (...values: readonly unknown[]): boolean => values.some(isPresent);

/** Whether none of the elements is there. */
export const empty = (...values: readonly unknown[]): boolean => !values.some(isPresent);

/** Whether an element has its choice `name[x]` in any type, be it by an extension alone. */
export const hasChoice = (element: object | undefined, name: string): boolean => {
  if (element === undefined) return false;
  for (const key of Object.keys(element)) {
    const property = key.startsWith('_') ? key.slice(1) : key;
    const next = property.charAt(name.length);
    if (property.startsWith(name) && next >= 'A' && next <= 'Z') return true;
  }
  return false;
};

/** How many values the elements have together. */
export const count = (...values: readonly unknown[]): number => {
  let total = 0;
  for (const value of values) {
    if (Array.isArray(value)) total += value.length;
    else if (isPresent(value)) total += 1;
  }
  return total;
};

/** All values in one list; a single value counts as a list of one. */
export const union = <T>(...values: readonly Maybe<T | List<T>>[]): T[] => {
  const found: T[] = [];
  for (const value of values) {
    if (Array.isArray(value)) {
      for (const item of value as List<T>) if (item !== undefined && item !== null) found.push(item);
    } else if (value !== undefined && value !== null) {
      found.push(value as T);
    }
  }
  return found;
};

const deepEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keysOfA, keysOfB] = [Object.keys(a), Object.keys(b)];
  if (keysOfA.length !== keysOfB.length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keysOfA.every((key) => Object.hasOwn(right, key) && deepEqual(left[key], right[key]));
};

/** Equality of two values or lists; undefined if either is empty. https://hl7.org/fhirpath/N1/#equals */
export const equal = (a: unknown, b: unknown): boolean | undefined => {
  const [left, right] = [union(a), union(b)];
  if (left.length === 0 || right.length === 0) return undefined;
  return left.length === right.length && left.every((item, index) => deepEqual(item, right[index]));
};

/** The same text for values that are deeply equal, whatever the order of their members. */
const canonicalText = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );

/** Items of the first list that are in the second too. https://hl7.org/fhirpath/N1/#intersectother-collection-collection */
export const intersect = <T>(a: Maybe<List<T>>, b: Maybe<List<T>>): T[] => {
  if (!a || !b || a.length === 0 || b.length === 0) return [];
  const others = new Set(b.map(canonicalText)); // by text, lest long lists be compared item by item
  return where(a, (item) => others.has(canonicalText(item)));
};

/** Whether no value occurs twice. https://hl7.org/fhirpath/N1/#isdistinct-boolean */
export const isDistinct = (items: Maybe<List<unknown>>): boolean => {
  const values = union<unknown>(items);
  return new Set(values).size === values.length;
};

/** Whether the list holds the value; undefined if there is no value. https://hl7.org/fhirpath/N1/#in-membership */
export const memberOf = (value: unknown, items: Maybe<List<unknown>>): boolean | undefined =>
  value === undefined || value === null ? undefined : (items ?? []).includes(value);

/** The `&` operator: what is empty counts as ''. https://hl7.org/fhirpath/N1/#string-concatenation */
export const concatenate = (a: Maybe<string>, b: Maybe<string>): string => `${a ?? ''}${b ?? ''}`;

/** The text from an offset; undefined if it lies outside. https://hl7.org/fhirpath/N1/#substringstart-integer-length-integer-string */
export const substring = (text: Maybe<string>, start: number): string | undefined =>
  text === undefined || text === null || start >= text.length ? undefined : text.slice(start);

/** Whether the text begins with the prefix; undefined if either is empty. https://hl7.org/fhirpath/N1/#startswithprefix-string-boolean */
export const startsWith = (text: Maybe<string>, prefix: Maybe<string>): boolean | undefined =>
  text === undefined || text === null || prefix === undefined || prefix === null ? undefined : text.startsWith(prefix);

/** Whether the text has a match of the pattern anywhere. https://hl7.org/fhirpath/N1/#matchesregex-string-boolean */
export const matches = (text: Maybe<string>, pattern: RegExp): boolean | undefined =>
  text === undefined || text === null ? undefined : pattern.test(text);

/** The integer that the text spells; undefined if it spells none. https://hl7.org/fhirpath/N1/#tointeger-integer */
export const toInteger = (text: Maybe<string>): number | undefined =>
  text !== undefined && text !== null && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;

/** All objects and primitives below an element, extensions of primitives included. https://hl7.org/fhirpath/N1/#descendants-collection */
export const descendants = (element: unknown): unknown[] => {
  const found: unknown[] = [];
  const open: unknown[] = [element]; // not recursive: a deep resource must not exhaust the stack
  while (open.length > 0) {
    const value = open.pop();
    if (!isObject(value)) continue;
    for (const child of Object.values(value)) {
      for (const item of Array.isArray(child) ? child : [child]) {
        if (item === undefined || item === null) continue;
        found.push(item);
        open.push(item);
      }
    }
  }
  return found;
};

/** The elements of that name below each of the items, whatever their type. */
export const children = (items: List<unknown>, name: string): unknown[] =>
  select(items, (item) => (isObject(item) && Object.hasOwn(item, name) ? item[name] : undefined));

const literalReference =
  /^(?:https?:\/\/.+\/)?([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/**
 * The type of the resource that a reference names: by its `type`, else by its literal address.
 * Undefined for `urn:uuid:…`, `#contained` and logical references without `type`. https://hl7.org/fhir/R4/references.html
 */
export const referencedType = (reference: Maybe<fhir4.Reference>): string | undefined =>
  reference?.type ?? (reference?.reference === undefined ? undefined : literalReference.exec(reference.reference)?.[1]);

/** The reference, if it names a resource of that type: `where(resolve() is Patient)`. */
export const ofReferencedType = (reference: Maybe<fhir4.Reference>, type: string): fhir4.Reference | undefined =>
  reference && referencedType(reference) === type ? reference : undefined;

/** Order of two numbers; undefined if either is absent. */
export const compareNumbers = (a: Maybe<number>, b: Maybe<number>): number | undefined =>
  a === undefined || a === null || b === undefined || b === null ? undefined : Math.sign(a - b);

const dayMs = 86_400_000;
const datePattern = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/** First and last millisecond that a date may mean, in UTC; it has no time zone unless it has a time. */
const rangeOf = (text: string): { first: number; last: number; isInstant: boolean } | undefined => {
  const parts = datePattern.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, time, zone] = [Number(parts[1]), parts[2], parts[3], parts[4], parts[5]];
  if (time !== undefined) {
    const instant = Date.parse(`${text}${zone === undefined ? 'Z' : ''}`);
    return Number.isNaN(instant) ? undefined : { first: instant, last: instant, isInstant: true };
  }
  const first = Date.parse(`${parts[1]}-${month ?? '01'}-${day ?? '01'}T00:00:00Z`);
  const end =
    day !== undefined
      ? first + dayMs
      : month !== undefined
        ? Date.UTC(year, Number(month), 1)
        : Date.UTC(year + 1, 0, 1);
  return Number.isNaN(first) ? undefined : { first, last: end - 1, isInstant: false };
};

// local time is at most 14 hours ahead of UTC and at most 12 behind
const aheadMs = 14 * 3_600_000;
const behindMs = 12 * 3_600_000;

/**
 * Order of two dates or times: undefined if either is absent, or if they overlap at different precision
 * (2024 and 2024-05). A date without a time may mean that day anywhere on earth.
 * https://hl7.org/fhirpath/N1/#datetime-comparison
 */
export const compareDates = (a: Maybe<string>, b: Maybe<string>): number | undefined => {
  if (a === undefined || a === null || b === undefined || b === null) return undefined;
  if (a === b) return 0;
  const [left, right] = [rangeOf(a), rangeOf(b)];
  if (left === undefined || right === undefined) return undefined;
  const mixed = left.isInstant !== right.isInstant;
  for (const range of [left, right]) {
    if (!mixed || range.isInstant) continue;
    range.first -= aheadMs;
    range.last += behindMs;
  }
  if (left.last < right.first) return -1;
  if (left.first > right.last) return 1;
  return left.first === right.first && left.last === right.last && !mixed ? 0 : undefined;
};

/** Order of two quantities in the same unit; undefined if a value is absent or the units differ. */
export const compareQuantities = (a: Maybe<fhir4.Quantity>, b: Maybe<fhir4.Quantity>): number | undefined =>
  a && b && (a.system ?? '') === (b.system ?? '') && (a.code ?? a.unit ?? '') === (b.code ?? b.unit ?? '')
    ? compareNumbers(a.value, b.value)
    : undefined;
