import { spellingIn } from '../fhir/json.ts';

/** JSON as `spelledOut` makes it, to be changed in place. */
export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && spellingIn(value) === undefined;

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The same text for numbers of the same value, however they are written, without a loss of digits. */
const valueOf = (spelling: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(spelling) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
};

/** Whether two numbers have the same value; false unless both are numbers. */
export const sameNumber = (a: unknown, b: unknown): boolean => {
  const [left, right] = [spellingIn(a), spellingIn(b)];
  return left !== undefined && right !== undefined && valueOf(left) === valueOf(right);
};

/** Whether two values are equal: numbers by value, objects whatever the order of their members. https://www.rfc-editor.org/rfc/rfc6902#section-4.6 */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b || sameNumber(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
};

/** What is left of a value without what FHIR's JSON knows no empty form of: lists and objects. Undefined if nothing is. */
export const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutEmpty(item) ?? null);
    // An item that has become empty goes; null keeps the place of a primitive beside its extensions.
    const left = items.filter((item, index) => item !== null || value[index] === null);
    return left.some((item) => item !== null) ? left : undefined;
  }
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    const left = withoutEmpty(member);
    return left === undefined ? [] : [[key, left]];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
};
