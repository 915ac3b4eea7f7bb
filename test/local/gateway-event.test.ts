import { gzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { echoEvent, eventOf, gatewayFor, sendRaw } from '../support/local-gateway.ts';

describe('the event that a function gets from the local gateway', () => {
  it('names method, path and route, and the path behind the route without percent escapes', async () => {
    const event = await eventOf('/fhir/Patient/a%20b/_history', { method: 'DELETE' });

    expect(event).toMatchObject({
      resource: '/fhir/{proxy+}',
      httpMethod: 'DELETE',
      path: '/fhir/Patient/a%20b/_history',
      pathParameters: { proxy: 'Patient/a b/_history' },
      requestContext: {
        httpMethod: 'DELETE',
        path: '/fhir/Patient/a%20b/_history',
        resourcePath: '/fhir/{proxy+}',
        identity: { sourceIp: '127.0.0.1' },
      },
    });
  });

  it('gives every value of a query parameter, and the last one as the single value', async () => {
    const event = await eventOf('/fhir/Observation?code=a%7C1&date=ge2020&date=lt2021&empty=');

    expect(event.multiValueQueryStringParameters).toEqual({ code: ['a|1'], date: ['ge2020', 'lt2021'], empty: [''] });
    expect(event.queryStringParameters).toEqual({ code: 'a|1', date: 'lt2021', empty: '' });
  });

  it('has null where there is no query and no body', async () => {
    const event = await eventOf('/fhir/Patient');

    expect(event).toMatchObject({ queryStringParameters: null, multiValueQueryStringParameters: null, body: null });
    expect(event.isBase64Encoded).toBe(false);
  });

  it('keeps the case of header names and every value of a repeated header', async () => {
    const base = await gatewayFor(echoEvent);

    const { body } = await sendRaw(`${base}/fhir/Patient`, [
      'Host',
      'chart.example',
      'X-Thing',
      'one',
      'x-thing',
      'two',
    ]);

    const event = JSON.parse(body) as APIGatewayProxyEvent;
    expect(event.multiValueHeaders['X-Thing']).toEqual(['one', 'two']);
    expect(event.headers['X-Thing']).toBe('two');
    expect(event.headers.Host).toBe('chart.example');
  });

  it('leaves out the headers between client and gateway, and does not believe forwarded ones', async () => {
    const base = await gatewayFor(echoEvent);
    const headers = ['Host', 'h', 'Connection', 'x-hop', 'X-Hop', '1', 'TE', 'trailers', 'X-Forwarded-Proto', 'https'];

    const { body } = await sendRaw(`${base}/fhir/Patient`, headers);

    const event = JSON.parse(body) as APIGatewayProxyEvent;
    const names = Object.keys(event.headers).map((name) => name.toLowerCase());
    expect(names).not.toEqual(expect.arrayContaining(['connection']));
    expect(names).not.toEqual(expect.arrayContaining(['te']));
    expect(names).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(event.headers['X-Forwarded-Proto']).toBe('http');
  });

  it('replaces a host that cannot be one, since it would end up in links', async () => {
    const base = await gatewayFor(echoEvent);

    const { body } = await sendRaw(`${base}/fhir/Patient`, ['Host', 'evil.example/path?']);

    expect((JSON.parse(body) as APIGatewayProxyEvent).headers.Host).toBe(`localhost:${new URL(base).port}`);
  });

  it.each([
    'application/fhir+json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'image/png',
  ])('hands over a body of type %s in base64, as a gateway does for which all types are binary', async (type) => {
    const bytes = Buffer.from([0, 255, 128, 13, 10]);

    const event = await eventOf('/fhir/Binary', { method: 'POST', body: bytes, headers: { 'content-type': type } });

    expect(event).toMatchObject({ body: bytes.toString('base64'), isBase64Encoded: true });
  });

  it('hands over compressed JSON as it came, in base64', async () => {
    const bytes = gzipSync('{"resourceType":"Patient"}');
    const headers = { 'content-type': 'application/fhir+json', 'content-encoding': 'gzip' };

    const event = await eventOf('/fhir/Patient', { method: 'POST', body: bytes, headers });

    expect(event).toMatchObject({ body: bytes.toString('base64'), isBase64Encoded: true });
  });
});
