import type { SearchParameter } from '../fhir/search-parameter.ts';
import { fhirJson, jsonPatch } from '../http/fhir-request.ts';
import type { Route } from '../http/routes.ts';
import type { InputDefinition } from '../interactions/operation-input.ts';
import { headersNamed, named, type ParameterName, type Refusal, refusedWith } from './components.ts';
import type { Definitions } from './definitions.ts';
import { describeOperation } from './operations.ts';
import { camelCase, type Json, type Method, type Operation, type PathItem, refersTo } from './schema.ts';

/** The paths of a type of records, or of several that are served alike. */
export interface Described {
  /** Heading under which they stand. */
  readonly tag: string;
  /** Segment of the path: the type's name, or `{type}`. */
  readonly segment: string;
  /** Name of the schema of what is stored. */
  readonly schema: string;
  readonly routes: readonly Route[];
  readonly searchParameters: readonly SearchParameter[];
  /** What `{type}` of a path stands for. */
  readonly types: readonly string[];
}

/**
 * The paths of a type, made of the routes that it is served by.
 *
 * @returns path items by path, such as `/fhir/Patient/{id}`.
 */
export const typePaths = (described: Described, definitions: Definitions): Readonly<Record<string, PathItem>> => {
  const items = new Map<string, Map<Method, Operation>>();
  for (const route of usualFirst(described.routes)) {
    const path = ['/fhir', described.segment, ...route.path].join('/');
    const operations = items.get(path) ?? new Map<Method, Operation>();
    operations.set(route.method.toLowerCase() as Method, operationOf(described, route, definitions));
    items.set(path, operations);
  }
  return Object.fromEntries(
    [...items].map(([path, operations]): [string, PathItem] => {
      const variables = variablesOf(described, path);
      return [
        path,
        { ...(variables.length === 0 ? {} : { parameters: variables }), ...Object.fromEntries(operations) },
      ];
    }),
  );
};

/** In the order in which a reader looks for them; of two with one path and method the first counts, as the router has it. */
const usualFirst = (routes: readonly Route[]): readonly Route[] => {
  const place = ({ method, path }: Route) => `${method} ${path.join('/')}`;
  const first = new Map([...routes].reverse().map((route) => [place(route), route]));
  const rank = ({ name }: Route) => (name === 'operation' ? 2 : name === 'search-compartment' ? 1 : 0);
  return routes.filter((route) => first.get(place(route)) === route).sort((left, right) => rank(left) - rank(right));
};

const variablesOf = ({ types }: Described, path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    name === 'type'
      ? {
          name,
          in: 'path',
          required: true,
          description: 'Type of the records',
          schema: { type: 'string', enum: types },
        }
      : refersTo('parameters', name),
  );

/** FHIR's name of an interaction, in words, and what it is called as one word. */
const words: Readonly<Record<string, string>> = {
  'search-type': 'Search',
  'search-compartment': 'Search in the compartment',
  create: 'Create',
  read: 'Read',
  vread: 'Read a version',
  update: 'Update or create',
  patch: 'Patch',
  delete: 'Delete',
  'history-instance': 'History of a record',
  'history-type': 'History of the type',
};

const operationOf = (described: Described, route: Route, definitions: Definitions): Operation => ({
  operationId: operationId(described, route),
  tags: [described.tag],
  ...bodyOf(described, route, definitions),
});

/** Unique: the method, and what stands in the path. */
const operationId = ({ segment }: Described, { method, path, name }: Route): string => {
  const inPath = path.map((part) => (part === '*' ? 'anything' : part.startsWith('{') ? `by-${part}` : part)).join('-');
  return `${method.toLowerCase()}${camelCase(`${name === 'operation' ? '' : name} ${segment} ${inPath}`)}`;
};

type Body = Omit<Operation, 'operationId' | 'tags'>;

