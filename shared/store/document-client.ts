import { hash } from 'node:crypto';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { hmacWith } from './hmac.ts';

/** SHA-256 as the signing of requests uses it; with a secret, HMAC. */
class SigningHash {
  readonly #digest: (...parts: readonly Uint8Array[]) => Buffer;
  #parts: Uint8Array[] = [];

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest = secret === undefined ? hashOf : hmacWith(bytesOf(secret));
  }

  update(data: Uint8Array): void {
    this.#parts.push(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#digest(...this.#parts);
  }

  reset(): void {
    this.#parts = [];
  }
}

const hashOf = (...parts: readonly Uint8Array[]) =>
  hash('sha256', parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), 'buffer');

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/**
 * Steps of the SDK for each call that are left out. The logger would show patients' data; even without one it walks through every row. The next
 * names the SDK and the process, which CloudTrail tells by the role, and the last tells Lambda which call of a function led to which: DynamoDB
 * calls none in turn. Each is looked at anew for every call.
 */
const leftOut = ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'];

/** The document client as every function uses it: DynamoDB knows no `undefined`. */
export const documentClient = (config: Pick<DynamoDBClientConfig, 'endpoint'> = {}): DynamoDBDocumentClient => {
  const client = new DynamoDBClient({ ...config, sha256: SigningHash });
  for (const step of leftOut) client.middlewareStack.remove(step);
  // The SDK would make a signer for each call, of a copy of all that the client is configured with.
  const { credentials, region, sha256 } = client.config;
  const signer = new SignatureV4({ credentials, region, sha256, service: 'dynamodb' });
  client.config.signer = async () => signer;
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
};
