import { fhirJson } from '../http/fhir-request.ts';
import type { SystemRoute } from '../http/system-routes.ts';
import { named, refusedOtherwise, refusedWith } from './components.ts';
import { camelCase, type Json, type Method, type Operation, type PathItem, refersTo } from './schema.ts';
import { output, result, selecting } from './type-paths.ts';

/** Heading of what belongs to no type. */
export const systemTag = 'System';

const open = (operationId: string, summary: string, parameters: readonly Json[], content: Json): Operation => ({
  operationId,
  tags: [systemTag],
  summary,
  parameters,
  security: [],
  responses: { '200': { description: summary, content }, ...refusedOtherwise },
});

const statement: Json = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-11-26',
  kind: 'instance',
  implementation: { description: 'Concord, an electronic health record' },
  fhirVersion: '4.0.1',
  format: ['application/fhir+json', 'json'],
};

const mode: Json = {
  name: 'mode',
  in: 'query',
  description: 'What is to be told: of terminology, or all else',
  schema: { type: 'string', enum: ['full', 'normative', 'terminology'] },
};

const across = { tags: [systemTag], responses: { '200': refersTo('responses', 'Bundle'), ...refusedWith() } };

/** A search across types takes what a search takes, and the types. */
const resultOfSearch = ['type', ...selecting, ...result, 'handling', ...output] as const;

const ofVersion = (content: Json): Json => ({
  description: 'As it is',
  headers: { ETag: refersTo('headers', 'ETag') },
  content,
});

const file = (operationId: string, summary: string, content: Json): Operation => ({
  operationId,
  tags: [systemTag],
  summary,
  parameters: named('ifNoneMatch'),
  security: [],
  responses: { '200': ofVersion(content), '304': refersTo('responses', 'NotModified'), ...refusedOtherwise },
});

const transaction: Json = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    {
      fullUrl: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9',
      resource: { resourceType: 'Patient', name: [{ family: 'Rivera', given: ['Ana'] }] },
      request: { method: 'POST', url: 'Patient' },
    },
  ],
};

const accessQuestion: Json = {
  resourceType: 'Parameters',
  parameter: [
    { name: 'caller', valueReference: { reference: 'Practitioner/lakeside-physician' } },
    { name: 'action', valueCode: 'read' },
    { name: 'record', valueReference: { reference: 'Observation/1' } },
  ],
};

const refiling: Json = {
  resourceType: 'Parameters',
  parameter: [
    { name: 'record', valueReference: { reference: 'Observation/1' } },
    { name: 'patient', valueReference: { reference: 'Patient/2' } },
    { name: 'reason', valueString: 'Written into the chart that was open before' },
  ],
};

const signOutEverywhere: Json = {
  resourceType: 'Parameters',
  parameter: [{ name: 'everywhere', valueBoolean: true }],
};

const er7 = 'x-application/hl7-v2+er7';

const hl7Message =
  'MSH|^~\\&|LAB|NORTH|CONCORD|NORTH|20260301120000||ADT^A04^ADT_A01|42|P|2.5.1\rPID|1||4711^^^NORTH^MR||Rivera^Ana||19800229|F\r';

/** An operation on a message that waits. */
const onWaiting = (operationId: string, summary: string, description: string, body: Json | undefined): PathItem => ({
  parameters: [{ name: 'id', in: 'path', required: true, description: 'Of its Task', schema: { type: 'string' } }],
  post: {
    operationId,
    tags: [systemTag],
    summary,
    parameters: [],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: { [fhirJson]: { schema: refersTo('schemas', 'Parameters'), example: body } },
          },
        }
      : {}),
    responses: {
      ...(body ? { '204': { description } } : { '200': refersTo('responses', 'Parameters') }),
      ...refusedWith('404', '409', '422'),
    },
  },
});

const hookCall: Json = {
  hook: 'patient-view',
  hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  context: { userId: 'Practitioner/1', patientId: '1' },
};

const feedbackOnCards: Json = {
  feedback: [
    {
      card: 'd1577c69-dfbe-44ad-ba6d-3e05e9530000',
      outcome: 'overridden',
      overrideReason: { userComment: 'Tolerated it for years' },
      outcomeTimestamp: '2026-11-27T08:00:00Z',
    },
  ],
};

