import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { type Route, routesOf } from '../../shared/http/routes.ts';
import { serveMetadata } from '../../shared/http/serve-metadata.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { type FhirServer, fhirServer, proxyEvent } from '../support/fhir-server.ts';
import { issuesOf } from '../support/records.ts';

// https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const types = [...recordTypes, ...otherRecordTypes];

/** One type without routes of its own, one of the function for the rest, and each that has some. */
const asked = types.filter(({ name }) => ['Condition', 'Library'].includes(name) || name in ownRoutes);

/** Paths that routes offer, with the methods of each. */
const offered = (routes: readonly Route[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const byPath = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    const written = path
      .join('/')
      .replace('{id}', 'some-id')
      .replace('{version}', '1')
      .replace('{type}', 'Observation');
    const known = byPath.get(written) ?? new Set<string>();
    byPath.set(written, known.add(method));
    if (method === 'GET') known.add('HEAD');
  }
  return byPath;
};

describe('a method that a path does not have', () => {
  it.each(asked.map((type) => [type.name, type] as const))('is told of by every path of %s', async (name, type) => {
    const paths = offered(routesOf(type, ownRoutes));
    expect(paths.size).toBeGreaterThan(1);

    for (const [path, allowed] of paths) {
      for (const method of methods.filter((each) => !allowed.has(each))) {
        const { status, headers, body } = await server.request(method, `${name}/${path}`);

        const which = `${method} ${name}/${path}`;
        if (type.readOnly && method !== 'GET' && method !== 'HEAD') {
          expect([status, issuesOf(body)[0]?.reason], which).toEqual([403, 'read-only-type']);
        } else {
          expect(status, which).toBe(405);
          expect(headers.allow?.split(', ').sort(), which).toEqual([...allowed].sort());
          expect(body.resourceType, which).toBe('OperationOutcome');
        }
      }
    }
  });

  it.each([
    ['', ['GET', 'HEAD', 'POST']],
    ['_search', ['POST']],
  ])('is told of by the base: /%s', async (path, allowed) => {
    for (const method of methods.filter((each) => !allowed.includes(each))) {
      const { status, headers } = await server.request(method, path);

      expect([status, headers.allow?.split(', ').sort()], method).toEqual([405, allowed]);
    }
  });

  it.each(['metadata', '.well-known/smart-configuration'])('is told of by %s', async (path) => {
    const handler = serveMetadata() as unknown as (
      event: APIGatewayProxyEvent,
      context: Context,
    ) => Promise<APIGatewayProxyResult>;
    for (const method of methods.filter((each) => each !== 'GET' && each !== 'HEAD')) {
      const { statusCode, headers } = await handler(proxyEvent(method, path, {}, undefined), {} as Context);

      expect([statusCode, headers?.Allow], method).toEqual([405, 'GET, HEAD']);
    }
  });
});

describe('a type that R4 does not have', () => {
  it.each(methods)('is told of by %s', async (method) => {
    for (const path of ['Patients', 'Patients/1', 'patient/1/_history', 'Resource', 'DomainResource/1', 'Bundle/x']) {
      const { status, body } = await server.request(method, path);

      expect([status, body.resourceType], path).toEqual([404, 'OperationOutcome']);
      expect(issuesOf(body)[0]?.reason, path).toBe('no-such-type');
    }
  });
});
