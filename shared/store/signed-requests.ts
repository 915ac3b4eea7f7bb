import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Time that an attempt may take, the reading of its answer included, milliseconds. */
  readonly timeoutMs: number;
}

export interface Answer {
  /** 0 where none came. */
  readonly statusCode: number;
  readonly bytes: Buffer;
}

/**
 * Sends requests to a service of AWS, signed by the signer that the DynamoDB client brings, and shares its credentials, region and connections: a client of the service's own
 * would add some 170 KB to a function. Nothing happens before the first call.
 *
 * @param service - such as `s3`.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export const signedRequests = (
  { config: { credentials, region, sha256, requestHandler } }: DynamoDBDocumentClient,
  service: string,
): ((request: SignedRequest) => Promise<Answer>) => {
  let signer: SignatureV4 | undefined;
  return async ({ method, url, query = {}, headers = {}, body, timeoutMs }) => {
    signer ??= new SignatureV4({ credentials, region, sha256, service, uriEscapePath: false });
    const request = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: url.pathname,
      query,
      headers: { host: url.host, ...headers, ...(body ? { 'content-length': String(body.length) } : {}) },
      ...(body ? { body } : {}),
    });
    try {
      // Also ends the reading of an answer that has begun.
      const abortSignal = AbortSignal.timeout(timeoutMs);
      const { response } = await requestHandler.handle(request as never, { abortSignal });
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return { statusCode: response.statusCode, bytes: Buffer.concat(chunks) };
    } catch {
      return { statusCode: 0, bytes: Buffer.of() };
    }
  };
};
