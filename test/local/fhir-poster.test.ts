import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fhirPoster } from '../../infra/cli/fhir-poster.ts';
import { tokenSource } from '../../infra/cli/sign-in.ts';

const bundle: fhir4.Bundle = { resourceType: 'Bundle', type: 'batch', entry: [] };

/** A server that answers each request with the next of these, and a client of it. */
const scripted = async (...answers: ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void)[]) => {
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[Math.min(requests, answers.length - 1)];
      requests += 1;
      answer?.(request, response, Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const tokens: boolean[] = [];
  const token = ({ renew = false } = {}) => {
    tokens.push(renew);
    return Promise.resolve(renew ? 'new' : 'old');
  };
  const post = fhirPoster({ url: `http://127.0.0.1:${port}/fhir`, token, run: 'an-import', pauseMs: 1 });
  return { post, tokens, requests: () => requests };
};

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, headers).end(JSON.stringify({ status }));
  };

describe('fhirPoster', () => {
  it.each([429, 503])('repeats a request that a busy server puts off with %d', async (status) => {
    const { post, requests } = await scripted(answering(status), answering(status), answering(200));

    expect(await post(bundle)).toEqual({ status: 200, body: { status: 200 } });
    expect(requests()).toBe(3);
  });

  it('repeats a request whose connection broke', async () => {
    const { post, requests } = await scripted((request) => request.socket.destroy(), answering(200));

    expect(await post(bundle)).toMatchObject({ status: 200 });
    expect(requests()).toBe(2);
  });

  it('sends a bundle under a key that is the same again in the same import, and another one for another bundle', async () => {
    const keys: unknown[] = [];
    const { post } = await scripted(
      (request) => request.socket.destroy(),
      (request, response) => {
        keys.push(request.headers['idempotency-key']);
        answering(200)(request, response);
      },
    );

    await post(bundle);
    await post({ ...bundle, type: 'transaction' });
    await post(bundle);

    expect(keys[0]).toMatch(/^an-import:[\w-]{43}$/);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[1]).not.toBe(keys[0]);
  });

  it('says in plain words that nobody answers any more', async () => {
    const { post } = await scripted((request) => request.socket.destroy());

    await expect(post(bundle)).rejects.toThrow(/answers no more.*wholly or not at all.*--resume an-import/s);
  });

  it('gives up in the end, with the last answer', async () => {
    const { post, requests } = await scripted(answering(503));

    expect(await post(bundle)).toMatchObject({ status: 503 });
    expect(requests()).toBe(8);
  });

  it('signs in anew once when its token is no longer taken', async () => {
    const { post, tokens, requests } = await scripted(answering(401), answering(200));
    const hopeless = await scripted(answering(401));

    expect(await post(bundle)).toMatchObject({ status: 200 });
    expect([tokens, requests()]).toEqual([[false, true], 2]);
    expect(await hopeless.post(bundle)).toMatchObject({ status: 401 });
    expect(hopeless.requests()).toBe(2);
  });

  it.each([400, 409, 500, 504])('does not repeat a request that was answered with %d', async (status) => {
    const { post, requests } = await scripted(answering(status));

    expect(await post(bundle)).toMatchObject({ status });
    expect(requests()).toBe(1);
  });

  it('compresses a body over 1 MB, and no smaller one', async () => {
    const encodings: (string | undefined)[] = [];
    const sizes: number[] = [];
    const { post } = await scripted((request, response, body) => {
      const encoding = request.headers['content-encoding'];
      encodings.push(encoding);
      sizes.push((encoding === 'gzip' ? gunzipSync(body) : body).length);
      response.end('{}');
    });
    const large = (length: number): fhir4.Bundle => ({ ...bundle, id: 'a'.repeat(length) });

    await post(large(999_000));
    await post(large(1_000_000));

    expect(encodings).toEqual([undefined, 'gzip']);
    expect(sizes[1]).toBe(JSON.stringify(large(1_000_000)).length);
  });
});

describe('tokenSource', () => {
  it('keeps a token and renews it two minutes before its end', async () => {
    let now = 0;
    let count = 0;
    const token = tokenSource(
      () => {
        count += 1;
        return Promise.resolve({ accessToken: `token ${count}`, expiresAt: now + 3_600_000 });
      },
      () => now,
    );

    const first = await token();
    now = 3_480_000;
    const kept = await token();
    now = 3_480_001;
    const renewed = await token();

    expect([first, kept, renewed]).toEqual(['token 1', 'token 1', 'token 2']);
  });
});
