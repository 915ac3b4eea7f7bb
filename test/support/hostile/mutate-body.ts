import { gzipSync } from 'node:zlib';
import type { Random } from '../naive-search/random.ts';
import { type Mutation, marker } from './mutation.ts';
import type { ValidRequest } from './valid-requests.ts';

type Json = unknown;
type Path = readonly (string | number)[];

/** All places of a body, the root too. */
const placesIn = (value: Json, at: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return [at];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...members.flatMap(([key, member]) => placesIn(member, [...at, key]))];
};

const valueAt = (value: Json, path: Path): Json =>
  path.reduce<Json>((inner, key) => (inner as Record<string | number, Json>)[key], value);

/** A copy with one place changed, or taken out where `change` answers undefined. */
const changed = (value: Json, [key, ...rest]: Path, change: (old: Json) => Json): Json => {
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, Json>;
  const inner = changed(copy[key], rest, change);
  if (inner !== undefined) copy[key] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
};

/** `Observation.component[0].code`, or what of it a resource within a bundle calls so. */
const elementsOf = (body: Json, path: Path): string[] => {
  const names = [elementOf(body, path)];
  const within = path.findIndex((key) => key === 'resource');
  // Other entries may refer to this one, and another address asks for another resource.
  if (within < 0 && path[0] === 'entry') names.push('Bundle.entry');
  names.push(...operationParameters(body));
  if (within >= 0) names.push(elementOf(valueAt(body, path.slice(0, within + 1)), path.slice(within + 1)));
  return names;
};

/** The input of an operation is named as its definition names it, and what stands in it as a body of its own. */
const operationParameters = (body: Json): string[] => {
  const { resourceType, parameter = [] } = (body ?? {}) as Partial<fhir4.Parameters>;
  return resourceType === 'Parameters'
    ? parameter.flatMap(({ name, resource }) => [name, ...(resource ? [resource.resourceType] : [])])
    : [];
};

const elementOf = (body: Json, path: Path): string =>
  path.reduce<string>(
    (parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : `${parent}.${key}`),
    (body as { resourceType?: string } | undefined)?.resourceType ?? '',
  );

const oddMembers: readonly (readonly [what: string, value: Json])[] = [
  ['a number', 7],
  ['a text', marker],
  ['true', true],
  ['null', null],
  ['a list', [marker]],
  ['an empty list', []],
  ['an empty object', {}],
  ['an object', { [marker]: 1 }],
  ['an object that is no text', { toString: '', valueOf: 1 }],
  ['an empty text', ''],
  ['a list of lists', [[[]]]],
  ['a list of null', [null]],
  ['a text of zeros', '\0\0'],
  ['control letters', '\u0001\u001b[31m\u007f'],
  ['letters, the third one outside the basic plane', 'ab\u{1F9EC}\u{10FFFF}'],
  ['a thirteenth month', '2020-13-45'],
  ['a long text', marker.repeat(20_000)],
  ['a huge number', 1e308],
  ['a negative number', -1],
  ['a fraction', 0.1],
  ['markup', `<div xmlns="http://www.w3.org/1999/xhtml"><script>${marker}</script></div>`],
  ['a reference to nothing', `Patient/${marker}`],
  ['a reference that is no text', { reference: { toString: '' } }],
  ['a reference as object', { reference: `Patient/${marker}` }],
  ['fifty levels', nested(50)],
  ['a thousand levels', nested(1_000)],
];

function nested(levels: number): Json {
  let value: Json = marker;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { extension: value };
  return value;
}

const oddNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  marker,
  '',
  '_',
  '_id',
  'resourceType',
  'fhir_comments',
  marker.repeat(50),
];

const withBody = (request: ValidRequest, body: unknown, what: string, places: readonly string[]) => ({
  request: { ...request, body },
  what,
  places: ['body', ...places],
});

const setMember: Mutation = (request, random) => {
  if (request.body === undefined) return undefined;
  const path = random.of(placesIn(request.body));
  const [what, value] = random.of(oddMembers);
  return withBody(
    request,
    changed(request.body, path, () => value),
    `${what} as element`,
    [...elementsOf(request.body, path), ...(typeof value === 'string' ? [value] : [])],
  );
};

const takeOut: Mutation = (request, random) => {
  if (request.body === undefined) return undefined;
  const path = random.of(placesIn(request.body).slice(1));
  return withBody(
    request,
    changed(request.body, path, () => undefined),
    'an element less',
    elementsOf(request.body, path),
  );
};

const addMember: Mutation = (request, random) => {
  if (request.body === undefined) return undefined;
  const path = random.of(placesIn(request.body));
  const name = random.of(oddNames);
  const [what, value] = random.of(oddMembers);
  const put = (old: Json): Json => {
    if (typeof old !== 'object' || old === null) return { [name]: value };
    if (Array.isArray(old)) return [...old, value];
    // JSON's own `__proto__` is a member like others.
    return Object.defineProperty({ ...old }, name, { value, enumerable: true });
  };
  return withBody(
    request,
    changed(request.body, path, put),
    `${what} as an element more`,
    elementsOf(request.body, path),
  );
};

