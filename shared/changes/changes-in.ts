import { createHash } from 'node:crypto';
import type { IdCodec } from '../store/ids.ts';
import { addressOf, type RecordRow, recordLayouts } from '../store/rows.ts';
import type { RecordChanged } from './record-changed.ts';

/** A row before and after, as the stream tells of it; undefined where there was or is none. */
export interface RowChange {
  readonly before: RecordRow | undefined;
  readonly after: RecordRow | undefined;
}

/**
 * The events that a row's change is worth: one for each organisation that may know of it, none for rows that are no records, for
 * what is only staged, or for a change of the row that makes no new version.
 *
 * @throws WrittenByNewerRelease, so that the change waits in the stream for a release that can tell of it.
 */
export const changesIn = ({ before, after }: RowChange, ids: IdCodec): RecordChanged[] => {
  const address = after && addressOf(after);
  if (!after || !address || after.version === undefined || after.tx !== undefined) return [];
  const wasVisible = before !== undefined && before.tx === undefined;
  if (wasVisible && before.version === after.version) return [];
  const { id, version, updated, custodian, body } = recordLayouts.reader(after.layout)(after);
  const change = {
    recordType: address.type,
    recordId: id ?? ids.idAt(address.chart, address.place),
    version,
    change: body === undefined ? 'deleted' : version === 1 ? 'created' : 'updated',
    occurredAt: new Date(updated).toISOString(),
    custodian,
  } as const;
  return recipientsOf({ custodian }).map((recipient) => ({
    eventId: eventId(change, recipient),
    ...change,
    recipient,
  }));
};

/** Organisations that may know of a change: so far its custodian alone, since nothing is shared yet. */
const recipientsOf = ({ custodian }: Pick<RecordRow, 'custodian'>): string[] => [custodian];

const eventId = (change: Pick<RecordChanged, 'recordType' | 'recordId' | 'version'>, recipient: string): string =>
  createHash('sha256').update([change.recordType, change.recordId, change.version, recipient].join('\n')).digest('hex');
