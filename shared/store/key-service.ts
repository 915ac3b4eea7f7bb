import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { signedRequests } from './signed-requests.ts';

/** The key service could not do what was asked. The name says why in its own words, such as `KeyServiceNotFoundException`. */
export class KeyServiceError extends Error {
  override readonly name: string;
  constructor(reason: string) {
    super(`The key service answered ${reason}`);
    this.name = `KeyService${reason}`;
  }
}

/** Which key of which service. */
export interface KeyOptions {
  /** Id, ARN or alias. */
  readonly keyId: string;
  /** Of another service than the region's own, such as a stand-in; what the environment says if absent. */
  readonly endpoint?: string | undefined;
}

/**
 * Asks AWS KMS, by the name of an operation and its input.
 *
 * @throws KeyServiceError once it has refused, or has not answered in four attempts.
 */
export type AskKeyService = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

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
 * AWS KMS, asked with the credentials and connections of the DynamoDB client, about one key.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */
export const keyService = (client: DynamoDBDocumentClient, { keyId, endpoint }: KeyOptions): AskKeyService => {
  const send = signedRequests(client, 'kms');
  return async (operation, input) => {
    const url = await urlOf(client, endpoint);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    const body = Buffer.from(JSON.stringify({ KeyId: keyId, ...input }));
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
};

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