/** Lets the text of a body be broken where no member of it could be. */
const breakText: Mutation = (request, random) => {
  if (request.body === undefined) return undefined;
  const text = JSON.stringify(request.body);
  const at = random.below(text.length);
  const [what, broken] = random.of<readonly [string, (random: Random) => Buffer]>([
    ['cut short', () => Buffer.from(text.slice(0, at))],
    ['with a letter more', () => Buffer.from(`${text.slice(0, at)}}${text.slice(at)}`)],
    ['with something behind it', () => Buffer.from(`${text}${marker}`)],
    ['with a byte order mark', () => Buffer.from(`\uFEFF${text}`)],
    ['in UTF-16', () => Buffer.from(text, 'utf16le')],
    ['with a byte that is not UTF-8', () => Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from([0xff, 0xc0])])],
    ['with half of a surrogate pair', () => Buffer.from(text.replace(/"(?=,|})/, '\\ud800"'))],
    ['with an escaped zero', () => Buffer.from(text.replace(/"(?=,|})/, '\\u0000"'))],
    ['with a number without end', () => Buffer.from(text.replace(/:(?=["{[])/, ':1e400,"x":'))],
    ['with a number of many digits', () => Buffer.from(text.replace(/\d+(\.\d+)?(?=,"|})/, '9'.repeat(400)))],
    ['with a member twice', () => Buffer.from(text.replace(/^\{/, '{"resourceType":"Patient",'))],
    ['with 200,000 brackets', () => Buffer.from('['.repeat(200_000))],
    ['of nothing but spaces', () => Buffer.from(' '.repeat(1_000))],
    ['of no bytes', () => Buffer.alloc(0)],
    ['that is a text', () => Buffer.from(JSON.stringify(text))],
    ['that is null', () => Buffer.from('null')],
    ['that is a list', () => Buffer.from(`[${text}]`)],
    ['as gzip that nothing tells of', () => gzipSync(text)],
    ['with more than 4 MB', () => Buffer.from(`${text}${' '.repeat(4_100_000)}`)],
  ]);
  return withBody(request, broken(random), `a body ${what}`, [
    'Content-Type',
    'Content-Length',
    ...elementsOf(request.body, []),
  ]);
};

const oddEntries: readonly (readonly [path: Path, value: Json])[] = [
  [['type'], 'searchset'],
  [['type'], undefined],
  [['entry'], {}],
  [['entry'], null],
  [['entry', 0], null],
  [['entry', 0], marker],
  [['entry', 0, 'request'], undefined],
  [['entry', 0, 'request', 'method'], 'get'],
  [['entry', 0, 'request', 'method'], 'PATCH'],
  [['entry', 0, 'request', 'method'], { GET: 1 }],
  [['entry', 0, 'request', 'url'], `Nothing/${marker}`],
  [['entry', 0, 'request', 'url'], '../../x'],
  [['entry', 0, 'request', 'url'], `https://other.example/${marker}`],
  [['entry', 0, 'request', 'url'], 'Patient/%ED%A0%80'],
  [['entry', 0, 'request', 'url'], 'Patient?birthdate=2020-13'],
  [['entry', 0, 'request', 'url'], ''],
  [['entry', 0, 'request', 'url'], 7],
  [['entry', 0, 'request', 'url'], ''.padEnd(20_000, 'a')],
  [['entry', 0, 'request', 'url'], '__proto__/1'],
  [['entry', 0, 'request', 'url'], '_history'],
  [['entry', 0, 'request', 'url'], 'Patient/_search'],
  [['entry', 0, 'request', 'method'], 'HEAD'],
  [['entry', 0, 'request', 'ifModifiedSince'], marker],
  [['entry', 0, 'request', 'ifMatch'], marker],
  [['entry', 0, 'request', 'ifNoneExist'], 'birthdate=2020-13'],
  [['entry', 0, 'request', 'ifNoneExist'], '%'],
  [['entry', 0, 'request', 'ifNoneExist'], ['a']],
  [['entry', 0, 'search'], { mode: 'match' }],
  [['entry', 0, 'response'], { status: '200' }],
  [['entry', 0, 'fullUrl'], 'https://other.example/Patient/1/_history/1'],
  [['entry', 0, 'fullUrl'], marker],
  [['entry', 0, 'fullUrl'], 7],
  [['entry', 0, 'resource'], undefined],
  [['entry', 0, 'resource'], [1]],
  [['entry', 0, 'resource', 'resourceType'], 'Nothing'],
  [['entry', 0, 'resource', 'subject'], { reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' }],
  [['entry', 0, 'resource', 'subject'], { reference: `Patient?identifier=${marker}` }],
  [['entry', 0, 'resource', 'subject'], { reference: 'Patient?birthdate=2020-13' }],
];

const breakEntry: Mutation = (request, random) => {
  const { entry } = (request.body ?? {}) as { entry?: readonly unknown[] };
  if (!entry) return undefined;
  const [[first, , ...rest], value] = random.of(oddEntries);
  const path = [first ?? '', ...(rest.length > 0 || random.chance(0.5) ? [random.below(entry.length), ...rest] : [])];
  if (first === 'type' || (first === 'entry' && rest.length === 0 && path.length > 1 && value === undefined))
    path.length = 1;
  if (path.includes('request') && (entry[Number(path[1])] as { request?: unknown }).request === undefined)
    return undefined;
  if (path.at(-2) === 'resource' && (entry[Number(path[1])] as { resource?: unknown }).resource === undefined)
    return undefined;
  return withBody(
    request,
    changed(request.body, path, () => value),
    'an odd entry of a bundle',
    elementsOf(request.body, path),
  );
};

/** Names one entry's `fullUrl` in all of them, or refers in a circle. */
const doubleEntries: Mutation = (request, random) => {
  const { entry } = (request.body ?? {}) as { entry?: readonly object[] };
  if (!entry) return undefined;
  const times = random.of([1, 1, 40]);
  const more = Array.from({ length: times }, () => random.of(entry));
  return withBody(request, { ...(request.body as object), entry: [...entry, ...more] }, 'entries twice', [
    'Bundle.entry',
  ]);
};

export const bodyMutations: readonly Mutation[] = [
  setMember,
  setMember,
  setMember,
  takeOut,
  addMember,
  addMember,
  breakText,
  breakText,
  breakEntry,
  breakEntry,
  doubleEntries,
];
