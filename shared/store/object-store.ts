import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { RecordError } from '../errors.ts';

/** Where large bodies lie. An object is written once, under a key that is never used again. */
export interface ObjectStore {
  /**
   * @param until - no attempt is begun behind this instant, in milliseconds since 1970.
   * @throws RecordError `throttled`, or `conflict` once the time is over; ObjectStoreError.
   */
  put(key: string, bytes: Uint8Array, until: number): Promise<void>;
  /** @throws RecordError `throttled`; ObjectStoreError, also if there is no such object. */
  get(key: string): Promise<Uint8Array>;
  /** Done also if there is no such object. Throws like `get`. */
  delete(key: string): Promise<void>;
}

/** The object store could not do what was asked. The name says why in its own words, such as `ObjectStoreNoSuchKey`, and no key is in it. */
export class ObjectStoreError extends Error {
  override readonly name: string;
  constructor(reason: string) {
    super(`The object store answered ${reason}`);
    this.name = `ObjectStore${reason}`;
  }
}

export interface ObjectStoreOptions {
  readonly bucket: string;
  /** Of another service than the region's own, such as a stand-in; what the environment says if absent. */
  readonly endpoint?: string | undefined;
}

const attempts = 4;
/** Time that an attempt may take, milliseconds. An object has 4 MB at most, and API Gateway waits 29 seconds for all of them. */
const attemptMs = 5_000;
const firstPauseMs = 50;

/**
 * Amazon S3, by the three verbs that bodies need. `@aws-sdk/client-s3` would add 170 KB to each function; this signs with the signer that
 * the DynamoDB client brings, and shares its credentials, region and connections. Nothing happens before the first call.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export const s3ObjectStore = ({ config }: DynamoDBDocumentClient, options: ObjectStoreOptions): ObjectStore => {
  const { credentials, region, sha256 } = config;
  let signer: SignatureV4 | undefined;

  const send = async (method: string, key: string, body?: Uint8Array): Promise<Answer> => {
    signer ??= new SignatureV4({ credentials, region, sha256, service: 's3', uriEscapePath: false });
    const url = urlOf(key, options, await region());
    const request = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: url.pathname,
      query: {},
      headers: {
        host: url.host,
        ...(body ? { 'content-length': String(body.length), 'content-type': 'application/octet-stream' } : {}),
      },
      ...(body ? { body } : {}),
    });
    // Whatever goes wrong on the way may be tried again: each verb, repeated, does the same.
    try {
      // Also ends the reading of an answer that has begun.
      const abortSignal = AbortSignal.timeout(attemptMs);
      const { response } = await config.requestHandler.handle(request as never, { abortSignal });
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return { statusCode: response.statusCode, bytes: Buffer.concat(chunks) };
    } catch {
      return { statusCode: 0, bytes: Buffer.of() };
    }
  };

  const done = async (method: string, key: string, body?: Uint8Array, until = Number.POSITIVE_INFINITY) => {
    for (let attempt = 1; ; attempt++) {
      if (Date.now() > until) {
        throw new RecordError('conflict', 'The upload took too long and was given up');
      }
      const { statusCode, bytes } = await send(method, key, body);
      if (statusCode >= 200 && statusCode < 300) return bytes;
      const reason = reasonIn(bytes) ?? (statusCode === 0 ? 'NoAnswer' : `Status${statusCode}`);
      if (!mayPass(statusCode, reason)) throw new ObjectStoreError(reason);
      if (attempt === attempts) throw statusCode === 503 ? throttled() : new ObjectStoreError(reason);
      await pause(Math.random() * firstPauseMs * 4 ** attempt);
    }
  };

  return {
    put: async (key, bytes, until) => void (await done('PUT', key, bytes, until)),
    get: (key) => done('GET', key),
    delete: async (key) => void (await done('DELETE', key)),
  };
};

interface Answer {
  /** 0 where none came. */
  readonly statusCode: number;
  readonly bytes: Buffer;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const reasonIn = (bytes: Buffer): string | undefined =>
  /<Code>(\w{1,60})<\/Code>/.exec(bytes.toString('utf8', 0, 1_000))?.[1];

const mayPass = (statusCode: number, reason: string): boolean =>
  statusCode === 0 || statusCode >= 500 || statusCode === 429 || reason === 'RequestTimeout';

const throttled = () =>
  new RecordError('throttled', 'The store is busy; try again', { headers: { 'Retry-After': '1' } });

/** The bucket is part of the name of the region's own service, and of the path where another endpoint is set. */
const urlOf = (key: string, { bucket, endpoint }: ObjectStoreOptions, region: string): URL => {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const other = endpoint ?? (AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL);
  return new URL(
    other ? `${other.replace(/\/$/, '')}/${bucket}/${path}` : `https://${bucket}.s3.${region}.amazonaws.com/${path}`,
  );
};
