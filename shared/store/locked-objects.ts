import { createHash } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ObjectStoreError, type ObjectStoreOptions, s3Requests } from './object-store.ts';

/** A bucket under Object Lock, whose policy lets an object be written once and never removed. */
export interface LockedObjects {
  /**
   * @returns false if there is an object of this name, which stays as it is: perhaps by an attempt of this very call.
   * @throws RecordError `throttled`; ObjectStoreError.
   */
  putOnce(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Undefined if there is no such object. Throws likewise. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Names that begin so and come behind another one, in the order of their bytes. Throws likewise. */
  names(prefix: string, after: string): Promise<string[]>;
}

/**
 * The bucket itself says for how long an object is locked. A checksum is asked of whoever writes into such a bucket. Names that are listed have no letter that XML would write otherwise.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export const lockedObjects = (client: DynamoDBDocumentClient, options: ObjectStoreOptions): LockedObjects => {
  const ask = s3Requests(client, options);
  return {
    putOnce: async (key, body) => {
      const headers = { 'if-none-match': '*', 'content-md5': createHash('md5').update(body).digest('base64') };
      try {
        await ask({ method: 'PUT', key, body, headers });
        return true;
      } catch (error) {
        if (isCalled(error, 'PreconditionFailed')) return false;
        throw error;
      }
    },
    get: async (key) => {
      try {
        return await ask({ method: 'GET', key });
      } catch (error) {
        if (isCalled(error, 'NoSuchKey')) return undefined;
        throw error;
      }
    },
    names: async (prefix, after) => {
      const found: string[] = [];
      for (;;) {
        const query = { 'list-type': '2', prefix, 'start-after': found.at(-1) ?? after };
        const page = (await ask({ method: 'GET', key: '', query })).toString('utf8');
        for (const [, name = ''] of page.matchAll(/<Key>([^<]*)<\/Key>/g)) found.push(name);
        if (!page.includes('<IsTruncated>true</IsTruncated>')) return found;
      }
    },
  };
};

const isCalled = (error: unknown, reason: string): boolean =>
  error instanceof ObjectStoreError && error.name === new ObjectStoreError(reason).name;
