import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type JsonService, ServiceError } from './aws-services.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/**
 * A stand-in of AWS KMS with two keys, each for what it is for: one authenticates (GenerateMac and VerifyMac), one encrypts (Encrypt and Decrypt); with
 * what KMS refuses of them.
 */
export interface LocalKeyService {
  readonly service: JsonService;
  /** For HMAC-SHA-256. */
  readonly digestKeyId: string;
  /** Symmetric. */
  readonly secretsKeyId: string;
}

type Input = Readonly<Record<string, unknown>>;

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
const longestMessage = 4_096;
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
const longestCiphertext = 6_144;

export const digestKeyId = 'alias/concord-digests';
export const secretsKeyId = 'alias/concord-secrets';

/** @param files - keep the keys. */
export const openKeyService = (files: { readonly digests: string; readonly secrets: string }): LocalKeyService => ({
  digestKeyId,
  secretsKeyId,
  service: {
    target: 'TrentService',
    operations: { ...authenticating(keyIn(files.digests)), ...encrypting(keyIn(files.secrets)) },
  },
});

const authenticating = (secret: Buffer): JsonService['operations'] => {
  const macOf = (input: Input): Buffer => {
    requireKey(input, digestKeyId);
    if (input['MacAlgorithm'] !== 'HMAC_SHA_256') throw notForThat('The key is one for HMAC_SHA_256');
    return createHmac('sha256', secret)
      .update(bytesIn(input, 'Message', longestMessage))
      .digest();
  };
  const told = { KeyId: digestKeyId, MacAlgorithm: 'HMAC_SHA_256' };
  return {
    GenerateMac: (input) => ({ ...told, Mac: macOf(input).toString('base64') }),
    VerifyMac: (input) => {
      const [mac, sent] = [macOf(input), bytesIn(input, 'Mac', longestCiphertext)];
      if (mac.length !== sent.length || !timingSafeEqual(mac, sent)) {
        throw new ServiceError('KMSInvalidMacException', 'The code was not made of this message by this key');
      }
      return { ...told, MacValid: true };
    },
  };
};

const [nonceBytes, tagBytes] = [12, 16];

const encrypting = (secret: Buffer): JsonService['operations'] => {
  const told = { KeyId: secretsKeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  const requireAlgorithm = ({ EncryptionAlgorithm = told.EncryptionAlgorithm }: Input): void => {
    if (EncryptionAlgorithm !== told.EncryptionAlgorithm) throw notForThat('The key is symmetric');
  };
  return {
    Encrypt: (input) => {
      requireKey(input, secretsKeyId);
      requireAlgorithm(input);
      const plaintext = bytesIn(input, 'Plaintext', longestMessage);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(contextIn(input));
      const blob = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      return { ...told, CiphertextBlob: blob.toString('base64') };
    },
    Decrypt: (input) => {
      // Of a symmetric key the ciphertext itself tells which it is.
      requireKey({ KeyId: secretsKeyId, ...input }, secretsKeyId);
      requireAlgorithm(input);
      const blob = bytesIn(input, 'CiphertextBlob', longestCiphertext);
      const context = contextIn(input);
      try {
        const tag = blob.subarray(-tagBytes);
        const decipher = createDecipheriv('aes-256-gcm', secret, blob.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        }).setAAD(context);
        decipher.setAuthTag(tag);
        const plaintext = [decipher.update(blob.subarray(nonceBytes, -tagBytes)), decipher.final()];
        return { ...told, Plaintext: Buffer.concat(plaintext).toString('base64') };
      } catch {
        throw new ServiceError('InvalidCiphertextException', 'It was altered, or encrypted by another key or context');
      }
    },
  };
};

const requireKey = ({ KeyId }: Input, expected: string): void => {
  if (KeyId === expected) return;
  if (typeof KeyId !== 'string' || KeyId === '') throw new ServiceError('ValidationException', 'KeyId is missing');
  if (KeyId !== digestKeyId && KeyId !== secretsKeyId)
    throw new ServiceError('NotFoundException', 'There is no such key');
  throw notForThat('The key is for something else');
};

const notForThat = (message: string) => new ServiceError('InvalidKeyUsageException', message);

const keyIn = (file: string): Buffer => {
  const known = readJsonFile(file);
  if (typeof known === 'string') return Buffer.from(known, 'base64');
  const made = randomBytes(32);
  writeJsonFile(file, made.toString('base64'));
  return made;
};

const bytesIn = (input: Input, name: string, longest: number): Buffer => {
  const value = input[name];
  if (typeof value !== 'string') throw new ServiceError('ValidationException', `${name} is missing`);
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === 0 || bytes.length > longest)
    throw new ServiceError('ValidationException', `${name} has 1 to ${longest} bytes`);
  return bytes;
};

/** The same bytes for the same pairs, in whatever order they are sent. */
const contextIn = ({ EncryptionContext = {} }: Input): Buffer => {
  const isMap =
    typeof EncryptionContext === 'object' && EncryptionContext !== null && !Array.isArray(EncryptionContext);
  const pairs = isMap ? Object.entries(EncryptionContext) : [];
  if (!isMap || pairs.some(([, value]) => typeof value !== 'string'))
    throw new ServiceError('SerializationException', 'An encryption context is a map of texts');
  return Buffer.from(JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));
};
