import type { ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { largestPayload } from './lambda.ts';

const headerValue = z.union([z.string(), z.number(), z.boolean()]);

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format */
const resultSchema = z.object({
  statusCode: z.int().check(z.gte(100), z.lte(599)),
  headers: z.nullish(z.record(z.string(), headerValue)),
  multiValueHeaders: z.nullish(z.record(z.string(), z.array(headerValue))),
  body: z.nullish(z.string()),
  isBase64Encoded: z.nullish(z.boolean()),
});

/** An answer ready to be sent. */
export interface GatewayAnswer {
  readonly statusCode: number;
  readonly headers: readonly (readonly [name: string, values: string[]])[];
  readonly body: Buffer;
}

/**
 * Headers that the gateway keeps for itself: what a function sets arrives at the client under another name.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
const remapped = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'host',
  'server',
  'upgrade',
  'user-agent',
  'via',
  'warning',
  'www-authenticate',
]);
const dropped = new Set(['transfer-encoding', 'trailer', 'te', 'keep-alive']);

/** Reads what a function returned. Undefined if the gateway would answer 502: not of the right form, or too large. */
export const readProxyResult = (result: unknown): GatewayAnswer | undefined => {
  const parsed = resultSchema.safeParse(result);
  if (!parsed.success) return undefined;
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = parsed.data;
  // The size of the body alone rules most answers in without making the JSON of all of it.
  const text = body ?? '';
  if (text.length * 6 > largestPayload && Buffer.byteLength(JSON.stringify(result)) > largestPayload) return undefined;
  return {
    statusCode,
    headers: mergeHeaders(headers ?? {}, multiValueHeaders ?? {}),
    body: Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8'),
  };
};

type HeaderValue = z.infer<typeof headerValue>;

const mergeHeaders = (
  single: Record<string, HeaderValue>,
  multi: Record<string, HeaderValue[]>,
): GatewayAnswer['headers'] => {
  const merged = new Map<string, { name: string; values: string[] }>();
  const all: [string, HeaderValue[]][] = [
    ...Object.entries(multi),
    ...Object.entries(single).map(([name, value]): [string, HeaderValue[]] => [name, [value]]),
  ];
  for (const [name, values] of all) {
    const key = name.toLowerCase();
    if (dropped.has(key)) continue;
    const known = merged.get(key) ?? { name: remapped.has(key) ? `x-amzn-Remapped-${name}` : name, values: [] };
    merged.set(key, known);
    for (const value of values.map(String)) if (!known.values.includes(value)) known.values.push(value);
  }
  if (!merged.has('content-type')) merged.set('content-type', { name: 'Content-Type', values: ['application/json'] });
  return [...merged.values()].map(({ name, values }) => [name, values]);
};

/** Sends an answer; a HEAD request gets its headers only. Throws TypeError if a header has characters that HTTP does not allow. */
export const sendAnswer = (response: ServerResponse, answer: GatewayAnswer, requestId: string) => {
  for (const [name, values] of answer.headers)
    response.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
  response.setHeader('x-amzn-RequestId', requestId);
  const bodiless = answer.statusCode === 204 || answer.statusCode === 304;
  if (!bodiless) response.setHeader('Content-Length', answer.body.length);
  response.writeHead(answer.statusCode);
  response.end(bodiless ? undefined : answer.body);
};
