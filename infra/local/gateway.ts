import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { preflightHeaders } from '../../shared/http/cross-origin.ts';
import { log } from '../../shared/log.ts';
import { type GatewayResponseType, gatewayResponse } from '../gateway-responses.ts';
import { integrationTimeoutMs } from '../route-document.ts';
import { CannotStart } from './cannot-start.ts';
import type { Authorize } from './cognito-authorizer.ts';
import { keptAliveMs } from './kept-alive.ts';
import { type LoadHandler, lambdaContext, largestPayload } from './lambda.ts';
import { type GatewayRoute, matchRoute } from './match-route.ts';
import { proxyEvent } from './proxy-event.ts';
import { type GatewayAnswer, readProxyResult, sendAnswer } from './proxy-result.ts';

export interface GatewayOptions {
  readonly routes: readonly GatewayRoute[];
  readonly load: LoadHandler;
  /** Checks the token of every route that is not open. */
  readonly authorize: Authorize;
  /** Documents of the local stack itself, by path: the gateway of a deployment has none. */
  readonly local?: Readonly<Record<string, unknown>>;
  /** Time that a function has, in milliseconds. */
  readonly timeoutMs?: number;
}

export interface Gateway {
  readonly port: number;
  /** Takes no new requests, waits for those under way for a moment, then ends them. */
  readonly stop: () => Promise<void>;
}

/** Limits of API Gateway REST APIs. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const largestBody = 10 * 1024 * 1024;
const largestHead = 10_240;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Node's own limit of a request's head: above ours, so that the refusal is ours. In bytes. */
const nodeHeadLimit = 64 * 1024;
/** How long requests under way may take when the gateway stops, in milliseconds. */
const stopWithinMs = 1_200;
/** How long a client may go on sending a body that was refused, in milliseconds. */
const drainMs = 5_000;

/**
 * Serves the functions on a loopback port as API Gateway serves them: routes, authorizer, proxy events and limits.
 *
 * @param port - 0 for a free one.
 * @throws CannotStart if the port is taken.
 */
export const startGateway = async (port: number, options: GatewayOptions): Promise<Gateway> => {
  const listener = gatewayListener(options);
  const first = newServer(listener);
  await listen(first, port, '127.0.0.1');
  const address = first.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  // `localhost` may mean either address. A machine without the second one does without it.
  const second = newServer(listener);
  const servers = [first, second];
  try {
    await listen(second, actual, '::1');
  } catch (error) {
    servers.pop();
    if (error instanceof CannotStart) {
      await close(first);
      throw error;
    }
  }
  return {
    port: actual,
    stop: async () => {
      await Promise.all(servers.map(close));
    },
  };
};

const newServer = (listener: (request: IncomingMessage, response: ServerResponse) => void): Server =>
  createServer({ maxHeaderSize: nodeHeadLimit, requestTimeout: 60_000, keepAliveTimeout: keptAliveMs }, listener).on(
    'clientError',
    refuseMalformed,
  );

const listen = (server: Server, port: number, host: string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(port) : error.code === 'EACCES' ? portForbidden(port) : error);
    });
    server.listen(port, host, resolve);
  });

const portTaken = (port: number) =>
  new CannotStart(
    `Port ${port} is taken by another program. Stop that program, or choose another port: PORT=${port + 1} npm start`,
  );

const portForbidden = (port: number) =>
  new CannotStart(`The system does not let this user listen on port ${port}. Choose another: PORT=3000 npm start`);

const close = (server: Server) =>
  new Promise<void>((resolve) => {
    // A connection that a client keeps open is idle only once its last answer is out.
    const patient = setInterval(() => server.closeIdleConnections(), 20);
    const impatient = setTimeout(() => server.closeAllConnections(), stopWithinMs);
    server.close(() => {
      clearInterval(patient);
      clearTimeout(impatient);
      resolve();
    });
  });

/** What the gateway does with a request. */
const gatewayListener = (options: GatewayOptions) => (request: IncomingMessage, response: ServerResponse) => {
  const requestId = randomUUID();
  serve(request, requestId, options)
    .then((answer) => sendAnswer(response, answer, requestId))
    .catch((error: unknown) => {
      if (response.headersSent || request.socket.destroyed) return response.destroy();
      log.fault('the gateway could not answer', error, { requestId });
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      sendAnswer(response, rendered('DEFAULT_5XX', requestId, 502), requestId);
    })
    .finally(() => drain(request))
    .catch(() => response.destroy());
};

