import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { signedRequests } from '../../store/signed-requests.ts';

/** Authenticates messages of at most 4,096 bytes with a key that never leaves where it is kept. */
export interface MacKey {
  /** HMAC-SHA-256, in base 64. @throws KeyServiceError. */
  generate(message: Uint8Array): Promise<string>;
  /** Whether the key has made this of the message. @throws KeyServiceError. */
  verify(message: Uint8Array, mac: string): Promise<boolean>;
}

/** The key service could not do what was asked. The name says why in its own words, such as `KeyServiceNotFoundException`. */
export class KeyServiceError extends Error {
  override readonly name: string;
  constructor(reason: string) {
    super(`The key service answered ${reason}`);
    this.name = `KeyService${reason}`;
  }
}

export interface MacKeyOptions {
  /** Id, ARN or alias of an HMAC key. */
  readonly keyId: string;
  /** Of another service than the region's own, such as a stand-in; what the environment says if absent. */
  readonly endpoint?: string | undefined;
}

const attempts = 4;
const attemptMs = 5_000;
const firstPauseMs = 50;
const passing = [
  'ThrottlingException',
  'DependencyTimeoutException',
  'KMSInternalException',
  'KeyUnavailableException',
];

/**
 * A key of AWS KMS.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
 */
export const kmsMacKey = (client: DynamoDBDocumentClient, { keyId, endpoint }: MacKeyOptions): MacKey => {
  const send = signedRequests(client, 'kms');
  const ask = async (operation: string, input: Readonly<Record<string, string>>) => {
    const url = await urlOf(client, endpoint);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    const body = Buffer.from(JSON.stringify({ KeyId: keyId, MacAlgorithm: 'HMAC_SHA_256', ...input }));
    for (let attempt = 1; ; attempt++) {
      const { statusCode, bytes } = await send({ method: 'POST', url, headers, body, timeoutMs: attemptMs });
      const answer = objectIn(bytes);
      if (statusCode === 200) return answer;
      const said = answer['__type'];
      const unsaid = statusCode === 0 ? 'NoAnswer' : `Status${statusCode}`;
      const reason = typeof said === 'string' ? said.replace(/^.*#/, '') : unsaid;
      const mayPass = statusCode === 0 || statusCode >= 500 || passing.includes(reason);
      if (!mayPass || attempt === attempts) throw new KeyServiceError(reason);
      await pause(Math.random() * firstPauseMs * 4 ** attempt);
    }
  };
  return {
    generate: async (message) => {
      const { Mac } = await ask('GenerateMac', { Message: base64(message) });
      if (typeof Mac !== 'string') throw new KeyServiceError('NoMac');
      return Mac;
    },
    verify: async (message, mac) => {
      try {
        return (await ask('VerifyMac', { Message: base64(message), Mac: mac }))['MacValid'] === true;
      } catch (error) {
        if (error instanceof KeyServiceError && error.name === 'KeyServiceKMSInvalidMacException') return false;
        throw error;
      }
    },
  };
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const objectIn = (bytes: Buffer): Readonly<Record<string, unknown>> => {
  try {
    const found: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof found === 'object' && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
};

const urlOf = async ({ config }: DynamoDBDocumentClient, endpoint: string | undefined): Promise<URL> => {
  const { AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL } = process.env;
  const other = endpoint ?? (AWS_ENDPOINT_URL_KMS || AWS_ENDPOINT_URL);
  return new URL(other || `https://kms.${await config.region()}.amazonaws.com/`);
};
