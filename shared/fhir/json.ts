// FHIR keeps the precision of decimals: a result of 1.50 must not come back as 1.5 (https://hl7.org/fhir/R4/datatypes.html#decimal).
// JavaScript numbers lose it, so the original spelling of such numbers is remembered beside the object that holds them.

/** Spelling of numbers that JavaScript would print in another way, by the object or array that holds them. */
// One for all files of a function: code that is loaded later, from a file of its own, brings a copy of this module.
const shared = globalThis as { [key: symbol]: WeakMap<object, Map<string, string>> | undefined };
const spellings = (shared[Symbol.for('concord.spellings')] ??= new WeakMap());

/**
 * A decimal with closing zeros, an exponent, a minus zero, more digits than a double holds, or so small that JavaScript prints it
 * with an exponent: only then is the slow way needed.
 */
const mayLoseSpelling = /\d\.\d*0[\s,}\]]|\d[eE][+-]?\d|-0[\s,}\]]|[\d.]{16}|0\.0{6}/;

interface WithSource {
  readonly source?: string;
}
type Revive = (this: object, key: string, value: unknown, context: WithSource) => unknown;
interface JsonWithSource {
  parse(text: string, revive: Revive): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
}
// TypeScript's own declarations do not know these yet: https://tc39.es/proposal-json-parse-with-source/
const json = JSON as unknown as JsonWithSource;

/**
 * Parses JSON and remembers how decimals were written.
 *
 * @throws SyntaxError for anything that is not JSON.
 */
export const parseJson = (text: string): unknown => {
  if (!mayLoseSpelling.test(text)) return JSON.parse(text);
  return json.parse(text, function (key, value, { source }) {
    if (typeof value === 'number' && source !== undefined && source !== String(value)) {
      const known = spellings.get(this) ?? new Map<string, string>();
      spellings.set(this, known.set(key, source));
    }
    return value;
  });
};

/** Writes JSON with each decimal as it was read, as long as its holder is the object that `parseJson` made. */
export const stringifyJson = (value: unknown, indent?: number): string =>
  JSON.stringify(
    value,
    function (this: object, key: string, member: unknown) {
      if (typeof member !== 'number') return member;
      const spelling = spellings.get(this)?.get(key);
      return spelling !== undefined && Number(spelling) === member ? json.rawJSON(spelling) : member;
    },
    indent,
  );

/** Lets a shallow copy of a parsed object print its own decimals as the original did. */
export const withSpellingOf = <T extends object>(copy: T, original: object): T => {
  const known = spellings.get(original);
  if (known) spellings.set(copy, known);
  return copy;
};

/** A deep copy with the members of each object in order of their names: what differs in their order alone is written alike. */
export const inOrder = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(inOrder)
    : Object.fromEntries(
        Object.entries(value)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([name, member]) => [name, inOrder(member)]),
      );
  return withSpellingOf(copy, value);
};

/**
 * A deep copy whose members can be moved about: a decimal with a spelling of its own is in it a value that `JSON.stringify` writes as it
 * was read. `parseJson` of what that writes is an ordinary value again.
 */
export const spelledOut = (value: unknown): unknown =>
  value === undefined
    ? undefined
    : json.parse(stringifyJson(value), (_, member, { source }) =>
        typeof member === 'number' && source !== undefined && source !== String(member) ? json.rawJSON(source) : member,
      );

/** How a number in such a copy is written; undefined for whatever is no number. */
export const spellingIn = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return json.isRawJSON(value) ? value.rawJSON : undefined;
};
