import { reasonSystem } from '../fhir/operation-outcome.ts';
import { fhirJson } from '../http/fhir-request.ts';
import type { StableCode } from '../stable-codes.ts';
import { type Json, refersTo } from './schema.ts';

const text: Json = { type: 'string' };

const header = (name: string, description: string, schema: Json = text): Json => ({
  name,
  in: 'header',
  description,
  schema,
});

const query = (name: string, description: string, schema: Json = text): Json => ({
  name,
  in: 'query',
  description,
  schema,
});

const variable = (name: string, description: string, schema: Json = text): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
});

const flag: Json = { type: 'boolean' };
const several: Json = { type: 'array', items: text };

/** Any names and values, each a parameter of the query. A viewer would fill the box with names of its own if no example stood in it. */
const freely = (name: string, description: string): Json => ({
  ...query(name, description, { type: 'object', additionalProperties: text }),
  style: 'form',
  explode: true,
  example: {},
});

/** Headers, variables of paths and what goes into the query of many requests. */
export const parameters = {
  id: variable('id', 'Id of the record', refersTo('schemas', 'id')),
  version: variable('version', 'Number of the version', { type: 'string', pattern: '^[1-9][0-9]{0,9}$' }),
  ifMatch: header(
    'If-Match',
    'The version that the record must still have, as its ETag tells it: `W/"3"`. Without it the last writer wins',
  ),
  ifNoneMatch: header('If-None-Match', 'Versions that the client has, such as `W/"3"`: 304 if one is current'),
  ifModifiedSince: header(
    'If-Modified-Since',
    'Date of the version that the client has: 304 if nothing is newer. Compared to the second',
  ),
  ifNoneExist: header(
    'If-None-Exist',
    'A search, such as `identifier=system|value`: created only if nothing meets it, else 200 with what is there',
  ),
  prefer: header(
    'Prefer',
    '`return=minimal`, `return=representation` or `return=OperationOutcome`; `handling=strict` refuses what would only be warned of',
  ),
  handling: header('Prefer', '`handling=strict` refuses parameters that are unknown, instead of ignoring them'),
  idempotencyKey: header(
    'Idempotency-Key',
    'Names this request, so that it can be sent again within a day and is carried out once',
    { type: 'string', pattern: '^[ -~]{1,255}$' },
  ),
  securityContext: header(
    'X-Security-Context',
    'Where content is sent as it is: reference to the record whose access rights it shares, such as `Patient/1`',
  ),
  condition: freely('condition', 'A search that selects the records: names and values of its parameters'),
  search: freely('search', 'Parameters of a search of the type: names and values'),
  more: freely(
    'more',
    'Names and values of what OpenAPI cannot list: a parameter with a modifier (`code:in`), what a record refers to (`subject:Patient.name`), what refers to it (`_has:Observation:patient:code`)',
  ),
  count: query('_count', 'Most matches on a page, 1,000 at most; 0 counts', { type: 'integer', minimum: 0 }),
  sort: query('_sort', 'Search parameters, most important first, with a minus for descending: `-date,code`'),
  summary: query('_summary', 'Part of each resource', {
    type: 'string',
    enum: ['true', 'false', 'text', 'data', 'count'],
  }),
  elements: query('_elements', 'Names of root elements, with commas: mandatory ones come along'),
  include: query('_include', 'What matches refer to: `Observation:subject`, `*`. Repeats', several),
  includeIterate: query('_include:iterate', 'The same, also of what was included. Repeats', several),
  revinclude: query('_revinclude', 'What refers to matches: `Provenance:target`. Repeats', several),
  revincludeIterate: query('_revinclude:iterate', 'The same, also of what was included. Repeats', several),
  total: query('_total', 'Whether matches are counted', { type: 'string', enum: ['none', 'estimate', 'accurate'] }),
  contained: query('_contained', 'Whether contained resources are searched', {
    type: 'string',
    enum: ['false', 'true', 'both'],
  }),
  containedType: query('_containedType', 'What is shown of contained matches', {
    type: 'string',
    enum: ['container', 'contained'],
  }),
  explain: query('_explain', 'Tell how the search was planned and what it cost; for administrators', flag),
  filter: query('_filter', 'An expression, such as `given eq "ana" and birthdate ge 1980-01-01`'),
  words: query('_content', 'Words in any text of the record; `AND`, `OR`, `NOT`, `"a phrase"`, `begin*`'),
  narrative: query('_text', 'Words in the narrative, likewise'),
  list: query('_list', 'Id of a List whose entries are searched'),
  type: query('_type', 'Types of records, with commas'),
  since: query('_since', 'What was written since this time', refersTo('schemas', 'dateTime')),
  at: query('_at', 'What was current at some moment of this time', refersTo('schemas', 'dateTime')),
  after: query('after', 'Cursor of the `poll` link of the last answer; `now` for none of what was told before'),
  format: query('_format', 'Instead of Accept: `json`, `application/fhir+json`'),
  pretty: query('_pretty', 'Set out in lines', flag),
} as const satisfies Readonly<Record<string, Json>>;

