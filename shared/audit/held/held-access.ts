import { randomUUID } from 'node:crypto';
import type { AuditRow } from '../audit-row.ts';

// A row of the access log that the table could not take is an object of the bucket of digests, where it is locked like these. Its name tells when it came there, and nothing of whose it is.

/** Begins the names of rows that are held. */
export const heldPrefix = 'held/';
/** Begins the names of what says that such a row was filed. */
export const filedPrefix = 'filed/';

/** A name for a row that is held from now on, in order of time. @param now - milliseconds since 1970. */
export const newHeldKey = (now: number): string => `${heldPrefix}${new Date(now).toISOString()}/${randomUUID()}`;

/** Name of what says that a row was filed. */
export const filedKey = (held: string): string => `${filedPrefix}${held.slice(heldPrefix.length)}`;

/** Such a row in the log: it tells where it was held, which explains why it came late. */
export interface FiledRow extends AuditRow {
  readonly held: string;
}

/** JSON, with the bytes of long rows in base 64. */
export const heldObject = ({ entry, ...row }: AuditRow): Uint8Array =>
  Buffer.from(JSON.stringify({ ...row, ...(typeof entry === 'string' ? { entry } : { bytes: inBase64(entry) }) }));

const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** The row that an object holds. */
export const rowHeld = (object: Uint8Array): AuditRow => {
  const { bytes, ...row } = JSON.parse(Buffer.from(object).toString('utf8')) as AuditRow & { readonly bytes?: string };
  return bytes === undefined ? row : { ...row, entry: Buffer.from(bytes, 'base64') };
};
