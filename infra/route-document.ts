import { preflightHeaders } from '../shared/http/cross-origin.ts';
import { gatewayResponses } from './gateway-responses.ts';
import type { Route } from './routes.ts';

/** Name of the authorizer in the document. */
const authorizer = 'accessToken';

/** Time that a function has for an answer, in milliseconds: the longest that the gateway waits. */
export const integrationTimeoutMs = 29_000;

export interface RouteDocumentOptions {
  readonly routes: readonly Route[];
  /** Address by which the gateway calls the function of an entry. */
  readonly integrationUri: (entry: string) => string;
  /** The pools whose access tokens are taken. */
  readonly userPoolArns: readonly string[];
  /** A token needs one of these. Without any, the gateway would take ID tokens and refuse access tokens. */
  readonly scopes: readonly string[];
  /** The one address under which it answers, such as `https://ehr.network.example`; if absent, the gateway's. */
  readonly onlyAt?: string;
}

/**
 * The OpenAPI document that API Gateway makes the API from: paths, authorizer and the gateway's own answers. It says nothing of bodies,
 * which the functions check, so that one place decides and answers with an OperationOutcome.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
 */
export const routeDocument = ({ routes, integrationUri, userPoolArns, scopes, onlyAt }: RouteDocumentOptions) => ({
  openapi: '3.0.1',
  info: { title: 'Concord', version: '4.0.1', description: 'FHIR R4' },
  // Where a document makes the API, the setting of the API is not heard.
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-endpoint-configuration.html
  ...(onlyAt === undefined
    ? {}
    : {
        servers: [{ url: onlyAt, 'x-amazon-apigateway-endpoint-configuration': { disableExecuteApiEndpoint: true } }],
      }),
  paths: Object.fromEntries(
    routes.map(({ path, entry, open }) => [
      path,
      {
        // A browser asks before it has a token to show, and the authorizer of `any` would refuse it.
        options: preflight(path),
        'x-amazon-apigateway-any-method': {
          parameters: pathParameters(path),
          security: open ? [] : [{ [authorizer]: [...scopes] }],
          responses: { default: { description: 'As the function answers' } },
          'x-amazon-apigateway-integration': {
            type: 'aws_proxy',
            httpMethod: 'POST',
            uri: integrationUri(entry),
            passthroughBehavior: 'when_no_match',
            timeoutInMillis: integrationTimeoutMs,
          },
        },
      },
    ]),
  ),
  components: {
    securitySchemes: {
      [authorizer]: {
        type: 'apiKey',
        name: 'Authorization',
        in: 'header',
        'x-amazon-apigateway-authtype': 'cognito_user_pools',
        'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: [...userPoolArns] },
      },
    },
  },
  // A Binary may have any type, and a compressed body must arrive as it was sent.
  'x-amazon-apigateway-binary-media-types': ['*/*'],
  'x-amazon-apigateway-gateway-responses': Object.fromEntries(
    gatewayResponses.map(({ type, statusCode, headers, template }) => [
      type,
      {
        ...(statusCode === undefined ? {} : { statusCode: String(statusCode) }),
        responseParameters: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
        ),
        // The gateway picks a template by what the client accepts; both are the same.
        responseTemplates: { 'application/json': template, 'application/fhir+json': template },
      },
    ]),
  ),
});

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

/**
 * The gateway's own answer to a browser that asks what it may send. Among binary media types a mock integration finds its template only if it
 * is told to read text. https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
 */
const preflight = (path: string) => ({
  parameters: pathParameters(path),
  security: [],
  responses: {
    '204': {
      description: 'What a browser may send',
      headers: Object.fromEntries(Object.keys(preflightHeaders).map((name) => [name, { schema: { type: 'string' } }])),
    },
  },
  'x-amazon-apigateway-integration': {
    type: 'mock',
    contentHandling: 'CONVERT_TO_TEXT',
    passthroughBehavior: 'when_no_match',
    requestTemplates: { 'application/json': '{"statusCode":204}' },
    responses: {
      default: {
        statusCode: '204',
        responseParameters: Object.fromEntries(
          Object.entries(preflightHeaders).map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
        ),
      },
    },
  },
});

export type RouteDocument = ReturnType<typeof routeDocument>;
