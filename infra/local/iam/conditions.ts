import type { Conditions } from '../../grants/statement.ts';

/** Values of a condition key in a request; undefined where the request has no such key. */
export type ContextOf = (key: string) => readonly string[] | undefined;

/** Whether all conditions of a statement are met by a request. */
export type Conditional = (context: ContextOf) => boolean;

type Matcher = (value: string) => boolean;

/** Operators on one text, without their negations. */
const operators: Readonly<Record<string, (expected: string) => Matcher>> = {
  StringEquals: (expected) => (value) => value === expected,
  StringLike: (expected) => matcherOf(expected),
  ArnEquals: (expected) => matcherOf(expected),
  ArnLike: (expected) => matcherOf(expected),
  Bool: (expected) => (value) => value.toLowerCase() === expected.toLowerCase(),
};

/** Matches a text with `*` for any characters and `?` for one, as policies do. */
export const matcherOf = (pattern: string): Matcher => {
  if (!/[*?]/.test(pattern)) return (value) => value === pattern;
  if (/^[^*?]*\*$/.test(pattern)) {
    const start = pattern.slice(0, -1);
    return (value) => value.startsWith(start);
  }
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (value) => expression.test(value);
};

/**
 * Reads the conditions of a statement.
 *
 * @throws Error for an operator that is not known here: a condition that is passed over would allow what the service refuses.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export const conditional = (conditions: Conditions): Conditional => {
  const all = Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, expected]) => conditionOn(operator, key, [expected].flat())),
  );
  return (context) => all.every((met) => met(context));
};

const conditionOn = (operator: string, key: string, expected: readonly string[]): Conditional => {
  if (operator === 'Null') {
    const absent = expected.map((value) => value === 'true');
    return (context) => absent.includes(!context(key)?.length); // no value is no key
  }
  const [, set, negated, name, ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(?=(\w+Not)?)(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const matchers = operators[(name ?? '').replace('Not', '')];
  if (!matchers) throw new Error(`The local stack does not know the operator ${operator}`);
  const variable = expected.find((text) => text.includes('${'));
  if (variable !== undefined) throw new Error(`The local stack knows no policy variables: ${variable}`);
  const known = expected.map(matchers);
  const matches: Matcher = negated
    ? (value) => known.every((each) => !each(value))
    : (value) => known.some((each) => each(value));
  return (context) => {
    const values = context(key);
    if (values === undefined)
      return ifExists !== undefined || set === 'ForAllValues' || (negated !== undefined && !set);
    if (set === 'ForAllValues') return values.every(matches);
    return values.some(matches);
  };
};
