import { createHash } from 'node:crypto';
import type { RecordChanged } from './record-changed.ts';

/**
 * The id by which a recipient knows one change, however often and by whatever way it comes: on the bus, in the feed, by a webhook. 64 hexadecimal digits. It
 * follows from version and recipient, so nobody has to keep it.
 *
 * @param recipient - an organisation, or `*` for the network.
 */
export const eventIdOf = (
  { recordType, recordId, version }: Pick<RecordChanged, 'recordType' | 'recordId' | 'version'>,
  recipient: string,
): string => createHash('sha256').update([recordType, recordId, version, recipient].join('\n')).digest('hex');
