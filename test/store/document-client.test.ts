import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { documentClient } from '../../shared/store/document-client.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const received: Received[] = [];
const server = createServer(async (request, response) => {
  received.push({ headers: request.headers, body: (await request.toArray()).join('') });
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
});

beforeAll(async () => {
  useDummyCredentials();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const hex = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** The signature that a request must have. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
const signatureOf = ({ headers, body }: Received): string => {
  const authorization = headers.authorization ?? '';
  const [, scope = '', names = ''] = /Credential=[^/]+\/(\S+), SignedHeaders=(\S+),/.exec(authorization) ?? [];
  const signed = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const request = ['POST', '/', '', signed.join(''), names, hex(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hex(request)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${process.env.AWS_SECRET_ACCESS_KEY}`);
  return hmac(key, toSign).toString('hex');
};

describe('the document client', () => {
  it('signs requests as DynamoDB demands, the first and the next', async () => {
    const client = documentClient({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

    for (const pk of ['one', 'two']) await client.send(new GetCommand({ TableName: 'table', Key: { pk } }));

    expect(received.map(({ headers }) => headers.authorization)).toEqual(
      received.map((each) => expect.stringContaining(`Signature=${signatureOf(each)}`) as string),
    );
    expect(received.map(({ body }) => body)).toEqual([expect.stringContaining('one'), expect.stringContaining('two')]);
    client.destroy();
  });

  it('makes one signer for all calls', async () => {
    const { config } = documentClient({ endpoint: 'http://127.0.0.1:9' });

    expect(await config.signer()).toBe(await config.signer());
  });

  it('has no step left that would show rows to a logger', () => {
    const steps = documentClient({ endpoint: 'http://127.0.0.1:9' }).middlewareStack.identify();

    expect(steps.filter((step) => /log|UserAgent|recursion/i.test(step))).toEqual([]);
    expect(steps).toContain('retryMiddleware - finalizeRequest');
  });
});
