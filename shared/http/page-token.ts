import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RecordError } from '../errors.ts';

/** Before the position stands how long it is. */
const sizeBytes = 4;

/** Pages are followed within a session; a link that lies about is worth nothing to who finds it. */
const validForMs = 24 * 3600_000;

/** Where a search goes on. The caller's subject is sealed in, so a link is of use to nobody else. */
export interface PagePosition {
  /** The search as it was understood, without the page itself. */
  readonly query: readonly (readonly [string, string])[];
  /** What the plan needs to go on; its own business. */
  readonly position: unknown;
}

interface Sealed {
  readonly position: unknown;
  readonly path: string;
  readonly subject: string;
  readonly expires: number;
}

/**
 * Encrypts a position for a `next` link: positions hold keys, and keys are nobody's business. AES-256-GCM.
 *
 * The query is deflated, as an address has no room for a long one twice its size, and by itself: were the position deflated with it,
 * whoever chooses the query could tell from the length of the link how much of it stands in the position too.
 */
export const sealPage = (
  key: Buffer,
  page: PagePosition,
  of: { path: string; subject: string; now: number },
): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const { query, position } = page;
  const sealed: Sealed = { position, path: of.path, subject: of.subject, expires: of.now + validForMs };
  const own = Buffer.from(JSON.stringify(sealed));
  const size = Buffer.alloc(sizeBytes);
  size.writeUInt32BE(own.length);
  const parts = [size, own, deflateRawSync(JSON.stringify(query))].map((part) => cipher.update(part));
  const text = Buffer.concat([...parts, cipher.final()]);
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
  const sealed = bytes.length > 28 + sizeBytes ? decrypt(key, bytes) : undefined;
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

const decrypt = (key: Buffer, bytes: Buffer): (Sealed & PagePosition) | undefined => {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(12, 28));
    const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    const end = sizeBytes + text.readUInt32BE();
    const own = JSON.parse(text.toString('utf8', sizeBytes, end)) as Sealed;
    return { ...own, query: JSON.parse(inflateRawSync(text.subarray(end)).toString()) as PagePosition['query'] };
  } catch {
    return undefined; // not what was sealed
  }
};