const bodyOf = (described: Described, route: Route, definitions: Definitions): Body => {
  const { schema } = described;
  const byCondition = !route.path.includes('{id}') && conditional.has(route.name);
  const summary = `${words[route.name] ?? route.name}${byCondition ? ' what meets a condition' : ''}`;
  const found = { '304': refersTo('responses', 'NotModified') };
  switch (route.name) {
    case 'search-type':
      return search(described, route, summary, definitions);
    case 'search-compartment':
      return {
        summary: `${summary}${route.path.includes('*') ? ', all its types' : ''}`,
        parameters: named(...(route.method === 'POST' ? [] : (['search', ...result] as const)), 'handling', ...output),
        ...(route.method === 'POST' ? form : {}),
        responses: {
          '200': refersTo('responses', 'Bundle'),
          ...refusedWith(...(route.method === 'POST' ? upload : [])),
        },
      };
    case 'create':
      return {
        summary,
        parameters: named('ifNoneExist', ...(schema === 'Binary' ? (['securityContext'] as const) : []), ...writing),
        requestBody: refersTo('requestBodies', schema),
        responses: {
          '200': refersTo('responses', `${schema}Written`),
          '201': refersTo('responses', `${schema}Written`),
          ...refusedWith('409', '412', '422', ...upload),
        },
      };
    case 'read':
    case 'vread':
      return {
        summary,
        parameters: named('ifNoneMatch', 'ifModifiedSince', 'summary', 'elements', ...output),
        responses: {
          '200': refersTo('responses', schema),
          ...(schema === 'Binary' ? { '303': refersTo('responses', 'ContentElsewhere') } : {}),
          ...found,
          ...refusedWith('404', '410'),
        },
      };
    case 'update':
      return {
        summary,
        parameters: named(
          ...(byCondition ? (['condition'] as const) : []),
          'ifMatch',
          ...(schema === 'Binary' ? (['securityContext'] as const) : []),
          ...writing,
        ),
        requestBody: refersTo('requestBodies', schema),
        responses: {
          '200': refersTo('responses', `${schema}Written`),
          '201': refersTo('responses', `${schema}Written`),
          ...refusedWith('404', '409', '412', '422', ...upload),
        },
      };
    case 'patch':
      return {
        summary,
        parameters: named(...(byCondition ? (['condition'] as const) : []), 'ifMatch', ...writing),
        requestBody: refersTo('requestBodies', 'Patch'),
        responses: {
          '200': refersTo('responses', `${schema}Written`),
          ...refusedWith('404', '409', '410', '412', '422', ...upload),
        },
      };
    case 'delete':
      return {
        summary,
        parameters: named(...(byCondition ? (['condition'] as const) : []), 'ifMatch', 'idempotencyKey', ...output),
        responses: { '204': refersTo('responses', 'Deleted'), ...refusedWith('404', '409', '412', '422') },
      };
    case 'history-instance':
    case 'history-type':
      return {
        summary,
        parameters: named('count', 'since', 'at', ...output),
        responses: { '200': refersTo('responses', 'Bundle'), ...refusedWith('404') },
      };
    case 'operation':
      return operationBody(described, route);
    default:
      return {
        summary,
        parameters: named(...output),
        responses: { '200': refersTo('responses', 'Resource'), ...refusedWith('404') },
      };
  }
};

const conditional: ReadonlySet<string> = new Set(['update', 'patch', 'delete']);
/** What shapes any answer. */
export const output = ['format', 'pretty'] as const satisfies readonly ParameterName[];
const writing = ['prefer', 'idempotencyKey', ...output] as const satisfies readonly ParameterName[];
/** What may be wrong with a body. */
const upload = ['413', '415'] as const satisfies readonly Refusal[];
/** What shapes the result of a search. */
export const result = [
  'include',
  'includeIterate',
  'revinclude',
  'revincludeIterate',
  'sort',
  'count',
  'total',
  'summary',
  'elements',
  'contained',
  'containedType',
  'explain',
] as const satisfies readonly ParameterName[];
/** What selects records whatever their type is. */
export const selecting = ['filter', 'words', 'narrative', 'list', 'more'] as const satisfies readonly ParameterName[];

