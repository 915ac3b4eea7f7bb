import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type KeyOptions, KeyServiceError, keyService } from '../../store/key-service.ts';

/** Authenticates messages of at most 4,096 bytes with a key that never leaves where it is kept. */
export interface MacKey {
  /** HMAC-SHA-256, in base 64. @throws KeyServiceError. */
  generate(message: Uint8Array): Promise<string>;
  /** Whether the key has made this of the message. @throws KeyServiceError. */
  verify(message: Uint8Array, mac: string): Promise<boolean>;
}

/**
 * A key of AWS KMS for HMAC.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
 */
export const kmsMacKey = (client: DynamoDBDocumentClient, options: KeyOptions): MacKey => {
  const service = keyService(client, options);
  const ask: typeof service = (operation, input) => service(operation, { MacAlgorithm: 'HMAC_SHA_256', ...input });
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
