import { describe, expect, it } from 'vitest';
import type { Json } from '../../shared/openapi/schema.ts';
import { sharedConcord } from '../support/concord.ts';
import { document, faults, operationsIn, resolved } from '../support/openapi-document.ts';

/** Types of every kind: of patients, of the directory, read alone, with operations and compartments, served alike. Others differ from these in name. */
const tags = new Set([
  'System',
  'Patient',
  'Encounter',
  'Observation',
  'DocumentReference',
  'Composition',
  'Practitioner',
  'AuditEvent',
  'ValueSet',
  'CodeSystem',
  'Other types',
]);

const chosen = operationsIn(document).filter(({ operation }) => operation.tags.some((tag) => tags.has(tag)));
const oneOfEachOther = operationsIn(document).filter(
  ({ path, method, operation }) =>
    method === 'get' && /^\/fhir\/\w+\/\{id\}$/.test(path) && !operation.tags.some((tag) => tags.has(tag)),
);

const isSignOut = ({ path }: { readonly path: string }) => path.endsWith('/$sign-out');

const addressOf = (path: string): string =>
  path
    .replace('/fhir/{type}', '/fhir/Account')
    .replace('{type}', 'Observation')
    .replace('{service}', 'patient-view')
    .replace('{version}', '1')
    .replace('{id}', 'nobody')
    .replace('{file}', 'viewer.js');

/** Reasons that mean: there is no such route. */
const noRoute = new Set(['no-such-path', 'no-such-type', 'unknown-path', 'method-not-allowed']);

describe('what the OpenAPI document describes', () => {
  it('is served, and answered as it says', async () => {
    const { port, token } = await sharedConcord();
    const authorization = `Bearer ${await token('physician@northside.example')}`;
    const wrong: string[] = [];
    const statuses = new Map<string, number>();
    // Who has signed out is refused within a minute, and a slow machine takes as long for all of these.
    const asked = [...chosen, ...oneOfEachOther].sort((a, b) => Number(isSignOut(a)) - Number(isSignOut(b)));
    for (const { path, method, operation } of asked) {
      const place = `${method} ${path}`;
      const body = resolved(operation.requestBody ?? {})['content'] as
        | Record<string, { example?: unknown }>
        | undefined;
      const [type, { example } = {}] = Object.entries(body ?? {})[0] ?? [];
      const response = await fetch(`http://127.0.0.1:${port}${addressOf(path)}`, {
        method: method.toUpperCase(),
        headers: {
          ...(operation.security === undefined ? { authorization } : {}),
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        ...(type === undefined
          ? {}
          : {
              body: type.endsWith('json') ? JSON.stringify(example) : new URLSearchParams(example as never).toString(),
            }),
      });
      statuses.set(place, response.status);
      const text = await response.text();
      const told = operation.responses[response.status] ?? operation.responses['default'];
      if (told === undefined) {
        wrong.push(`${place}: ${response.status} is not told`);
        continue;
      }
      const content = resolved(told)['content'] as Record<string, { schema: Json }> | undefined;
      const sent = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
      const { schema } = content?.[sent] ?? content?.['*/*'] ?? {};
      if (text !== '' && schema === undefined) wrong.push(`${place}: ${response.status} ${sent} is not told`);
      const answer: unknown = sent.endsWith('json') && text !== '' ? JSON.parse(text) : text;
      if (schema !== undefined && text !== '')
        wrong.push(...faults(schema, answer).map((fault) => `${place}: ${fault}`));
      const { issue } = answer as Partial<fhir4.OperationOutcome>;
      const reason = issue?.[0]?.details?.coding?.[0]?.code ?? '';
      if (noRoute.has(reason) || response.status === 405 || response.status === 500)
        wrong.push(`${place}: ${response.status} ${reason}`);
    }

    expect(wrong).toEqual([]);
    expect(statuses.size).toBeGreaterThan(250);
    expect(statuses.get('post /fhir/Patient')).toBe(201);
    expect(statuses.get('get /fhir/Patient')).toBe(200);
    expect(statuses.get('get /fhir/Patient/{id}')).toBe(404);
    expect(statuses.get('post /fhir')).toBe(200);
  });
});
