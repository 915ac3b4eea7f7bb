import { describe, expect, it } from 'vitest';
import type { Handler } from '../../infra/local/lambda.ts';
import { echoEvent, gatewayFor, sendRaw } from '../support/local-gateway.ts';

const get = async (handler: Handler, init: RequestInit = {}) =>
  fetch(`${await gatewayFor(handler)}/fhir/Patient`, init);

const outcome = (reason: string) => ({
  resourceType: 'OperationOutcome',
  issue: [{ details: { coding: [{ code: reason }] }, diagnostics: expect.stringMatching(/request [0-9a-f-]{36}/) }],
});

describe('the answer of the local gateway', () => {
  it('carries the status, the headers and the body of the function', async () => {
    const response = await get(() => ({
      statusCode: 201,
      headers: { ETag: 'W/"1"', 'Content-Type': 'application/fhir+json' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: '{"id":"1"}',
    }));

    expect(response.status).toBe(201);
    expect(response.headers.get('etag')).toBe('W/"1"');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('{"id":"1"}');
  });

  it('turns base64 into bytes', async () => {
    const bytes = Buffer.from([0, 255, 128]);

    const response = await get(() => ({ statusCode: 200, body: bytes.toString('base64'), isBase64Encoded: true }));

    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  it('renames the headers that API Gateway keeps for itself', async () => {
    const response = await get(() => ({
      statusCode: 200,
      headers: { 'WWW-Authenticate': 'Bearer', Server: 'x' },
      body: '',
    }));

    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(response.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
    expect(response.headers.get('x-amzn-remapped-server')).toBe('x');
  });

  it('passes HEAD to the function and sends its headers without a body', async () => {
    const response = await get(
      (event) => ({
        statusCode: 200,
        headers: { 'x-method': (event as { httpMethod: string }).httpMethod },
        body: 'body',
      }),
      {
        method: 'HEAD',
      },
    );

    expect(response.headers.get('x-method')).toBe('HEAD');
    expect(response.headers.get('content-length')).toBe('4');
    expect(await response.text()).toBe('');
  });

  it.each<[string, Handler]>([
    ['throws', () => Promise.reject(new Error('secret of a patient'))],
    ['returns nothing', () => undefined],
    ['returns a body that is no text', () => ({ statusCode: 200, body: { id: 1 } })],
    ['returns a status that is none', () => ({ statusCode: 'ok', body: '' })],
    [
      'returns a header that HTTP does not allow',
      () => ({ statusCode: 200, headers: { 'x-a': 'a\r\nb: c' }, body: '' }),
    ],
    ['returns more than Lambda passes on', () => ({ statusCode: 200, body: 'x'.repeat(6_300_000) })],
  ])('is 502 with an outcome and a request id when a function %s', async (_, handler) => {
    const response = await get(handler);

    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject(outcome('exception'));
    expect(text).not.toContain('secret');
  });

  it('goes on serving after a function has failed', async () => {
    let calls = 0;
    const base = await gatewayFor(() => {
      calls += 1;
      if (calls === 1) throw new Error('once');
      return { statusCode: 200, body: 'fine' };
    });
    await fetch(`${base}/fhir/Patient`);

    const response = await fetch(`${base}/fhir/Patient`);

    expect(await response.text()).toBe('fine');
  });

  it('is 504 with an outcome when a function takes too long', async () => {
    const never = new Promise(() => undefined);
    const base = await gatewayFor(() => never, { timeoutMs: 20 });

    const response = await fetch(`${base}/fhir/Patient`);

    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject(outcome('timeout'));
  });

  it('is 413 for a body beyond 10 MB, whether its length is told or not', async () => {
    const base = await gatewayFor(echoEvent);
    const large = Buffer.alloc(10 * 1024 * 1024 + 1, ' ');
    const chunked = new ReadableStream({
      start: (controller) => {
        controller.enqueue(large);
        controller.close();
      },
    });

    const told = await fetch(`${base}/fhir/Patient`, { method: 'POST', body: large });
    const untold = await fetch(`${base}/fhir/Patient`, {
      method: 'POST',
      body: chunked,
      duplex: 'half',
    } as RequestInit);

    expect([told.status, untold.status]).toEqual([413, 413]);
    expect(await told.json()).toMatchObject(outcome('too-large'));
  });

  it('is 413 for an event beyond the 6 MB of Lambda', async () => {
    const base = await gatewayFor(echoEvent);

    const response = await fetch(`${base}/fhir/Patient`, { method: 'POST', body: 'x'.repeat(5_000_000) });

    expect(response.status).toBe(413);
  });

  it('is 431 for headers beyond 10,240 bytes, also beyond what Node itself would read', async () => {
    const base = await gatewayFor(echoEvent);

    const beyond = await sendRaw(`${base}/fhir/Patient`, ['Host', 'h', 'X-Long', 'a'.repeat(10_241)]);
    const farBeyond = await sendRaw(`${base}/fhir/Patient`, ['Host', 'h', 'X-Long', 'a'.repeat(100_000)]);

    expect([beyond.status, farBeyond.status]).toEqual([431, 431]);
    expect(JSON.parse(farBeyond.body)).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  it('is 414 for an address that is too long', async () => {
    const { status } = await sendRaw(`${await gatewayFor(echoEvent)}/fhir/Patient?name=${'a'.repeat(10_300)}`, [
      'Host',
      'h',
    ]);

    expect(status).toBe(414);
  });

  it('is 404 with an outcome where there is no route', async () => {
    const response = await fetch(`${await gatewayFor(echoEvent)}/elsewhere`);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject(outcome('unknown-path'));
  });
});
