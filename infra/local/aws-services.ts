import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { keptAliveMs } from './kept-alive.ts';

/** A refusal in the shape of the AWS JSON protocol. Its name is the service's own, which clients act on. */
export class ServiceError extends Error {
  override readonly name: string;
  readonly statusCode: number;

  constructor(name: string, message: string, statusCode = 400) {
    super(message);
    this.name = name;
    this.statusCode = statusCode;
  }
}

/** A service that speaks JSON to `POST /`, told apart by the prefix of `X-Amz-Target`. */
export interface JsonService {
  /** Such as `AWSEvents`. */
  readonly target: string;
  /** By name of the operation, such as `PutEvents`. */
  readonly operations: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => unknown>>;
}

/** A document behind a plain GET. Undefined if there is none at this address. */
export type Documents = (url: URL) => unknown;

/** A form that a client posts to an address of its own. Undefined if nothing takes one there. */
export type Forms = (request: {
  readonly pathname: string;
  readonly authorization: string | undefined;
  readonly body: URLSearchParams;
}) => Promise<FormAnswer | undefined>;

interface FormAnswer {
  readonly statusCode: number;
  readonly body: object;
}

export interface AwsServices {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/** Far more than any request of ours; the services' own limits are the services' business. */
const largestRequest = 4 * 1024 * 1024;

/**
 * Serves the stand-ins of AWS services on one free loopback port, to unmodified AWS clients.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export const startAwsServices = async (
  services: readonly JsonService[],
  documents: readonly Documents[] = [],
  forms: readonly Forms[] = [],
): Promise<AwsServices> => {
  const server = createServer({ keepAliveTimeout: keptAliveMs }, (request, response) => {
    answer(request, services, documents, forms).then(
      ({ statusCode, body }) => send(response, statusCode, body),
      (error: unknown) => {
        const known = error instanceof ServiceError;
        const { name, message, statusCode } = known
          ? error
          : new ServiceError('InternalFailure', 'Internal failure', 500);
        send(response, statusCode, { __type: name, message }, { 'x-amzn-errortype': name });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const answer = async (
  request: IncomingMessage,
  services: readonly JsonService[],
  documents: readonly Documents[],
  forms: readonly Forms[],
): Promise<{ readonly statusCode: number; readonly body: unknown }> => {
  if (request.method === 'GET') {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    for (const document of documents) {
      const found = await document(url);
      if (found !== undefined) return { statusCode: 200, body: found };
    }
    throw new ServiceError('ResourceNotFoundException', 'There is nothing at this address', 404);
  }
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const { authorization } = request.headers;
    const body = new URLSearchParams(await bodyOf(request));
    for (const form of forms) {
      const answered = await form({ pathname, authorization, body });
      if (answered) return answered;
    }
    throw new ServiceError('ResourceNotFoundException', 'There is nothing at this address', 404);
  }
  const [target = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const run = services.find((service) => service.target === target)?.operations[operation];
  if (request.method !== 'POST' || !run) {
    throw new ServiceError('UnknownOperationException', `The local stack does not serve ${target}.${operation}`);
  }
  return { statusCode: 200, body: await run(parse(await bodyOf(request))) };
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestRequest)
      throw new ServiceError('RequestEntityTooLargeException', 'The request is too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const parse = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input };
  } catch {
    // Refused below, like anything else that is not an object.
  }
  throw new ServiceError('SerializationException', 'The request is not a JSON object');
};

const send = (response: ServerResponse, statusCode: number, body: unknown, headers: Record<string, string> = {}) => {
  response.writeHead(statusCode, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
    ...headers,
  });
  response.end(JSON.stringify(body));
};
