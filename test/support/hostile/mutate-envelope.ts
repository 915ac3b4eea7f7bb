import { type Mutation, marker } from './mutation.ts';
import type { ValidRequest } from './valid-requests.ts';

/** Headers and what they may not be. */
const oddHeaders: Readonly<Record<string, readonly string[]>> = {
  'content-type': [
    '',
    'application/xml',
    'text/plain',
    'application/fhir+json; charset=utf-16',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    `${marker}/${marker}`,
    ';;;',
    'application/json-patch+json',
  ],
  accept: ['application/fhir+xml', 'text/html', ';;;', `${marker}/*`, '', 'image/png', 'application/fhir+turtle;q=0.9'],
  'if-match': ['W/3', '"x"', 'W/"-1"', 'W/"99999999999"', '', 'W/"1", W/"2"', '*', 'W/"0"', '"1e3"', marker, 'W/"77"'],
  'if-none-match': ['*', 'W/"1"', marker],
  'if-none-exist': [
    'identifier',
    '=',
    '?identifier=1',
    '&&&',
    'nothing=1&&',
    '%',
    'identifier=%ED%A0%80',
    '_id=',
    '_count=5',
    'birthdate=2020-13',
    `identifier=${'a'.repeat(5_000)}`,
    '',
  ],
  prefer: [
    'return=everything',
    'handling=strict',
    'handling=loose',
    marker.repeat(100),
    '=',
    ';;',
    'return=',
    'respond-async',
  ],
  'content-encoding': ['gzip', 'br', 'deflate', marker, 'gzip, gzip', 'identity'],
  authorization: ['Bearer', 'Basic eDp5', '', 'Bearer a.b.c', `Bearer ${marker}`, `Bearer ${'a'.repeat(6_000)}`],
  'x-forwarded-proto': ['javascript', marker],
  'x-http-method-override': ['DELETE'],
  'if-modified-since': ['yesterday'],
  'x-huge': ['a'.repeat(9_000), 'a'.repeat(12_000)],
};

const setHeader: Mutation = (request, random) => {
  const name = random.of(Object.keys(oddHeaders));
  const value = random.of(oddHeaders[name] ?? []);
  const headers = { ...request.headers, [name]: value };
  return { request: { ...request, headers }, what: `${name} as it should not be`, places: [name] };
};

const dropHeader: Mutation = (request, random) => {
  const name = random.of(Object.keys(request.headers));
  const { [name]: _dropped, ...headers } = request.headers;
  return { request: { ...request, headers }, what: `no ${name}`, places: [name] };
};

const changeMethod: Mutation = (request, random) => {
  const others = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK'];
  const byId = request.path.includes('/');
  // A search that became a deletion would leave nothing to search for.
  const method = random.of(others.filter((other) => other !== request.method && (byId || other !== 'DELETE')));
  const body = method === 'TRACE' ? undefined : request.body;
  // Whether it is the method, the missing body or what the address means to that method, the request differs in one thing.
  return { request: { ...request, method, body, writes: true }, what: 'another method', places: [] };
};

const oddSegments: readonly string[] = [
  'a'.repeat(65),
  'a'.repeat(1_000),
  'a'.repeat(9_900),
  '..',
  '.',
  '%2F',
  '%00',
  '%',
  '%zz',
  '%ED%A0%80',
  '%E2%80%AE',
  '_history',
  '_search',
  '$everything',
  `$${marker}`,
  `_${marker}`,
  marker,
  'Patient',
  'patient',
  'Bundle',
  'AuditEvent',
  '__proto__',
  'constructor',
  '0',
  '-1',
  '1e400',
  '99999999999999999999',
  '*',
  '{id}',
  "'",
  '1;2',
];

const changePath: Mutation = (request, random) => {
  const segments = request.path.split('/');
  const segment = random.of(oddSegments);
  const at = random.below(segments.length);
  const path = random
    .of([
      segments.with(at, segment),
      segments.toSpliced(at, 0, segment),
      [...segments, segment],
      [...segments, ''],
      ['', ...segments],
    ])
    .join('/');
  return { request: { ...request, path, writes: true }, what: 'an odd address', places: [] };
};

export const envelopeMutations: readonly Mutation[] = [
  setHeader,
  setHeader,
  setHeader,
  dropHeader,
  changeMethod,
  changeMethod,
  changePath,
  changePath,
  changePath,
];

/** Whether a request may be compared with its own answer at all: of a HEAD there is no body. */
export const hasAnswerBody = ({ method }: ValidRequest): boolean => method !== 'HEAD';
