import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type JsonService, ServiceError } from './aws-services.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** A stand-in of AWS KMS with one key, for HMAC-SHA-256: GenerateMac and VerifyMac, with what KMS refuses of them. */
export interface LocalKeyService {
  readonly service: JsonService;
  readonly keyId: string;
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html */
const longestMessage = 4_096;

/** @param file - keeps the key. */
export const openKeyService = (file: string): LocalKeyService => {
  const secret = Buffer.from(keyIn(file), 'base64');
  const keyId = 'alias/concord-digests';

  const macOf = (input: Readonly<Record<string, unknown>>): Buffer => {
    const { KeyId, MacAlgorithm } = input;
    if (KeyId !== keyId) throw new ServiceError('NotFoundException', 'There is no such key');
    if (MacAlgorithm !== 'HMAC_SHA_256') {
      throw new ServiceError('InvalidKeyUsageException', 'The key is one for HMAC_SHA_256');
    }
    const message = bytesIn(input, 'Message');
    if (message.length === 0 || message.length > longestMessage) {
      throw new ServiceError('ValidationException', `A message has 1 to ${longestMessage} bytes`);
    }
    return createHmac('sha256', secret).update(message).digest();
  };

  return {
    keyId,
    service: {
      target: 'TrentService',
      operations: {
        GenerateMac: (input) => ({
          KeyId: keyId,
          MacAlgorithm: 'HMAC_SHA_256',
          Mac: macOf(input).toString('base64'),
        }),
        VerifyMac: (input) => {
          const [mac, sent] = [macOf(input), bytesIn(input, 'Mac')];
          if (mac.length !== sent.length || !timingSafeEqual(mac, sent)) {
            throw new ServiceError('KMSInvalidMacException', 'The code was not made of this message by this key');
          }
          return { KeyId: keyId, MacAlgorithm: 'HMAC_SHA_256', MacValid: true };
        },
      },
    },
  };
};

const keyIn = (file: string): string => {
  const known = readJsonFile(file);
  if (typeof known === 'string') return known;
  const made = randomBytes(32).toString('base64');
  writeJsonFile(file, made);
  return made;
};

const bytesIn = (input: Readonly<Record<string, unknown>>, name: string): Buffer => {
  const value = input[name];
  if (typeof value !== 'string') throw new ServiceError('ValidationException', `${name} is missing`);
  return Buffer.from(value, 'base64');
};
