import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { RecordError } from '../errors.ts';

/** Pages are followed within a session; a link that lies about is worth nothing to who finds it. */
const validForMs = 24 * 3600_000;

/** Where a search goes on. The caller's subject is sealed in, so a link is of use to nobody else. */
export interface PagePosition {
  /** The search as it was understood, without the page itself. */
  readonly query: readonly (readonly [string, string])[];
  /** What the plan needs to go on; its own business. */
  readonly position: unknown;
}

interface Sealed extends PagePosition {
  readonly path: string;
  readonly subject: string;
  readonly expires: number;
}

/** Encrypts a position for a `next` link: positions hold keys, and keys are nobody's business. AES-256-GCM. */
export const sealPage = (
  key: Buffer,
  page: PagePosition,
  of: { path: string; subject: string; now: number },
): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed: Sealed = { ...page, path: of.path, subject: of.subject, expires: of.now + validForMs };
  const text = Buffer.concat([cipher.update(JSON.stringify(sealed), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
};

/**
 * Opens what `sealPage` sealed for the same path and caller.
 *
 * @throws RecordError `invalid` if it was altered, is somebody else's, belongs elsewhere or is too old.
 */
export const openPage = (
  key: Buffer,
  token: string,
  by: { path: string; subject: string; now: number },
): PagePosition => {
  const bytes = Buffer.from(token, 'base64url');
  const sealed = bytes.length > 28 ? decrypt(key, bytes) : undefined;
  if (!sealed || sealed.subject !== by.subject || sealed.path !== by.path) {
    throw new RecordError('invalid', 'This page link was altered or is not yours', {
      reason: 'page-link',
      expression: '_page',
    });
  }
  if (sealed.expires < by.now) {
    throw new RecordError('invalid', 'This page link has expired; search again', {
      reason: 'page-link',
      expression: '_page',
    });
  }
  return { query: sealed.query, position: sealed.position };
};

const decrypt = (key: Buffer, bytes: Buffer): Sealed | undefined => {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(12, 28));
    return JSON.parse(
      Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'),
    ) as Sealed;
  } catch {
    return undefined; // not what was sealed
  }
};
