import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { RecordError } from '../../shared/errors.ts';
import { type ObjectStoreOptions, s3ObjectStore } from '../../shared/store/object-store.ts';

beforeEach(() => {
  useDummyCredentials();
  vi.spyOn(Math, 'random').mockReturnValue(0); // no pause between attempts
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const errorBody = (code: string) => `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`;

/** What the server does with a request: answers with a status and a code, breaks the connection off, or never answers. */
type Behaviour = { readonly status: number; readonly code?: string } | 'breaks' | 'hangs';

/** A server that behaves so, request by request, and goes on with the last one. */
const serving = async (...script: readonly Behaviour[]) => {
  const requests: { method: string; url: string; body: string }[] = [];
  let connections = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      body: Buffer.concat(chunks).toString(),
    });
    const behaviour = script[requests.length - 1] ?? script.at(-1);
    if (behaviour === undefined || behaviour === 'hangs') return;
    if (behaviour === 'breaks') request.socket.destroy();
    else response.writeHead(behaviour.status).end(behaviour.code ? errorBody(behaviour.code) : 'content');
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, requests, connections: () => connections };
};

const storeAt = (options: Partial<ObjectStoreOptions>, client = new DynamoDBClient({ region: 'us-east-1' })) =>
  s3ObjectStore(DynamoDBDocumentClient.from(client), { bucket: 'bodies', ...options });
const soon = () => Date.now() + 60_000;

describe('the S3 client', () => {
  it('puts, gets and deletes by one request each, on one connection', async () => {
    const { endpoint, requests, connections } = await serving({ status: 200 });
    const store = storeAt({ endpoint });

    await store.put('r_Basic/1/n', Buffer.from('bytes'), soon());
    const got = await store.get('r_Basic/1/n');
    await store.delete('r_Basic/1/n');

    expect(requests).toEqual([
      { method: 'PUT', url: '/bodies/r_Basic/1/n', body: 'bytes' },
      { method: 'GET', url: '/bodies/r_Basic/1/n', body: '' },
      { method: 'DELETE', url: '/bodies/r_Basic/1/n', body: '' },
    ]);
    expect(Buffer.from(got).toString()).toBe('content');
    expect(connections()).toBe(1);
  });

  it.each<[string, Behaviour]>([
    ['503 SlowDown', { status: 503, code: 'SlowDown' }],
    ['500', { status: 500, code: 'InternalError' }],
    ['502 without a body', { status: 502 }],
    ['429', { status: 429, code: 'TooManyRequests' }],
    ['400 RequestTimeout', { status: 400, code: 'RequestTimeout' }],
    ['a broken connection', 'breaks'],
  ])('tries again after %s, up to three times', async (_what, behaviour) => {
    const { endpoint, requests } = await serving(behaviour, behaviour, behaviour, { status: 200 });

    await storeAt({ endpoint }).put('k', Buffer.from('bytes'), soon());

    expect(requests.map(({ body }) => body)).toEqual(['bytes', 'bytes', 'bytes', 'bytes']);
  });

  it('tries again where no answer came within five seconds', async () => {
    const { endpoint, requests } = await serving('hangs', { status: 200 });
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const fiveSeconds = new AbortController();
    const asked = vi
      .spyOn(AbortSignal, 'timeout')
      .mockImplementation((ms) => (asked.mock.calls.length > 1 ? timeout(ms) : fiveSeconds.signal));

    const content = storeAt({ endpoint }).get('k');
    await expect.poll(() => requests).toHaveLength(1);
    fiveSeconds.abort(new DOMException('five seconds are over', 'TimeoutError'));
    await content;

    expect(requests).toHaveLength(2);
    expect(asked.mock.calls).toEqual([[5_000], [5_000]]);
  });

  it('waits longer before each attempt, by chance', async () => {
    const { endpoint } = await serving({ status: 500 }, { status: 500 }, { status: 200 });
    const waits = vi.spyOn(Math, 'random').mockReturnValueOnce(0.1).mockReturnValueOnce(0.1);
    const started = performance.now();

    await storeAt({ endpoint }).get('k');

    expect(waits).toHaveBeenCalledTimes(2);
    expect(performance.now() - started).toBeGreaterThan(90); // a tenth of 200 and of 800
  });

  it('says throttled after four times 503, so that the caller may try later', async () => {
    const { endpoint, requests } = await serving({ status: 503, code: 'SlowDown' });

    const error = await storeAt({ endpoint })
      .get('k')
      .catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ kind: 'throttled', headers: { 'Retry-After': '1' } });
    expect(requests).toHaveLength(4);
  });

  it.each<[Behaviour, string, number]>([
    [{ status: 404, code: 'NoSuchKey' }, 'ObjectStoreNoSuchKey', 1],
    [{ status: 403, code: 'AccessDenied' }, 'ObjectStoreAccessDenied', 1],
    [{ status: 301, code: 'PermanentRedirect' }, 'ObjectStorePermanentRedirect', 1],
    [{ status: 418 }, 'ObjectStoreStatus418', 1],
    [{ status: 500, code: 'InternalError' }, 'ObjectStoreInternalError', 4],
    ['breaks', 'ObjectStoreNoAnswer', 4],
  ])('fails on %o with %s, after %i attempts, naming no key', async (behaviour, name, attempts) => {
    const { endpoint, requests } = await serving(behaviour);

    const error = await storeAt({ endpoint })
      .get('patient_Basic/1/n')
      .catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ name });
    expect(String(error)).not.toContain('patient');
    expect(requests).toHaveLength(attempts);
  });

  it('begins no upload once its time is over, nor another attempt', async () => {
    const { endpoint, requests } = await serving({ status: 500 });
    const late = storeAt({ endpoint }).put('k', Buffer.of(1), Date.now() - 1);

    await expect(late).rejects.toMatchObject({ kind: 'conflict' });
    expect(requests).toHaveLength(0);

    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const until = Date.now() + 1_000;
    vi.spyOn(Math, 'random').mockImplementation(() => {
      vi.setSystemTime(until + 1);
      return 0;
    });
    await expect(storeAt({ endpoint }).put('k', Buffer.of(1), until)).rejects.toMatchObject({ kind: 'conflict' });
    expect(requests).toHaveLength(1);
  });
});

