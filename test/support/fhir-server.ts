import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { inNameOf } from '../../infra/local/iam/enforce-grants.ts';
import { fileNameOf } from '../../infra/routes.ts';
import { type Policy, usualPolicy } from '../../shared/access/policy.ts';
import { Denylist } from '../../shared/http/denylist.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { serveCdsServices } from '../../shared/http/serve-cds-services.ts';
import { serveHistory } from '../../shared/http/serve-history.ts';
import { serveHl7V2 } from '../../shared/http/serve-hl7-v2.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { serveSystem } from '../../shared/http/serve-system.ts';
import type { Services } from '../../shared/http/services.ts';
import { accessTokenVerifier } from '../../shared/http/verify-access-token.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { readDenials } from '../../shared/store/denylist.ts';
import { deploymentKeys } from '../../shared/store/deployment-key.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { type ObjectStore, s3ObjectStore } from '../../shared/store/object-store.ts';
import { RecordStore } from '../../shared/store/record-store.ts';
import { roleIn } from './as-function.ts';
import { accessToken, type TestCaller, testConfig } from './callers.ts';
import { type CallCounter, countCalls } from './count-calls.ts';
import { type LocalBucket, type LocalTable, localBucket, localTable } from './dynamodb.ts';

export interface TestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // Assertions look into whatever came; a precise type would have to be asserted at every use.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: TestBody;
  /** The body as it was sent, but for its coding, for what parsing would hide. */
  readonly text: string;
  /** The body as it was sent. */
  readonly bytes: Buffer;
}
export type TestBody = { [element: string]: TestBody } & { [index: number]: TestBody } & Iterable<TestBody> & {
    length: number;
  } & string;

export interface TestRequest {
  /** Sent as JSON; a string as it is, bytes in base 64 as the gateway does. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: TestCaller;
  /** A token to send instead of the caller's; empty for none. */
  readonly token?: string;
}

/** The real handlers on the embedded DynamoDB, called with gateway events, each in the name of its function's role. */
export interface FhirServer {
  readonly store: RecordStore;
  readonly calls: CallCounter;
  /** Calls to the object store since the start, by name and key. */
  readonly objectCalls: string[];
  readonly bucket: LocalBucket;
  /** Makes a request that can be sent again and again, so that its making is no part of what is measured. */
  prepare(method: string, path: string, options?: TestRequest): Promise<() => Promise<TestResponse>>;
  request(method: string, path: string, options?: TestRequest): Promise<TestResponse>;
  get(path: string, options?: TestRequest): Promise<TestResponse>;
  post(path: string, body: unknown, options?: TestRequest): Promise<TestResponse>;
  put(path: string, body: unknown, options?: TestRequest): Promise<TestResponse>;
  delete(path: string, options?: TestRequest): Promise<TestResponse>;
  setTime(time: number | undefined): void;
}

export const base = 'https://concord.test/fhir';
export const physician: TestCaller = { role: 'physician' };

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/**
 * A server like a process of its own, which has read nothing yet.
 *
 * @param table - that of another server, if they are to share one; else a new one.
 * @param policy - of the network, as far as it differs from the usual one.
 * @param bodies - the bucket of another server, likewise.
 */
