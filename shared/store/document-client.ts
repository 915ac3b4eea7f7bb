import { hash } from 'node:crypto';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
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
 * The document client as every function uses it: DynamoDB knows no `undefined`. Rows are patients' data, so the SDK's step that would show
 * each call to a logger is left out; even without a logger it walks through every row.
 */
export const documentClient = (config: Pick<DynamoDBClientConfig, 'endpoint'> = {}): DynamoDBDocumentClient => {
  const client = new DynamoDBClient({ ...config, sha256: SigningHash });
  client.middlewareStack.remove('loggerMiddleware');
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
};
