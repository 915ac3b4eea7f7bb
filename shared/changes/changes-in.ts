import { changeIn, type RowChange } from '../store/feed/change.ts';
import type { IdCodec } from '../store/ids.ts';
import type { RecordRow } from '../store/rows.ts';
import { eventIdOf } from './event-id.ts';
import type { RecordChanged } from './record-changed.ts';

/**
 * The events that a row's change is worth: one for each organisation that may know of it, none for what makes no version visible.
 *
 * @throws WrittenByNewerRelease, so that the change waits in the stream for a release that can tell of it.
 */
export const changesIn = (row: RowChange, ids: IdCodec): RecordChanged[] => {
  const found = changeIn(row);
  if (!found) return [];
  const { type, chart, place, id, version, updated, custodian, change: kind } = found;
  const change = {
    recordType: type,
    recordId: id ?? ids.idAt(chart, place),
    version,
    change: kind,
    occurredAt: new Date(updated).toISOString(),
    custodian,
  } as const;
  return recipientsOf({ custodian }).map((recipient) => ({
    eventId: eventIdOf(change, recipient),
    ...change,
    recipient,
  }));
};

/** Organisations that may know of a change: so far its custodian alone: what Consents share is read, and not told of. */
const recipientsOf = ({ custodian }: Pick<RecordRow, 'custodian'>): string[] => [custodian];
