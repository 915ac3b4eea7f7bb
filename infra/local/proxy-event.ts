import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { AuthorizerClaims } from './cognito-authorizer.ts';
import { localAccount } from './event-bus.ts';

/** What the gateway knows about a request once it has a route, a body and a checked token. */
export interface GatewayRequest {
  readonly message: IncomingMessage;
  readonly url: URL;
  /** The route's path, such as `/fhir/Patient/{proxy+}`. */
  readonly resource: string;
  readonly pathParameters: Record<string, string> | null;
  readonly body: Buffer;
  readonly claims: AuthorizerClaims | undefined;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

const stage = 'local';

/** Headers between the client and the gateway, which no function sees. */
const hopByHop = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that the gateway sets itself, whatever a client sends. */
const ownHeaders = new Set(['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']);

/**
 * The event of a REST API's Lambda proxy integration.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 */
export const proxyEvent = (request: GatewayRequest): APIGatewayProxyEvent => {
  const { message, url, resource, pathParameters, body, claims, requestId, receivedAt } = request;
  const headers = headersOf(request);
  const query = queryOf(url.searchParams);
  const httpMethod = message.method ?? 'GET';
  return {
    resource,
    path: url.pathname,
    httpMethod,
    headers: lastValues(headers),
    multiValueHeaders: headers,
    queryStringParameters: query && lastValues(query),
    multiValueQueryStringParameters: query,
    pathParameters,
    stageVariables: null,
    requestContext: {
      accountId: localAccount,
      apiId: 'local',
      authorizer: claims === undefined ? null : { claims },
      protocol: `HTTP/${message.httpVersion}`,
      httpMethod,
      path: url.pathname,
      stage,
      requestId,
      extendedRequestId: requestId,
      requestTime: commonLogTime(receivedAt),
      requestTimeEpoch: receivedAt,
      resourceId: 'local',
      resourcePath: resource,
      domainName: url.host,
      domainPrefix: url.hostname.split('.')[0] ?? '',
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: sourceAddress(message),
        user: null,
        userAgent: message.headers['user-agent'] ?? null,
        userArn: null,
      },
    },
    // All types are binary media types of the API (infra/route-document.ts).
    body: body.length === 0 ? null : body.toString('base64'),
    isBase64Encoded: body.length > 0,
  };
};

type MultiValues = Record<string, string[]>;

const headersOf = ({ message, url, requestId, receivedAt }: GatewayRequest): MultiValues => {
  const named = new Set((message.headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const values = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    const name = message.rawHeaders[index] ?? '';
    const value = message.rawHeaders[index + 1] ?? '';
    const key = name.toLowerCase();
    if (hopByHop.has(key) || ownHeaders.has(key) || named.has(key) || key === 'host') continue;
    const known = values.get(key);
    if (known) known.values.push(value);
    else values.set(key, { name, values: [value] });
  }
  return {
    ...Object.fromEntries([...values.values()].map(({ name, values: all }) => [name, all])),
    Host: [url.host],
    'X-Amzn-Trace-Id': [
      `Root=1-${Math.floor(receivedAt / 1_000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)}`,
    ],
    'X-Forwarded-For': [[message.headers['x-forwarded-for'], sourceAddress(message)].flat().filter(Boolean).join(', ')],
    'X-Forwarded-Port': [url.port],
    'X-Forwarded-Proto': ['http'],
  };
};

const queryOf = (parameters: URLSearchParams): MultiValues | null => {
  const values: [string, string[]][] = [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)]);
  return values.length === 0 ? null : Object.fromEntries(values);
};

const lastValues = (values: MultiValues): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1) ?? '']));

const sourceAddress = ({ socket }: IncomingMessage) => (socket.remoteAddress ?? '').replace(/^::ffff:/, '');

/** Such as `24/Nov/2026:02:06:11 +0000`. */
const commonLogTime = (instant: number) => {
  const [, day, month, year, time] = new Date(instant).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
};
