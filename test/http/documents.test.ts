import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { importHandler } from '../../infra/local/lambda.ts';
import { routes } from '../../infra/routes.ts';
import { serveDescription } from '../../shared/http/serve-description.ts';
import { viewerScript } from '../../shared/openapi/viewer-page.ts';
import { gatewayFor } from '../support/local-gateway.ts';

const gateway = () => gatewayFor(() => undefined, { routes, load: importHandler });

const typeOf = (response: Response) => response.headers.get('content-type');

describe('GET /openapi.json', () => {
  it('needs no token and names the server that was asked', async () => {
    const base = await gateway();

    const response = await fetch(`${base}/openapi.json`);
    const body = (await response.json()) as { openapi: string; servers: unknown };

    expect(response.status).toBe(200);
    expect(typeOf(response)).toBe('application/json; charset=utf-8');
    expect(body).toMatchObject({ openapi: '3.1.1', servers: [{ url: base }] });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('is sent once to a client that keeps it', async () => {
    const base = await gateway();
    const etag = (await fetch(`${base}/openapi.json`)).headers.get('etag') ?? '';

    const again = await fetch(`${base}/openapi.json`, { headers: { 'if-none-match': etag } });

    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect(again.status).toBe(304);
    expect(again.headers.get('etag')).toBe(etag);
    expect(await again.text()).toBe('');
    expect((await fetch(`${base}/openapi.json`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('is packed for whoever can unpack it, and for nobody else', async () => {
    const base = await gateway();
    const sized = async (encoding: string) => {
      const response = await fetch(`${base}/openapi.json`, {
        method: 'HEAD',
        headers: { 'accept-encoding': encoding },
      });
      return [response.headers.get('content-encoding'), response.headers.get('vary')];
    };

    expect(await sized('gzip, br')).toEqual(['gzip', 'Accept-Encoding']);
    expect(await sized('identity')).toEqual([null, 'Accept-Encoding']);
    expect(await sized('gzip;q=0')).toEqual([null, 'Accept-Encoding']);
    const plain = await fetch(`${base}/openapi.json?tag=Patient`, { headers: { 'accept-encoding': 'identity' } });
    expect(await plain.json()).toMatchObject({ tags: [{ name: 'Patient' }] });
  });

  it('gives one heading of it, and 404 for one that it does not have', async () => {
    const base = await gateway();

    const part = (await (await fetch(`${base}/openapi.json?tag=Encounter`)).json()) as { paths: object };
    const none = await fetch(`${base}/openapi.json?tag=Nothing`);

    expect(Object.keys(part.paths)).toContain('/fhir/Encounter/{id}/$everything');
    expect(Object.keys(part.paths).filter((path) => !path.startsWith('/fhir/Encounter'))).toEqual([]);
    expect(none.status).toBe(404);
    expect(await none.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ expression: ['tag'] }] });
  });

  it('knows the stage of a deployment', async () => {
    const handler = serveDescription() as unknown as (
      event: Partial<APIGatewayProxyEvent>,
      context: Context,
    ) => Promise<APIGatewayProxyResult>;
    const asked = async (path: string) => {
      const { body } = await handler(
        {
          path,
          httpMethod: 'GET',
          headers: { Host: 'abc.execute-api.eu-west-1.amazonaws.com', 'X-Forwarded-Proto': 'https' },
          requestContext: { path: `/api${path}`, requestId: 'r' } as APIGatewayProxyEvent['requestContext'],
        },
        {} as Context,
      );
      return Buffer.from(body, 'base64').toString();
    };

    expect(JSON.parse(await asked('/openapi.json'))).toMatchObject({
      servers: [{ url: 'https://abc.execute-api.eu-west-1.amazonaws.com/api' }],
    });
    expect(await asked('/')).toContain('src="/api/docs/viewer.js"');
  });
});

describe('GET /', () => {
  it('is a page with a box for a token and a list of all that is served', async () => {
    const response = await fetch(`${await gateway()}/`);
    const page = await response.text();

    expect(response.status).toBe(200);
    expect(typeOf(response)).toBe('text/html; charset=utf-8');
    expect(page).toContain('<input id="token" type="password"');
    for (const name of ['System', 'Patient', 'ValueSet', 'Other types']) expect(page).toContain(`>${name}</a></li>`);
    expect(page.match(/<li>/g)?.length).toBeGreaterThan(58);
  });

  it('asks no other host, and its browser is told not to', async () => {
    const base = await gateway();
    const response = await fetch(`${base}/`);
    const page = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    const loaded = [...page.matchAll(/(?:src|href|data-document)="([^"#]+)"/g)].map(([, address = '']) => address);

    expect(loaded.filter((address) => !/^(?:\/(?!\/)|data:,$)/.test(address))).toEqual([]);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(page).not.toMatch(/<script(?! src="\/docs\/)/);
    expect(page).not.toMatch(/ on\w+=/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('finds all that it loads, packed', async () => {
    const base = await gateway();
    const page = await (await fetch(`${base}/`)).text();
    const loaded = [...page.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(([, address = '']) => address);

    for (const address of loaded) {
      const response = await fetch(`${base}${address}`);
      expect(response.status, address).toBe(200);
      expect(response.headers.get('content-encoding'), address).toBe('gzip');
      expect(typeOf(response), address).toMatch(address.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
      expect((await response.text()).length, address).toBeGreaterThan(100);
    }
    expect(loaded).toEqual([
      '/docs/swagger-ui.css',
      '/docs/viewer.css',
      '/docs/swagger-ui-bundle.js',
      '/docs/viewer.js',
    ]);
  });

  it('comes with the licenses that its script names', async () => {
    const response = await fetch(`${await gateway()}/docs/swagger-ui-bundle.js.LICENSE.txt`);

    expect([response.status, typeOf(response)]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(await response.text()).toContain('@license');
  });

  it('keeps the token in the page, and validates nowhere', async () => {
    const script = await (await fetch(`${await gateway()}/docs/viewer.js`)).text();

    expect(script).toContain('validatorUrl: null');
    expect(script).toContain("request.headers.Authorization = 'Bearer ' + value");
    expect(script).not.toMatch(/localStorage|sessionStorage|cookie|https?:/);
  });

  it('weighs less than Lambda may answer with', async () => {
    const response = await fetch(`${await gateway()}/docs/swagger-ui-bundle.js`, { method: 'GET' });
    const { script } = await import('../../shared/openapi/viewer.data.ts');

    expect(response.status).toBe(200);
    expect(script.length).toBeLessThan(1_000_000);
    expect(gunzipSync(Buffer.from(script, 'base64')).toString()).toContain('SwaggerUIBundle');
  });
});

describe('the script of the page', () => {
  /** Runs it as a browser would, with as much of a page as it asks for. */
  const openedAt = (hash: string): string => {
    let url = '';
    const node = { dataset: { document: '/openapi.json' }, addEventListener: () => undefined };
    const link = (textContent: string) => ({ textContent, toggleAttribute: () => undefined });
    const page = {
      document: { getElementById: () => node, querySelectorAll: () => [link('System'), link('Patient')] },
      location: { hash },
      addEventListener: () => undefined,
      SwaggerUIBundle: (options: { readonly url: string }) => {
        url = options.url;
      },
    };
    runInNewContext(viewerScript, page);
    return url;
  };

  it('shows what the address names, and the first where it names nothing or has a broken escape', () => {
    expect(openedAt('#Patient')).toBe('/openapi.json?tag=Patient');
    expect(openedAt('#Other%20types')).toBe('/openapi.json?tag=Other%20types');
    expect(openedAt('')).toBe('/openapi.json?tag=System');
    expect(openedAt('#%')).toBe('/openapi.json?tag=System');
  });
});

describe('documents', () => {
  it('are only to be read', async () => {
    const base = await gateway();

    for (const path of ['/', '/openapi.json', '/docs/viewer.js']) {
      const response = await fetch(`${base}${path}`, { method: 'POST', body: '{}' });
      expect([response.status, response.headers.get('allow')], path).toEqual([405, 'GET, HEAD']);
      const head = await fetch(`${base}${path}`, { method: 'HEAD' });
      expect([head.status, await head.text()], path).toEqual([200, '']);
    }
  });

  it('are those that there are', async () => {
    const response = await fetch(`${await gateway()}/docs/..%2F..%2Fpackage.json`);

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] });
  });
});
