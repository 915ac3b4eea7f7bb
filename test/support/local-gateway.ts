import { request as httpRequest } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { onTestFinished } from 'vitest';
import { type GatewayOptions, startGateway } from '../../infra/local/gateway.ts';
import type { Handler } from '../../infra/local/lambda.ts';

/** Answers with the event that it got. */
export const echoEvent: Handler = (event) => ({ statusCode: 200, body: JSON.stringify(event) });

/** A gateway with one open route for everything under `/fhir`, for the length of a test. */
export const gatewayFor = async (handler: Handler, options: Partial<GatewayOptions> = {}): Promise<string> => {
  const gateway = await startGateway(0, {
    routes: [{ path: '/fhir/{proxy+}', entry: 'functions/fixture.ts', open: true }],
    load: () => Promise.resolve(handler),
    authorize: () => undefined,
    ...options,
  });
  onTestFinished(gateway.stop);
  return `http://127.0.0.1:${gateway.port}`;
};

/** The proxy event that a request becomes. */
export const eventOf = async (path: string, request: RequestInit = {}): Promise<APIGatewayProxyEvent> => {
  const base = await gatewayFor(echoEvent);
  return (await (await fetch(`${base}${path}`, request)).json()) as APIGatewayProxyEvent;
};

/** Sends path and headers just as they are given, the headers in pairs, which `fetch` does not. */
export const sendRaw = (
  url: string,
  headers: readonly string[],
  { method = 'GET', body }: { readonly method?: string; readonly body?: string | undefined } = {},
) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { origin, hostname, port } = new URL(url);
    const target = { hostname, port, path: url.slice(origin.length), method, headers: [...headers] };
    const sent = httpRequest(target, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject).end(body);
  });