describe('where the S3 client sends its requests', () => {
  /** Host and path of the request, and whether it was signed with the session's token, without sending it. */
  const sent = async (options: Partial<ObjectStoreOptions> = {}) => {
    const requests: {
      protocol: string;
      hostname: string;
      port?: number;
      path: string;
      headers: Record<string, string>;
    }[] = [];
    const client = new DynamoDBClient({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
      requestHandler: {
        handle: (request: (typeof requests)[number]) => {
          requests.push(request);
          return Promise.resolve({ response: { statusCode: 200, headers: {}, body: [] } });
        },
      } as never,
    });
    await storeAt(options, client).put('r.s_Basic/1/n', Buffer.from('x'), soon());
    return requests[0];
  };

  it('is the bucket in its own region', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined);

    const request = await sent();

    expect(request).toMatchObject({
      protocol: 'https:',
      hostname: 'bodies.s3.eu-central-1.amazonaws.com',
      path: '/r.s_Basic/1/n',
      headers: {
        host: 'bodies.s3.eu-central-1.amazonaws.com',
        'x-amz-security-token': 't',
        'x-amz-content-sha256': '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      },
    });
    expect(request?.headers.authorization).toContain('/eu-central-1/s3/aws4_request');
  });

  it.each([
    [{ AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_S3: 'http://s3:2/' }, {}, 's3:2'],
    [{ AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_S3: undefined }, {}, 'all:1'],
    [{ AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_S3: 'http://s3:2' }, { endpoint: 'http://own:3' }, 'own:3'],
  ])('is what %o and %o say: %s', async (environment, options, host) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);

    expect(await sent(options)).toMatchObject({ path: '/bodies/r.s_Basic/1/n', headers: { host } });
  });

  it('is asked of nobody before the first request', async () => {
    const asked: string[] = [];
    const client = new DynamoDBClient({
      region: async () => {
        asked.push('region');
        return 'us-east-1';
      },
      credentials: async () => {
        asked.push('credentials');
        return { accessKeyId: 'a', secretAccessKey: 's' };
      },
    });
    const { endpoint } = await serving({ status: 200 });

    const store = storeAt({ endpoint }, client);
    expect(asked).toEqual([]);

    await store.get('k');
    expect(new Set(asked)).toEqual(new Set(['region', 'credentials']));
  });
});
