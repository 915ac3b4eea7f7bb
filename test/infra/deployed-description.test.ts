import { createRequire } from 'node:module';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { deployedFunctions } from '../support/deployed-functions.ts';
import { proxyEvent } from '../support/fhir-server.ts';

type Handler = (event: unknown, context: object) => Promise<APIGatewayProxyResult>;

const entry = 'functions/metadata.ts';

/** Asks the function as it is deployed, code and what lies beside it, behind a gateway with a stage. */
const asked = async (...paths: readonly string[]): Promise<Map<string, string>> => {
  const folder = (await deployedFunctions()).folderOf(entry);
  const { handler } = createRequire(import.meta.url)(path.join(folder, 'index.js')) as { handler: Handler };
  const answers = new Map<string, string>();
  for (const each of paths) {
    const url = `https://abc.execute-api.eu-central-1.amazonaws.com${each}`;
    const event = proxyEvent('GET', url, { 'accept-encoding': 'gzip' }, undefined);
    const requestContext = { ...event.requestContext, path: `/api${each}`, requestId: 'request' };
    const { statusCode, body, isBase64Encoded } = await handler({ ...event, path: each, requestContext }, {});
    expect(statusCode, each).toBe(200);
    answers.set(each, isBase64Encoded ? gunzipSync(Buffer.from(body, 'base64')).toString() : body);
  }
  return answers;
};

describe('the function that describes the server, as it is deployed', () => {
  it('has with it all that the page and the document are made of', async () => {
    const answers = await asked(
      '/',
      '/openapi.json',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
      '/docs/viewer.js',
      '/fhir/metadata',
    );

    expect(answers.get('/')).toContain('<script src="/api/docs/viewer.js">');
    expect(JSON.parse(answers.get('/openapi.json') ?? '')).toMatchObject({
      openapi: '3.1.1',
      servers: [{ url: 'https://abc.execute-api.eu-central-1.amazonaws.com/api' }],
      components: { schemas: { Patient: { properties: { birthDate: { $ref: '#/components/schemas/date' } } } } },
    });
    expect(answers.get('/docs/swagger-ui-bundle.js')).toContain('SwaggerUIBundle');
    expect(answers.get('/docs/swagger-ui.css')).toContain('.swagger-ui');
    expect(JSON.parse(answers.get('/fhir/metadata') ?? '')).toMatchObject({
      implementation: { url: 'https://abc.execute-api.eu-central-1.amazonaws.com/api/fhir' },
    });
  });
});
