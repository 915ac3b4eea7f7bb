import { createHash, createPrivateKey, generateKeyPair, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** The key of a user pool: signs its tokens, and says how to check them. */
export interface SigningKey {
  /** JSON Web Key Set with the public key. https://www.rfc-editor.org/rfc/rfc7517 */
  readonly jwks: { readonly keys: readonly PublicKey[] };
  /** A signed token with these claims. https://www.rfc-editor.org/rfc/rfc7519 */
  readonly signToken: (claims: Readonly<Record<string, unknown>>) => string;
}

interface PublicKey {
  readonly kty: string;
  readonly n: string;
  readonly e: string;
  readonly kid: string;
  readonly alg: 'RS256';
  readonly use: 'sig';
}

/** Reads the key from a file, or makes one there: tokens outlive a restart. */
export const openSigningKey = async (file: string): Promise<SigningKey> => {
  const known = readJsonFile(file);
  if (known !== undefined) return signingKey(createPrivateKey({ key: known as JsonWebKey, format: 'jwk' }));
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  writeJsonFile(file, privateKey.export({ format: 'jwk' }));
  return signingKey(privateKey);
};

const signingKey = (privateKey: KeyObject): SigningKey => {
  const { n = '', e = '' } = privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(n).digest('base64');
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return {
    jwks: { keys: [{ kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' }] },
    signToken: (claims) => {
      const signed = `${encode({ kid, alg: 'RS256' })}.${encode(claims)}`;
      return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
};