export const fhirServer = async (
  table?: LocalTable,
  policy: Partial<Policy> = {},
  bodies?: LocalBucket,
): Promise<FhirServer> => {
  const { endpoint, tableName } = table ?? (await localTable());
  const bucket = bodies ?? (await localBucket());
  const client = documentClient({ endpoint });
  const calls = countCalls(client);
  const objectCalls: string[] = [];
  const objects = countedObjects(
    s3ObjectStore(client, { endpoint: bucket.endpoint, bucket: bucket.bucket }),
    objectCalls,
  );
  const store = new RecordStore(client, tableName, await deploymentKeys(client, tableName), objects);
  const denials = documentClient({ endpoint });
  let time: number | undefined;
  // Through a client of its own: what is polled beside requests is no call of theirs.
  const denylist = new Denylist(
    () => readDenials(denials, tableName),
    () => time ?? Date.now(),
  );
  const services: Services = {
    verify: accessTokenVerifier(await testConfig(tableName), denylist),
    store: async () => store,
    now: () => time ?? Date.now(),
    policy: { ...usualPolicy, ...policy },
    programmes: () => denylist.programmes,
  };
  const handlers = new Map<string, Handler>();
  const handlerFor = (type: string): Handler => {
    const known = handlers.get(type);
    if (known) return known;
    const own = recordTypes.find(({ name }) => name === type);
    const [entry, served] =
      type === 'cds-services'
        ? ['cds-services', serveCdsServices(() => services)]
        : type === 'hl7/v2'
          ? ['hl7-v2', serveHl7V2(recordTypes, () => services)]
          : type === '_history' || type === '_changes'
            ? ['history', serveHistory(() => services)]
            : type === '' || type === '_search' || type.startsWith('$')
              ? ['system', serveSystem([...recordTypes, ...otherRecordTypes], ownRoutes, () => services)]
              : own
                ? [`records/${fileNameOf(own.name)}`, serveRecords([own], ownRoutes, () => services)]
                : ['other-records', serveRecords(otherRecordTypes, ownRoutes, () => services)];
    const role = roleIn({ tableName, bucketName: bucket.bucket }, `functions/${entry}.ts`);
    const handler: Handler = (event, context) => inNameOf(role, () => (served as unknown as Handler)(event, context));
    handlers.set(type, handler);
    return handler;
  };
  const prepare = async (method: string, path: string, options: TestRequest = {}) => {
    const token = options.token ?? (await accessToken(options.as ?? physician));
    const event = proxyEvent(
      method,
      path,
      {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...options.headers,
      },
      options.body,
    );
    const [type = '', second, ...rest] = event.path.split('/').slice(2);
    // As infra/routes.ts has it: the access log alone has no history.
    const isHistory = second === '_history' && rest.length === 0 && type !== 'AuditEvent';
    const isHook = event.path.startsWith('/cds-services');
    const handler = handlerFor(
      isHook ? 'cds-services' : event.path.startsWith('/hl7/v2') ? 'hl7/v2' : isHistory ? second : type,
    );
    return async () => answerOf(await handler(withRequestId(event), {} as Context));
  };
  const request = async (method: string, path: string, options?: TestRequest) =>
    (await prepare(method, path, options))();
  return {
    store,
    calls,
    objectCalls,
    bucket,
    prepare,
    request,
    get: (path, options) => request('GET', path, options),
    post: (path, body, options) => request('POST', path, { ...options, body }),
    put: (path, body, options) => request('PUT', path, { ...options, body }),
    delete: (path, options) => request('DELETE', path, options),
    setTime: (at) => {
      time = at;
    },
  };
};

const answerOf = ({ statusCode, headers = {}, body, isBase64Encoded }: APIGatewayProxyResult): TestResponse => {
  let parsed: { readonly body: TestBody } | undefined;
  const textOf = () => {
    if (!isBase64Encoded) return body;
    const bytes = Buffer.from(body, 'base64');
    return (headers['Content-Encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
  };
  return {
    status: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
    // Parsed when it is looked at: where a request is measured, this is no part of it.
    get body() {
      parsed ??= { body: (body ? JSON.parse(textOf()) : undefined) as TestBody };
      return parsed.body;
    },
    get text() {
      return textOf();
    },
    get bytes() {
      return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    },
  };
};

const countedObjects = (objects: ObjectStore, calls: string[]): ObjectStore => ({
  at: objects.at,
  put: (key, bytes, until) => {
    calls.push(`PutObject ${key}`);
    return objects.put(key, bytes, until);
  },
  get: (key) => {
    calls.push(`GetObject ${key}`);
    return objects.get(key);
  },
  delete: (key) => {
    calls.push(`DeleteObject ${key}`);
    return objects.delete(key);
  },
});

let requests = 0;

/** An event of its own for one request. Handlers note down in it what they find out. */
const withRequestId = (event: APIGatewayProxyEvent): APIGatewayProxyEvent => ({
  ...event,
  requestContext: { ...event.requestContext, requestId: `request-${++requests}` },
});

/** An event as API Gateway makes it (payload version 1.0). `path` is relative to the base or absolute, with its query. */
export const proxyEvent = (
  method: string,
  path: string,
  headers: Record<string, string>,
  body: unknown,
): APIGatewayProxyEvent => {
  const url = new URL(path.startsWith('http') ? path : `${base}/${path.replace(/^\//, '')}`);
  const multiValueQueryStringParameters: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) (multiValueQueryStringParameters[name] ??= []).push(value);
  const pathname = url.pathname.replace(/\/$/, '');
  return {
    resource: '/fhir/{proxy+}',
    path: pathname,
    httpMethod: method,
    headers: { host: url.host, 'x-forwarded-proto': 'https', ...headers },
    multiValueHeaders: {},
    queryStringParameters: null,
    multiValueQueryStringParameters,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      path: pathname,
      domainName: url.host,
    } as APIGatewayProxyEvent['requestContext'],
    body: body === undefined ? null : bodyText(body),
    isBase64Encoded: body instanceof Uint8Array,
  };
};

const bodyText = (body: unknown): string => {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('base64');
  return typeof body === 'string' ? body : JSON.stringify(body);
};
