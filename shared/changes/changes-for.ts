import { changeIn, type RecordChange, type RowChange } from '../store/feed/change.ts';
import type { IdCodec } from '../store/ids.ts';
import { eventIdOf } from './event-id.ts';
import type { RecordChanged } from './record-changed.ts';

/** What a change tells one recipient: an organisation, or the network (`*`). */
export const changeFor = (change: RecordChange, ids: IdCodec, recipient: string): RecordChanged => {
  const { type, chart, place, id, version, updated, custodian, change: kind } = change;
  const changed = {
    recordType: type,
    recordId: id ?? ids.idAt(chart, place),
    version,
    change: kind,
    occurredAt: new Date(updated).toISOString(),
    custodian,
    recipient,
  } as const;
  return { eventId: eventIdOf(changed, recipient), ...changed };
};

/**
 * What a row's change tells its recipients, one by one; nothing where it makes no version visible.
 *
 * @throws WrittenByNewerRelease, so that the change waits for a release that can tell of it.
 */
export const changesFor = (row: RowChange, ids: IdCodec, recipients: readonly string[]): RecordChanged[] => {
  const change = changeIn(row);
  return change ? recipients.map((recipient) => changeFor(change, ids, recipient)) : [];
};
