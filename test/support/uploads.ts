import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { TestCaller } from './callers.ts';
import { type FhirServer, physician, type TestResponse } from './fhir-server.ts';
import { pathOf } from './records.ts';

// Uploads by signed addresses: docs/attachments.md.

export const clean = { GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND' };

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** Input of an operation. */
export const parametersOf = (entries: Readonly<Record<string, unknown>>) => ({
  resourceType: 'Parameters',
  parameter: Object.entries(entries).map(([name, value]) => ({
    name,
    ...(typeof value === 'number'
      ? { valuePositiveInt: value }
      : typeof value === 'object'
        ? { valueReference: value }
        : { valueString: value }),
  })),
});
/** Parameters of an answer by name, without their parts. */
export const values = ({ body }: Pick<TestResponse, 'body'>): Record<string, string> =>
  Object.fromEntries(
    ((body as unknown as fhir4.Parameters).parameter ?? []).flatMap(({ name, valueReference, ...rest }) => {
      const value: unknown = valueReference?.reference ?? Object.values(rest)[0];
      return [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const];
    }),
  );

/** What was announced, and what is to be done about it. */
export interface Begun {
  readonly ticket: string;
  /** `Binary/id`. */
  readonly binary: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Key of its object in quarantine. */
  readonly key: string;
}

export const announce = (server: FhirServer, over: Readonly<Record<string, unknown>>, as: TestCaller = physician) =>
  server.post('Binary/$upload', parametersOf(over), { as });

export const begin = async (
  server: FhirServer,
  content: Buffer,
  { as = physician, ...over }: { readonly as?: TestCaller; readonly [name: string]: unknown } = {},
): Promise<Begun> => {
  const answer = await announce(
    server,
    { contentType: 'application/pdf', size: content.length, sha256: sha256(content), ...over },
    as,
  );
  expect(answer.status, answer.text).toBe(200);
  return begunOf(answer);
};

export const begunOf = (answer: Pick<TestResponse, 'body'>): Begun => {
  const { upload: ticket = '', binary = '', url = '' } = values(answer);
  const parts = (answer.body as unknown as fhir4.Parameters).parameter?.filter(({ name }) => name === 'header') ?? [];
  const headers = Object.fromEntries(parts.map(({ part = [] }) => part.map(({ valueString }) => valueString ?? '')));
  return { ticket, binary, url, headers, key: new URL(url).pathname.split('/').slice(2).join('/') };
};
export const put = ({ url, headers }: Begun, body: Buffer) =>
  fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
export const complete = (server: FhirServer, { ticket }: Begun, as: TestCaller = physician) =>
  server.post('Binary/$complete', parametersOf({ upload: ticket }), { as });

/** Uploads content that a scanner has passed, and gives the path of its Binary. */
export const uploaded = async (
  server: FhirServer,
  content: Buffer,
  over: { readonly as?: TestCaller; readonly [name: string]: unknown } = {},
): Promise<string> => {
  const begun = await begin(server, content, over);
  expect((await put(begun, content)).status).toBe(200);
  await server.bucket.tag(begun.key, clean);
  const answer = await complete(server, begun, over.as);
  expect(answer.status, answer.text).toBe(201);
  return pathOf(answer.body);
};
