import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type KeyOptions, KeyServiceError, keyService } from './key-service.ts';

/** What a secret belongs to. It is not secret itself: KMS writes it into its log, and opens a secret only to who names it. */
export type SecretContext = Readonly<Record<string, string>>;

/** Encrypts short secrets by a key that never leaves where it is kept. */
export interface SecretsKey {
  /**
   * @param secret - at most 4,096 bytes of UTF-8, and one at least.
   * @returns base 64.
   * @throws KeyServiceError.
   */
  encrypt(secret: string, context: SecretContext): Promise<string>;
  /** @throws KeyServiceError, `KeyServiceInvalidCiphertextException` where the context is another one, or it was altered. */
  decrypt(sealed: string, context: SecretContext): Promise<string>;
}

/**
 * A symmetric key of AWS KMS.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
 */
export const kmsSecretsKey = (client: DynamoDBDocumentClient, options: KeyOptions): SecretsKey => {
  const ask = keyService(client, options);
  return {
    encrypt: async (secret, context) => {
      const Plaintext = Buffer.from(secret, 'utf8').toString('base64');
      const { CiphertextBlob } = await ask('Encrypt', { Plaintext, EncryptionContext: context });
      if (typeof CiphertextBlob !== 'string') throw new KeyServiceError('NoCiphertext');
      return CiphertextBlob;
    },
    decrypt: async (sealed, context) => {
      const { Plaintext } = await ask('Decrypt', { CiphertextBlob: sealed, EncryptionContext: context });
      if (typeof Plaintext !== 'string') throw new KeyServiceError('NoPlaintext');
      return Buffer.from(Plaintext, 'base64').toString('utf8');
    },
  };
};