/** What CDS Hooks sends and is answered: objects of its own, no resources. */
const hookOperation = (operationId: string, summary: string, example: Json): Operation => ({
  operationId,
  tags: [systemTag],
  summary,
  parameters: [],
  requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' }, example } } },
  responses: {
    '200': { description: summary, content: { 'application/json': { schema: { type: 'object' } } } },
    ...refusedWith('404', '413', '415'),
  },
});

const serviceParameter: Json = {
  name: 'service',
  in: 'path',
  required: true,
  description: 'One of those that are listed',
  schema: { type: 'string', enum: ['patient-view', 'order-select', 'order-sign'] },
};

/** Paths of the whole server. Their functions are shared/http/serve-metadata.ts, serve-documents.ts, serve-history.ts, serve-system.ts and serve-cds-services.ts. */
const knownPaths: Readonly<Record<string, PathItem>> = {
  '/': { get: file('getViewer', 'The API in a browser', { 'text/html': { schema: { type: 'string' } } }) },
  '/openapi.json': {
    get: {
      ...file('getOpenApiDocument', 'This document', { 'application/json': { schema: { type: 'object' } } }),
      parameters: [
        {
          name: 'tag',
          in: 'query',
          description: 'One heading of it, for a viewer: datatypes are only named',
          schema: { type: 'string' },
        },
        ...named('ifNoneMatch'),
      ],
    },
  },
  '/docs/{file}': {
    parameters: [
      {
        name: 'file',
        in: 'path',
        required: true,
        description: 'What the page at `/` is made of',
        schema: { type: 'string' },
      },
    ],
    get: {
      ...file('getViewerFile', 'A file of the viewer', { '*/*': { schema: { type: 'string' } } }),
      responses: {
        '200': ofVersion({ '*/*': { schema: { type: 'string' } } }),
        '304': refersTo('responses', 'NotModified'),
        '404': refersTo('responses', '404'),
      },
    },
  },
  '/cds-services': {
    get: open('getCdsServices', 'Order checks as services of CDS Hooks 2.0', [], {
      'application/json': { schema: { type: 'object' } },
    }),
  },
  '/cds-services/{service}': {
    parameters: [serviceParameter],
    post: hookOperation(
      'callCdsService',
      'Cards that tell what speaks against orders, and what was not checked',
      hookCall,
    ),
  },
  '/cds-services/{service}/feedback': {
    parameters: [serviceParameter],
    post: hookOperation('giveCdsFeedback', 'What became of cards', feedbackOnCards),
  },
  '/fhir/metadata': {
    get: open('getCapabilities', 'What is served: the capability statement', [mode, ...named('format', 'pretty')], {
      [fhirJson]: {
        schema: {
          anyOf: [refersTo('schemas', 'CapabilityStatement'), refersTo('schemas', 'TerminologyCapabilities')],
        },
        example: statement,
      },
    }),
  },
  '/fhir/.well-known/smart-configuration': {
    get: open('getSmartConfiguration', 'Where and how to get a token', [], {
      'application/json': { schema: { type: 'object' } },
    }),
  },
  '/fhir': {
    get: {
      operationId: 'searchSystem',
      summary: 'Search across types',
      parameters: named(...resultOfSearch),
      ...across,
    },
    post: {
      operationId: 'postBundle',
      tags: [systemTag],
      summary: 'A batch or a transaction',
      parameters: named('prefer', 'idempotencyKey', 'format', 'pretty'),
      requestBody: {
        required: true,
        content: {
          [fhirJson]: { schema: refersTo('schemas', 'Bundle'), example: transaction },
          'application/json': { schema: refersTo('schemas', 'Bundle'), example: transaction },
        },
      },
      responses: {
        '200': refersTo('responses', 'Bundle'),
        ...refusedWith('404', '409', '410', '412', '413', '415', '422'),
      },
    },
  },
  '/fhir/$explain-access': {
    post: {
      operationId: 'explainAccess',
      tags: [systemTag],
      summary: 'Whether somebody may do something with a record, and by which rules',
      parameters: named('format', 'pretty'),
      requestBody: {
        required: true,
        content: { [fhirJson]: { schema: refersTo('schemas', 'Parameters'), example: accessQuestion } },
      },
      responses: { '200': refersTo('responses', 'Parameters'), ...refusedWith('404', '413', '415') },
    },
  },
  '/fhir/$refile': {
    post: {
      operationId: 'refile',
      tags: [systemTag],
      summary: 'Takes records out of the wrong chart, into the right one',
      parameters: named('idempotencyKey', 'format', 'pretty'),
      requestBody: {
        required: true,
        content: { [fhirJson]: { schema: refersTo('schemas', 'Parameters'), example: refiling } },
      },
      responses: { '200': refersTo('responses', 'Parameters'), ...refusedWith('404', '409', '413', '415', '422') },
    },
  },
  '/fhir/$sign-out': {
    post: {
      operationId: 'signOut',
      tags: [systemTag],
      summary: 'Ends the sign-in of the token that is sent, or with `everywhere` all of its user',
      parameters: named('format', 'pretty'),
      requestBody: {
        required: false,
        content: { [fhirJson]: { schema: refersTo('schemas', 'Parameters'), example: signOutEverywhere } },
      },
      responses: {
        '200': {
          description: 'What was ended',
          content: { [fhirJson]: { schema: refersTo('schemas', 'OperationOutcome') } },
        },
        ...refusedWith('413', '415'),
      },
    },
  },
  '/hl7/v2': {
    post: {
      operationId: 'postHl7V2Message',
      tags: [systemTag],
      summary: 'An HL7 v2 message, answered with its acknowledgement',
      parameters: [],
      requestBody: { required: true, content: { [er7]: { schema: { type: 'string' }, example: hl7Message } } },
      responses: {
        '200': { description: 'Its acknowledgement', content: { [er7]: { schema: { type: 'string' } } } },
        ...refusedWith('409', '413', '415'),
      },
    },
  },
  '/hl7/v2/waiting/{id}/$replay': onWaiting('replayHl7V2Message', 'Files a message that waits', '', undefined),
  '/hl7/v2/waiting/{id}/$discard': onWaiting('discardHl7V2Message', 'Gives a message up that waits', 'It is given up', {
    resourceType: 'Parameters',
    parameter: [{ name: 'reason', valueString: 'Sent to the wrong place' }],
  }),
  '/fhir/_history': {
    get: {
      operationId: 'getHistoryOfSystem',
      summary: 'History of all types',
      parameters: named('count', 'since', 'at', 'format', 'pretty'),
      ...across,
    },
  },
  '/fhir/_changes': {
    get: {
      operationId: 'getChanges',
      summary: 'What your organisation was told of: which records changed, in the order of telling',
      parameters: named('after', 'type', 'count', 'format', 'pretty'),
      tags: [systemTag],
      responses: { '200': refersTo('responses', 'Bundle'), ...refusedWith('410') },
    },
  },
  '/fhir/_search': {
    post: {
      operationId: 'searchSystemByForm',
      summary: 'Search across types by a form',
      parameters: named('handling', 'format', 'pretty'),
      requestBody: {
        description: 'The parameters that the search by GET has in its query',
        content: {
          'application/x-www-form-urlencoded': {
            schema: { type: 'object', additionalProperties: { type: 'string' } },
            example: { _type: 'Practitioner,Organization' },
          },
        },
      },
      tags: [systemTag],
      responses: { '200': refersTo('responses', 'Bundle'), ...refusedWith('413', '415') },
    },
  },
};

/** Paths of the whole server, and what else the system can be asked, of which no more is known here than its route. */
export const systemPaths = (
  routes: readonly Pick<SystemRoute, 'method' | 'path' | 'name'>[],
): Readonly<Record<string, PathItem>> => {
  const paths: Record<string, PathItem> = { ...knownPaths };
  for (const { method, path, name } of routes) {
    const address = ['/fhir', ...path].join('/');
    const key = method.toLowerCase() as Method;
    if (paths[address]?.[key] !== undefined) continue;
    const operation: Operation = {
      operationId: `${key}${camelCase(`${name} ${path.join(' ')}`)}`,
      tags: [systemTag],
      summary: name,
      parameters: named(...(name === 'history-system' ? (['count', 'since', 'at'] as const) : []), 'format', 'pretty'),
      responses: { '200': refersTo('responses', 'Bundle'), ...refusedWith('404') },
    };
    paths[address] = { ...paths[address], [key]: operation };
  }
  return paths;
};