const form = {
  requestBody: {
    description: 'The parameters that the search by GET has in its query',
    content: {
      'application/x-www-form-urlencoded': {
        schema: { type: 'object', additionalProperties: { type: 'string' } },
        example: { _count: '10' },
      },
    },
  },
} as const;

const search = (
  { routes, tag, searchParameters }: Described,
  { method }: Route,
  summary: string,
  definitions: Definitions,
): Body => {
  const responses = { '200': refersTo('responses', 'Bundle') };
  if (method === 'POST') {
    return {
      summary: `${summary} by a form`,
      parameters: named('handling', ...output),
      ...form,
      responses: { ...responses, ...refusedWith(...upload) },
    };
  }
  // what is read in a way of its own takes parameters of its own
  const usual = routes.some(({ name }) => name === 'create');
  return {
    summary,
    parameters: [
      ...searchParameters.map((parameter) => searchParameter(tag, parameter, definitions)),
      ...named(...(usual ? [...selecting, ...result] : (['count', 'sort'] as const)), 'handling', ...output),
    ],
    responses: { ...responses, ...refusedWith() },
  };
};

const searchParameter = (
  type: string,
  { code, type: kind, targets }: SearchParameter,
  { meaningOf }: Definitions,
): Json => {
  const leads = targets === undefined || targets.length > 5 ? '' : ` to ${targets.join(', ')}`;
  const meaning = meaningOf(type, code);
  return {
    name: code,
    in: 'query',
    description: `${kind}${leads}${meaning === undefined ? '' : `: ${meaning}`}`,
    schema: { type: 'string' },
  };
};

const operationBody = ({ segment }: Described, { method, path }: Route): Body => {
  const name = path.at(-1) ?? '';
  const { summary, input, searches, answer } = describeOperation(segment, name);
  const changes = ['$meta-add', '$meta-delete', '$withhold', '$release'].includes(name);
  const inQuery = method === 'GET' ? Object.entries(input ?? {}).flatMap(inputInQuery) : [];
  return {
    summary,
    parameters: [
      ...inQuery,
      ...named(
        ...(method === 'GET' && (searches || input === undefined) ? (['search'] as const) : []),
        ...(changes ? (['ifMatch'] as const) : []),
        ...output,
      ),
    ],
    ...(method === 'POST' ? { requestBody: inputInBody(input, searches) } : {}),
    responses: {
      '200': refersTo('responses', answer),
      ...refusedWith('404', '422', ...(method === 'POST' ? upload : []), ...(changes ? (['409', '412'] as const) : [])),
    },
  };
};

const inputInQuery = ([name, { type, min, many }]: readonly [string, InputDefinition]): Json[] => {
  const written = type === 'Coding' ? '`system|code`' : type;
  if (type === 'Meta' || type === 'Resource' || type === 'CodeableConcept' || type === 'Period') return []; // by POST alone
  const one = type === 'Coding' || type === 'Reference' ? { type: 'string' } : refersTo('schemas', type);
  return [
    {
      name,
      in: 'query',
      description: `${written}${many ? '. Repeats' : ''}`,
      ...(min === undefined ? {} : { required: true }),
      schema: many ? { type: 'array', items: one } : one,
    },
  ];
};

