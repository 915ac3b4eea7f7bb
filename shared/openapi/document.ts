import type { Compartments, CompartmentType } from '../fhir/compartments.lazy.ts';
import { fhirJson } from '../http/fhir-request.ts';
import { type OwnRoutes, type Route, routesOf } from '../http/routes.ts';
import type { SystemRoute } from '../http/system-routes.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { headers, parameters, refusals, refused } from './components.ts';
import { type DefinitionTexts, readDefinitions } from './definitions.ts';
import { type Json, type OpenApiDocument, type PathItem, refersTo } from './schema.ts';
import { systemPaths, systemTag } from './system-paths.ts';
import { type Described, jsonPatchSchema, patchBody, typeComponents, typePaths } from './type-paths.ts';

/** What is served, and what is known of it. */
export interface Served {
  /** Types with a function of their own. */
  readonly recordTypes: readonly RecordType[];
  /** Every other type: one function serves them all alike. */
  readonly otherRecordTypes: readonly RecordType[];
  readonly ownRoutes: OwnRoutes;
  readonly systemRoutes: readonly Pick<SystemRoute, 'method' | 'path' | 'name'>[];
  readonly compartments: Compartments;
  readonly texts: DefinitionTexts;
}

const otherTypes = 'Other types';

/** What is neither record nor datatype, but is sent or answered. */
const messages = [
  'Bundle',
  'CapabilityStatement',
  'OperationOutcome',
  'Parameters',
  'Resource',
  'TerminologyCapabilities',
];

/**
 * The OpenAPI document of all that is served, made of the record types and their routes. Types that one function serves alike, and of which nothing
 * else can be asked, are one `{type}`: each by itself they would more than double the document and say nothing new.
 *
 * @param serverUrl - where `/fhir` begins, as the client calls it.
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export const openApiDocument = (
  { recordTypes, otherRecordTypes, ownRoutes, systemRoutes, compartments, texts }: Served,
  serverUrl: string,
): OpenApiDocument => {
  const definitions = readDefinitions(texts);
  const alike = otherRecordTypes.filter(({ name }) => ownRoutes[name] === undefined);
  const alone = [...recordTypes, ...otherRecordTypes.filter(({ name }) => ownRoutes[name] !== undefined)].sort(byName);
  const described = [
    ...alone.map((type) => describedType(type, routesOf(type, ownRoutes), compartments)),
    ...describedAlike(alike, ownRoutes),
  ];
  const schemas = definitions.schemasOf([...alone.map(({ name }) => name), ...messages]);
  const ofTypes = alone.map(({ name }) => typeComponents(name, definitions.exampleOf(name)));
  const ofAny = typeComponents('Resource', { resourceType: alike[0]?.name ?? 'Basic' });
  return {
    openapi: '3.1.1',
    info: {
      title: 'Concord',
      version: '4.0.1',
      summary: 'An electronic health record: FHIR R4',
      description: introduction,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    security: [{ accessToken: [] }],
    tags: [
      { name: systemTag, description: 'What concerns the whole server' },
      ...alone.map(({ name }) => ({
        name,
        description: schemas[name]?.description as string,
        externalDocs: { url: `https://hl7.org/fhir/R4/${name.toLowerCase()}.html` },
      })),
      { name: otherTypes, description: 'Every other type of R4, by the same rules' },
    ],
    paths: Object.assign(
      {},
      systemPaths(systemRoutes),
      ...described.map((each) => typePaths(each, definitions)),
    ) as Readonly<Record<string, PathItem>>,
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: tokenHelp },
      },
      headers,
      parameters,
      requestBodies: {
        Patch: patchBody,
        ...Object.assign({}, ...[...ofTypes, ofAny].map((each) => each.requestBodies)),
      },
      responses: {
        ...refusals,
        Refused: refused,
        NotModified: { description: 'The client has this version', headers: parametersOfVersion },
        Deleted: { description: 'Deleted, or nothing was there to delete', headers: parametersOfVersion },
        Bundle: message('Bundle', 'A bundle', bundleExample),
        OperationOutcome: message('OperationOutcome', 'What was found', {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'information', code: 'informational' }],
        }),
        Parameters: message('Parameters', 'Parameters', { resourceType: 'Parameters' }),
        ...Object.assign({}, ...[...ofTypes, ofAny].map((each) => each.responses)),
      },
      schemas: { ...schemas, JsonPatch: jsonPatchSchema },
    },
  };
};

const byName = (left: RecordType, right: RecordType): number => (left.name < right.name ? -1 : 1);

const describedType = (
  { name, searchParameters }: RecordType,
  routes: readonly Route[],
  compartments: Compartments,
): Described => ({
  tag: name,
  segment: name,
  schema: name,
  routes,
  searchParameters,
  // the access log is no part of a compartment
  types: Object.keys(compartments[name as CompartmentType] ?? {}).filter((type) => type !== 'AuditEvent'),
});

const describedAlike = (types: readonly RecordType[], ownRoutes: OwnRoutes): Described[] => {
  const [first] = types;
  if (first === undefined) return [];
  const common = first.searchParameters.filter(({ code }) => types.every((type) => type.parameter(code)));
  return [
    {
      tag: otherTypes,
      segment: '{type}',
      schema: 'Resource',
      routes: routesOf(first, ownRoutes),
      searchParameters: common,
      types: types.map(({ name }) => name),
    },
  ];
};

const parametersOfVersion: Json = { ETag: refersTo('headers', 'ETag') };

const message = (schema: string, description: string, example: Json): Json => ({
  description,
  content: { [fhirJson]: { schema: refersTo('schemas', schema), example } },
});

const bundleExample: Json = {
  resourceType: 'Bundle',
  type: 'searchset',
  total: 1,
  link: [{ relation: 'self', url: 'http://localhost:3000/fhir/Patient?family=rivera' }],
  entry: [
    {
      fullUrl: 'http://localhost:3000/fhir/Patient/1',
      resource: { resourceType: 'Patient', id: '1', name: [{ family: 'Rivera', given: ['Ana'] }] },
      search: { mode: 'match' },
    },
  ],
};

const introduction = `FHIR R4 (4.0.1) in JSON. \`HEAD\` goes wherever \`GET\` does; any origin may call.

Parameters of a search are texts: a token is \`code\` or \`system|code\`, a date, number or quantity may begin with \`eq ne gt lt ge le sa eb ap\`, commas separate alternatives, and a
parameter that is repeated must be met each time. What is refused is an OperationOutcome with a stable code.`;

const tokenHelp = `An access token with SMART scopes; \`/fhir/.well-known/smart-configuration\` tells where to get one. Locally: \`npm run -s token -- physician@northside.example\``;