const serve = async (message: IncomingMessage, requestId: string, options: GatewayOptions): Promise<GatewayAnswer> => {
  const receivedAt = Date.now();
  const refuse = (type: GatewayResponseType, statusCode?: number) => rendered(type, requestId, statusCode);
  if ((message.url ?? '').length > largestHead) return refuse('DEFAULT_4XX', 414);
  if (headSize(message) > largestHead) return refuse('DEFAULT_4XX', 431);
  const url = urlOf(message);
  if (!url) return refuse('DEFAULT_4XX', 400);

  const own = options.local?.[url.pathname];
  if (own !== undefined && message.method === 'GET') return json(own);
  const match = methods.has(message.method ?? '') ? matchRoute(options.routes, url.pathname) : undefined;
  if (!match) return refuse('MISSING_AUTHENTICATION_TOKEN');
  const { route, pathParameters } = match;

  if (message.method === 'OPTIONS') return preflight;
  const claims = route.open ? undefined : options.authorize(message.headers.authorization);
  if (!route.open && !claims) return refuse('UNAUTHORIZED');

  const body = await bodyOf(message);
  if (!body) return refuse('REQUEST_TOO_LARGE');
  const event = proxyEvent({ message, url, resource: route.path, pathParameters, body, claims, requestId, receivedAt });
  if (body.length * 2 > largestPayload && Buffer.byteLength(JSON.stringify(event)) > largestPayload) {
    return refuse('REQUEST_TOO_LARGE');
  }
  return invoke(route.entry, event, requestId, options);
};

const invoke = async (
  entry: string,
  event: unknown,
  requestId: string,
  options: GatewayOptions,
): Promise<GatewayAnswer> => {
  const timeoutMs = options.timeoutMs ?? integrationTimeoutMs;
  const late = Symbol('late');
  const timer = Promise.withResolvers<typeof late>();
  const timeout = setTimeout(() => timer.resolve(late), timeoutMs);
  try {
    const running = (async () => (await options.load(entry))(event, lambdaContext(entry, timeoutMs)))();
    running.catch(() => undefined); // a function that fails after its time has been answered for
    const result = await Promise.race([running, timer.promise]);
    if (result === late) return rendered('INTEGRATION_TIMEOUT', requestId);
    const answer = readProxyResult(result);
    if (answer) return answer;
    log.fault('a function returned what the gateway cannot send', new Error(entry), { requestId });
  } catch (error) {
    log.fault(`${entry} failed`, error, { requestId });
  } finally {
    clearTimeout(timeout);
  }
  return rendered('DEFAULT_5XX', requestId, 502);
};

const rendered = (type: GatewayResponseType, requestId: string, statusCode?: number): GatewayAnswer => {
  const response = gatewayResponse(type);
  return {
    statusCode: response.statusCode ?? statusCode ?? (type === 'DEFAULT_5XX' ? 500 : 400),
    headers: Object.entries(response.headers).map(([name, value]) => [name, [value]]),
    body: Buffer.from(response.template.replaceAll('$context.requestId', requestId)),
  };
};

const preflight: GatewayAnswer = {
  statusCode: 204,
  headers: Object.entries(preflightHeaders).map(([name, value]) => [name, [value]]),
  body: Buffer.alloc(0),
};

const json = (content: unknown): GatewayAnswer => ({
  statusCode: 200,
  headers: [['Content-Type', ['application/json']]],
  body: Buffer.from(JSON.stringify(content)),
});

const headSize = ({ url = '', rawHeaders }: IncomingMessage) =>
  rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part, 'latin1'), Buffer.byteLength(url));

/** The address as the client wrote it. A host that cannot be one is replaced: it would end up in links. */
const urlOf = ({ url = '/', headers, socket }: IncomingMessage): URL | undefined => {
  const local = `localhost:${socket.localPort}`;
  const host = /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(headers.host ?? '') ? headers.host : local;
  // A request line such as `GET //elsewhere/path` must not change the host.
  return url.startsWith('/') && URL.canParse(`http://${host}${url}`) ? new URL(`http://${host}${url}`) : undefined;
};

/** The whole body, or undefined if it is larger than the gateway takes. */
const bodyOf = async (message: IncomingMessage): Promise<Buffer | undefined> => {
  if (Number(message.headers['content-length'] ?? 0) > largestBody) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  const tooLarge = Promise.withResolvers<boolean>();
  message.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > largestBody) tooLarge.resolve(true);
    else chunks.push(chunk);
  });
  message.once('end', () => tooLarge.resolve(false));
  message.once('close', () => tooLarge.reject(new Error('The client went away')));
  return (await tooLarge.promise) ? undefined : Buffer.concat(chunks);
};

/** Reads what is left of a refused request, so that the client can read its answer; for a while. */
const drain = (message: IncomingMessage) => {
  if (message.complete) return;
  message.removeAllListeners('data');
  message.resume();
  const impatient = setTimeout(() => message.destroy(), drainMs);
  impatient.unref();
  message.once('close', () => clearTimeout(impatient));
};

/** Answers what is not HTTP enough to become a request. */
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket) => {
  if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy();
  const overflow = error.code === 'HPE_HEADER_OVERFLOW';
  const { statusCode, body } = rendered('DEFAULT_4XX', randomUUID(), overflow ? 431 : 400);
  const reason = overflow ? 'Request Header Fields Too Large' : 'Bad Request';
  socket.end(
    `HTTP/1.1 ${statusCode} ${reason}\r\nContent-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString()}`,
  );
};
