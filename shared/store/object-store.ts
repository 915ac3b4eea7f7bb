import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { signedRequests } from './signed-requests.ts';

/** Where large bodies lie. An object is written once, under a key that is never used again. */
export interface ObjectStore {
  /** Which bucket it is. */
  readonly at: ObjectStoreOptions;
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
 * Amazon S3, by the three verbs that bodies need.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export const s3ObjectStore = (client: DynamoDBDocumentClient, options: ObjectStoreOptions): ObjectStore => {
  const ask = s3Requests(client, options);
  return {
    at: options,
    put: async (key, body, until) => void (await ask({ method: 'PUT', key, body, until })),
    get: (key) => ask({ method: 'GET', key }),
    delete: async (key) => void (await ask({ method: 'DELETE', key })),
  };
};

export interface ObjectRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** No attempt is begun behind this instant, in milliseconds since 1970. */
  readonly until?: number;
  /** Time that an attempt may take. */
  readonly timeoutMs?: number;
}

/**
 * Requests for objects of a bucket, tried again where that may help.
 *
 * @returns the bytes of the answer. Throws like ObjectStore.
 */
export const s3Requests = (
  client: DynamoDBDocumentClient,
  options: ObjectStoreOptions,
): ((request: ObjectRequest) => Promise<Buffer>) => {
  const send = signedRequests(client, 's3');
  return async ({ key, headers, until = Number.POSITIVE_INFINITY, ...asked }) => {
    const url = urlOf(key, options, await client.config.region());
    const sent = { ...headers, ...(asked.body ? { 'content-type': 'application/octet-stream' } : {}) };
    for (let attempt = 1; ; attempt++) {
      if (Date.now() > until) {
        throw new RecordError('conflict', 'The upload took too long and was given up');
      }
      // Whatever goes wrong on the way may be tried again: each verb, repeated, does the same.
      const { statusCode, bytes } = await send({ timeoutMs: attemptMs, ...asked, url, headers: sent });
      if (statusCode >= 200 && statusCode < 300) return bytes;
      const reason = reasonIn(bytes) ?? (statusCode === 0 ? 'NoAnswer' : `Status${statusCode}`);
      if (!mayPass(statusCode, reason)) throw new ObjectStoreError(reason);
      if (attempt === attempts) throw statusCode === 503 ? throttled() : new ObjectStoreError(reason);
      await pause(Math.random() * firstPauseMs * 4 ** attempt);
    }
  };
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const reasonIn = (bytes: Buffer): string | undefined =>
  /<Code>(\w{1,60})<\/Code>/.exec(bytes.toString('utf8', 0, 1_000))?.[1];

/** The second is what a conditional write meets beside another one. */
const passing = ['RequestTimeout', 'ConditionalRequestConflict'];
const mayPass = (statusCode: number, reason: string): boolean =>
  statusCode === 0 || statusCode >= 500 || statusCode === 429 || passing.includes(reason);

const throttled = () =>
  new RecordError('throttled', 'The store is busy; try again', { headers: { 'Retry-After': '1' } });

/** The bucket is part of the name of the region's own service, and of the path where another endpoint is set. */
export const urlOf = (key: string, { bucket, endpoint }: ObjectStoreOptions, region: string): URL => {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const other = endpoint ?? (AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL);
  return new URL(
    other ? `${other.replace(/\/$/, '')}/${bucket}/${path}` : `https://${bucket}.s3.${region}.amazonaws.com/${path}`,
  );
};