export type ParameterName = keyof typeof parameters;

/** Parameters that stand in `components`. */
export const named = (...names: readonly ParameterName[]): Json[] => names.map((name) => refersTo('parameters', name));

const outcome = (code: string, reason: StableCode, message: string): Json => ({
  resourceType: 'OperationOutcome',
  issue: [
    {
      severity: 'error',
      code,
      details: { coding: [{ system: reasonSystem, code: reason }], text: message },
      diagnostics: `${message} (request c6af9ac6-7b61-11e6-9a41-93e8deadbeef)`,
    },
  ],
});

const refusal = (description: string, example: Json, headers: Readonly<Record<string, Json>> = {}): Json => ({
  description,
  ...(Object.keys(headers).length === 0 ? {} : { headers }),
  content: { [fhirJson]: { schema: refersTo('schemas', 'OperationOutcome'), example } },
});

/** Answers that refuse, by status. Each is an OperationOutcome, as a function or the gateway gives it. */
export const refusals = {
  '400': refusal(
    'Malformed, invalid or too costly; `expression` names the place',
    outcome('invalid', 'invalid', 'The value is true or false'),
  ),
  '401': refusal(
    'No token, or none that is valid',
    outcome('login', 'unauthenticated', 'A valid access token is needed, sent as "Authorization: Bearer <token>"'),
    { 'WWW-Authenticate': refersTo('headers', 'WWW-Authenticate') },
  ),
  '403': refusal(
    'Role or scope forbids it for the whole type',
    outcome('forbidden', 'forbidden', 'Your role does not allow this'),
  ),
  '404': refusal('No such record, or none that you may know of', outcome('not-found', 'not-found', 'Not found')),
  '409': refusal(
    'Changed at the same moment, referred to, or time that is taken',
    outcome('conflict', 'referenced', 'Other records refer to it'),
  ),
  '410': refusal('Deleted', outcome('deleted', 'deleted', 'The record was deleted')),
  '412': refusal(
    'Another version than If-Match names, or several records that meet a condition',
    outcome('conflict', 'version-conflict', 'The record has another version'),
  ),
  '413': refusal('Too large', outcome('too-long', 'too-large', 'A request may have 4 MB')),
  '415': refusal(
    'A content type that is not taken',
    outcome('not-supported', 'unsupported-media-type', 'Send FHIR as application/fhir+json or application/json'),
  ),
  '422': refusal(
    'A rule of the record, such as another patient',
    outcome('business-rule', 'business-rule', 'A record stays with its patient'),
  ),
} as const satisfies Readonly<Record<string, Json>>;

/** What else any request may be refused with. */
export const refused: Json = refusal(
  'Refused. 406: a format that is not offered. 429: too many requests, `Retry-After` says when. 500: a fault of ours. 504: it took too long; whether it took effect is not known',
  outcome('exception', 'exception', 'Internal server error'),
  { 'Retry-After': refersTo('headers', 'Retry-After') },
);

export type Refusal = keyof typeof refusals;

/** Answers by status: the refusals that are named, and those that any request with a token may meet. */
export const refusedWith = (...more: readonly Refusal[]): Record<string, Json> => ({
  ...Object.fromEntries(
    [...new Set([...always, ...more])].sort().map((status) => [status, refersTo('responses', status)]),
  ),
  ...refusedOtherwise,
});

const always: readonly Refusal[] = ['400', '401', '403'];

export const refusedOtherwise = { default: refersTo('responses', 'Refused') } as const;

/** Headers of answers. */
export const headers = {
  ETag: { description: 'Version of the record, `W/"3"`', schema: text },
  'Last-Modified': { description: 'When the version was written', schema: text },
  Location: { description: 'Address of the version that was written', schema: text },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
  'WWW-Authenticate': { description: 'That a bearer token is needed', schema: text },
  'X-Security-Context': {
    description: 'Where content is shown as it is: reference to the record whose access rights it shares',
    schema: text,
  },
  'X-FHIR-Request-Validation': {
    description: 'Warnings about what was written, an OperationOutcome as JSON',
    schema: text,
  },
} as const satisfies Readonly<Record<string, Json>>;

/** Headers that stand in `components`. */
export const headersNamed = (...names: readonly (keyof typeof headers)[]): Json =>
  Object.fromEntries(names.map((name) => [name, refersTo('headers', name)]));