const samples: Readonly<Record<string, unknown>> = {
  Coding: { system: 'http://loinc.org', code: '29463-7' },
  CodeableConcept: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  Meta: { tag: [{ system: 'http://example.org/tags', code: 'review' }] },
  Reference: { reference: 'Observation/1' },
  Resource: { resourceType: 'Patient', name: [{ family: 'Rivera', given: ['Ana'] }], birthDate: '1980-02-29' },
  Period: { start: '2026-03-02' },
  boolean: true,
  canonical: 'http://example.org/fhir/StructureDefinition/1',
  code: 'en',
  date: '2026-03-02',
  dateTime: '2026-03-02T09:30:00Z',
  id: '1',
  instant: '2026-03-02T09:30:00Z',
  integer: 10,
  positiveInt: 1,
  string: 'Text',
  uri: 'http://example.org/fhir/ValueSet/1',
};

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const inputInBody = (input: Readonly<Record<string, InputDefinition>> | undefined, searches?: true): Json => {
  const told = Object.entries(input ?? {}).map(
    ([name, { type, min, many }]) => `- \`${name}\`: ${type}${min ? ', required' : ''}${many ? ', repeats' : ''}`,
  );
  const entries = Object.entries(input ?? {})
    .filter(
      ([, { min }], index, all) =>
        min !== undefined || (index === 0 && all.every(([, each]) => each.min === undefined)),
    )
    .map(([name, { type }]) => ({
      name,
      [type === 'Resource' ? 'resource' : `value${upperFirst(type)}`]: samples[type],
    }));
  const example = { resourceType: 'Parameters', ...(entries.length === 0 ? {} : { parameter: entries }) };
  return {
    description: [...told, ...(searches ? ['- parameters of a search'] : [])].join('\n') || 'Parameters',
    content: { [fhirJson]: { schema: refersTo('schemas', 'Parameters'), example } },
  };
};

/** A Binary is sent and shown as what it is, of whatever type. https://hl7.org/fhir/R4/binary.html#rest */
const asItIs = { '*/*': { schema: {} } } as const;

/** Content that was uploaded is not here. */
const elsewhere: Json = {
  description: 'The content is at the address in `Location`, for a minute',
  headers: { ...headersNamed('ETag', 'Last-Modified'), Location: { schema: { type: 'string' } } },
};

/** The answers and bodies that belong to one type of record. */
export const typeComponents = (
  schema: string,
  example: Json,
): Readonly<Record<'responses' | 'requestBodies', Readonly<Record<string, Json>>>> => {
  const stored = { ...example, id: '1', meta: { versionId: '3', lastUpdated: '2026-03-02T09:30:00.000Z' } };
  const content = (of: Json, shown: Json) => ({
    [fhirJson]: { schema: of, example: shown },
    'application/json': { schema: of, example: shown },
    ...(schema === 'Binary' ? asItIs : {}),
  });
  return {
    responses: {
      [schema]: {
        description: 'The record',
        headers: headersNamed(
          'ETag',
          'Last-Modified',
          ...(schema === 'Binary' ? (['X-Security-Context'] as const) : []),
        ),
        content: content(refersTo('schemas', schema), stored),
      },
      ...(schema === 'Binary' ? { ContentElsewhere: elsewhere } : {}),
      [`${schema}Written`]: {
        description: 'The record as it was written; or what `Prefer` asks for, an OperationOutcome or nothing',
        headers: headersNamed('ETag', 'Last-Modified', 'Location', 'X-FHIR-Request-Validation'),
        content: content({ anyOf: [refersTo('schemas', schema), refersTo('schemas', 'OperationOutcome')] }, stored),
      },
    },
    requestBodies: {
      [schema]: {
        required: true,
        content: content(refersTo('schemas', schema), example),
      },
    },
  };
};

/** Bodies of a patch, for records of any type. https://hl7.org/fhir/R4/http.html#patch */
export const patchBody: Json = {
  required: true,
  content: {
    [jsonPatch]: {
      schema: refersTo('schemas', 'JsonPatch'),
      example: [{ op: 'replace', path: '/status', value: 'amended' }],
    },
    [fhirJson]: {
      schema: refersTo('schemas', 'Parameters'),
      example: {
        resourceType: 'Parameters',
        parameter: [
          {
            name: 'operation',
            part: [
              { name: 'type', valueCode: 'replace' },
              { name: 'path', valueString: 'Observation.status' },
              { name: 'value', valueCode: 'amended' },
            ],
          },
        ],
      },
    },
  },
};

/** https://www.rfc-editor.org/rfc/rfc6902 */
export const jsonPatchSchema: Json = {
  type: 'array',
  items: {
    type: 'object',
    required: ['op', 'path'],
    properties: {
      op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
      path: { type: 'string' },
      from: { type: 'string' },
      value: {},
    },
  },
};
