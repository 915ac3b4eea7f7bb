import type { Random } from '../naive-search/random.ts';
import { type Mutated, type Mutation, marker } from './mutation.ts';
import { oddNames, oddSuffixes, oddValues, oddValuesOf } from './odd-texts.ts';
import type { ValidRequest } from './valid-requests.ts';

/** A parameter's name as the server sees it. */
const shown = (name: string): string => {
  try {
    return decodeURIComponent(name);
  } catch {
    return Buffer.from(new URLSearchParams(`${name}=`).keys().next().value ?? '').toString();
  }
};

const withQuery = (
  request: ValidRequest,
  query: ValidRequest['query'],
  what: string,
  names: readonly string[],
): Mutated => ({
  request: { ...request, query },
  what,
  places: names.map(shown),
});

const isSearch = ({ path, method, query }: ValidRequest) =>
  (method === 'GET' && /^[A-Z][A-Za-z]+$/.test(path) && query.every(([name]) => name !== '_page')) ||
  path.endsWith('/_search');

/** Sets one value to something odd. */
const setValue: Mutation = (request, random) => {
  const at = random.below(request.query.length);
  const pair = request.query[at];
  if (!pair) return undefined;
  const [name] = pair;
  const own = oddValuesOf.get(name.replace(/%3A.*/i, ''));
  const [what, value] =
    own && random.chance(0.5)
      ? ['a value that this parameter may not have', encodeURIComponent(random.of(own))]
      : random.of(oddValues);
  return withQuery(request, request.query.with(at, [name, value]), `${what} as the value of a parameter`, [name]);
};

/** Puts something odd before or behind a value. */
const extendValue: Mutation = (request, random) => {
  const at = random.below(request.query.length);
  const pair = request.query[at];
  if (!pair) return undefined;
  const [name, value] = pair;
  const [what, odd] = random.of(oddValues);
  const extended = random.chance(0.5) ? `${value}${odd}` : `${odd}${value}`;
  return withQuery(request, request.query.with(at, [name, extended]), `${what} beside a value`, [name]);
};

/** Lengthens a parameter's name. */
const extendName: Mutation = (request, random) => {
  const at = random.below(request.query.length);
  const pair = request.query[at];
  if (!pair) return undefined;
  const [name, value] = pair;
  const suffix = random.of(oddSuffixes);
  return withQuery(request, request.query.with(at, [`${name}${suffix}`, value]), 'an odd modifier or chain', [
    `${name}${suffix}`,
  ]);
};

/** Adds a parameter with an odd name, or one that manages the result. */
const addParameter: Mutation = (request, random) => {
  if (request.query.length === 0 && !isSearch(request)) return undefined;
  const known = [...oddValuesOf.keys()];
  const name = random.chance(0.5) ? random.of(oddNames) : random.of(known);
  const value = encodeURIComponent(random.of(oddValuesOf.get(name) ?? ['1', 'x', 'true']));
  return withQuery(request, [...request.query, [name, value]], 'an odd parameter more', [
    name,
    // Beside a page link each of the two is one too many.
    ...(name === '_page' ? request.query.map(([other]) => other) : []),
  ]);
};

/** Repeats a parameter. */
const repeat: Mutation = (request, random) => {
  const pair = random.maybe(request.query);
  if (!pair) return undefined;
  const times = random.of([1, 1, 2, 60, 250]);
  const query = [...request.query, ...Array.from({ length: times }, () => pair)];
  return withQuery(request, query, `a parameter ${times} times more`, [pair[0]]);
};

/** A form that no address could hold. */
const largeForm: Mutation = (request, random) => {
  if (!request.form) return undefined;
  const [what, ...pairs] = random.of<readonly [string, ...(readonly [string, string])[]]>([
    ['a form of 100,000 parameters', ...Array.from({ length: 100_000 }, (): [string, string] => ['a', '1'])],
    ['a form of 1 MB', ['_content', marker.repeat(100_000)]],
    ['a form with a name of 1 MB', [marker.repeat(100_000), '1']],
    ['a form of 190 KB of spaces', ['name', '+'.repeat(190_000)]],
    ['a form of 190 KB of commas', ['_id', ','.repeat(190_000)]],
    ['a form of 190 KB of parentheses', ['_text', '('.repeat(190_000)]],
  ]);
  return withQuery(request, [...request.query, ...pairs], what, [
    'Content-Length',
    ...pairs.slice(0, 1).map(([name]) => name),
  ]);
};

/** Many includes. */
const includes: Mutation = (request, random) => {
  if (!isSearch(request)) return undefined;
  const many = Array.from({ length: random.of([1, 50, 51, 90]) }, (): [string, string] => [
    '_include',
    'Observation:subject',
  ]);
  return withQuery(request, [...request.query, ...many], 'many includes', ['_include']);
};

/** A link to a page that is another's, of another search, or not as it was sealed. */
const anotherPage: Mutation = (request, random: Random, { pages }) => {
  if (request.method !== 'GET' || !/^[A-Z]/.test(request.path)) return undefined;
  const page = random.of(Object.values(pages));
  const at = random.below(page.length);
  const altered = `${page.slice(0, at)}${page[at] === 'A' ? 'B' : 'A'}${page.slice(at + 1)}`;
  const value = random.of([page, altered, page.slice(0, at), `${page}${page}`, page.toUpperCase()]);
  const beside = random.chance(0.3) ? request.query : [];
  return withQuery(request, [...beside, ['_page', value]], 'a page link that does not belong here', [
    '_page',
    // An operation misses what the link has replaced.
    ...request.query.map(([name]) => name),
  ]);
};

export const parameterMutations: readonly Mutation[] = [
  setValue,
  setValue,
  extendValue,
  extendName,
  addParameter,
  addParameter,
  repeat,
  largeForm,
  includes,
  anotherPage,
];
